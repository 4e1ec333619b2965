/** Wakes the one who waits. */

/** Waits for a ring, and remembers one that came before. To be closed once nobody waits any more. */
export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;
  /** Until when is waited, by performance.now(). */
  #untilMs = 0;
  /**
   * One for many waits: of a stream that gets a change every now and then none comes to its end, and a timer for each
   * costs more than the rest of the wait.
   */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAtMs = 0;

  /** Wakes the one who waits, or who will wait next. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves with the next ring, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.#isRung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#untilMs = performance.now() + Math.max(0, ms);
      this.#arm();
      await promise;
      this.#wake = undefined;
    }
    this.#isRung = false;
  }

  /** Leaves no timer behind. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One that is due before that looks again then. */
  #arm(): void {
    if (this.#timer !== undefined && this.#timerAtMs <= this.#untilMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = this.#untilMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#wake === undefined) return;
      // Timers leave fractions of a millisecond out.
      if (this.#untilMs - this.#timerAtMs < 1) this.#wake();
      else this.#arm();
    }, Math.max(0, this.#untilMs - performance.now()));
  }
}
