import { HealthBoard } from "../../src/health/board.ts";

/** A board that says when a subscriber has left, so that a test need not guess how long that takes. */
export class ObservedBoard extends HealthBoard {
  readonly #left = Promise.withResolvers<void>();
  readonly left = this.#left.promise;

  override subscribe(onChange: () => void): (() => void) | undefined {
    const unsubscribe = super.subscribe(onChange);
    return unsubscribe && (() => {
      unsubscribe();
      this.#left.resolve();
    });
  }
}
