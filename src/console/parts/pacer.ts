/**
 * Does one thing again and again, as often as it is asked for, but never twice at a time, never too often, and not
 * while nobody looks: a tab that is left open behind others asks nothing, and catches up when it is seen again.
 */
export class Pacer {
  readonly #run: () => Promise<void>;
  readonly #pauseMs: number;
  readonly #sight: Sight;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopWaiting: (() => void) | undefined;

  /** @param run what is done; it throws nothing @param pauseMs the shortest time from one end to the next begin */
  constructor(run: () => Promise<void>, pauseMs: number, sight: Sight = PAGE) {
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
    this.#running = this.#run();
    try {
      await this.#running;
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
