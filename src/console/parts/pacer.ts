/** Does one thing again and again, as often as it is asked for, but never twice at a time and never too often. */
export class Pacer {
  readonly #run: () => Promise<void>;
  readonly #pauseMs: number;
  #isRunning = false;
  #isWanted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param run what is done; it throws nothing @param pauseMs the shortest time from one end to the next begin */
  constructor(run: () => Promise<void>, pauseMs: number) {
    this.#run = run;
    this.#pauseMs = pauseMs;
  }

  /** Does it now where that may be, else once more as soon as it may. */
  ask(): void {
    this.#isWanted = true;
    if (!this.#isRunning && this.#timer === undefined) void this.#begin();
  }

  /** Asks for no more, until it is asked again. */
  stop(): void {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #begin(): Promise<void> {
    this.#isRunning = true;
    this.#isWanted = false;
    try {
      await this.#run();
    } finally {
      this.#isRunning = false;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#isWanted) void this.#begin();
      }, this.#pauseMs);
    }
  }
}
