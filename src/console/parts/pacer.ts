/**
 * Does one thing again and again, as often as it is asked for, but never twice at a time, never too often, and not
 * while nobody looks: a tab that is left open behind others asks nothing, and catches up when it is seen again. What a
 * busy moment has kept from it it tries once more by itself, after longer and longer pauses.
 */
import type { Trouble } from "./trouble.ts";

/** Longest pause before what failed is tried once more, in ms. */
const AGAIN_MS_MAX = 30_000;

/** What stood in the way, as far as it matters here. */
type Failure = Pick<Trouble, "mayRetry">;

/** See above. */
export class Pacer {
  readonly #run: () => Promise<Failure | void>;
  readonly #pauseMs: number;
  readonly #sight: Sight;
  #running: Promise<Failure | void> | undefined;
  #isWanted = false;
  /** In a row. */
  #failures = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  #stops = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopWaiting: (() => void) | undefined;

  /**
   * @param run what is done, and answers what stood in the way; it throws nothing
   * @param pauseMs the shortest time from one end to the next begin
   */
  constructor(run: () => Promise<Failure | void>, pauseMs: number, sight: Sight = PAGE) {
    this.#run = run;
    this.#pauseMs = pauseMs;
    this.#sight = sight;
  }

  /** Does it now where that may be, else once more as soon as it may. */
  ask(): void {
    this.#isWanted = true;
    if (this.#running === undefined && this.#timer === undefined && this.#stopWaiting === undefined) this.#begin();
  }

  /** Does it once more, without a pause and whoever looks, and waits until that has ended. */
  async now(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    this.stop();
    await this.#runOnce();
  }

  /** Asks for no more, until it is asked again. */
  stop(): void {
    this.#isWanted = false;
    this.#stops++;
    clearTimeout(this.#again);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }

  #begin(): void {
    if (this.#sight.isHidden()) {
      this.#stopWaiting = this.#sight.onceSeen(() => {
        this.#stopWaiting = undefined;
        if (this.#isWanted) this.#begin();
      });
      return;
    }
    void this.#runOnce();
  }

  async #runOnce(): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#again);
    const stops = this.#stops;
    this.#running = this.#run();
    try {
      const failure = await this.#running;
      this.#failures = failure?.mayRetry === true ? this.#failures + 1 : 0;
      const againMs = Math.min(AGAIN_MS_MAX, this.#pauseMs * 2 ** this.#failures);
      if (this.#failures > 0 && stops === this.#stops) this.#again = setTimeout(() => this.ask(), againMs);
    } finally {
      this.#running = undefined;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#isWanted) this.#begin();
      }, this.#pauseMs);
    }
  }
}

/** Whether the page is looked at. */
export interface Sight {
  isHidden(): boolean;
  /** Calls back when it is looked at again, unless what it answers is called before. */
  onceSeen(then: () => void): () => void;
}

/** As much of a page as is asked. */
interface Seen {
  readonly document: EventTarget & { readonly visibilityState: string };
}

/** As the browser says it. */
const PAGE: Sight = {
  isHidden: () => (globalThis as unknown as Seen).document.visibilityState === "hidden",
  onceSeen(then) {
    const { document } = globalThis as unknown as Seen;
    const stop = new AbortController();
    const look = () => {
      if (document.visibilityState === "hidden") return;
      stop.abort();
      then();
    };
    document.addEventListener("visibilitychange", look, { signal: stop.signal });
    return () => stop.abort();
  },
};
