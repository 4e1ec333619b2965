/** Wakes the one who waits. */

/** Waits for a ring, and remembers one that came before. */
export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  /** Wakes the one who waits, or who will wait next. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves with the next ring, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.#isRung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#isRung = false;
  }
}
