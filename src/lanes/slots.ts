/**
 * Slots: how many operations talk to Redis and PostgreSQL at a time, first come, first served. Thousands at once
 * would block the event loop for longer than the nodes' time limits, and answers that have arrived would count as
 * silence: 5,000 sells of different goods in one burst were measured to end in UNAVAILABLE nearly all.
 */
/** Hands out a fixed number of slots. */
export class Slots {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a slot and returns the function that gives it back. Throws the signal's reason once it aborts. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let given = false;
    return () => {
      if (!given) this.#giveBack();
      given = true;
    };
  }

  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else {
      this.#waiting.delete(next);
      next();
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.add(resolve);
    try {
      await promise;
    } catch (error) {
      // It was handed over in the moment in which its caller gave up.
      if (!this.#waiting.delete(resolve)) this.#giveBack();
      throw error;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }
}
