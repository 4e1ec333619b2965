/**
 * So much at once, and so much again over a time: a bucket of tokens that fills up evenly. No clock: the time is passed
 * in.
 */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  /**
   * Full at the time `now`.
   *
   * @param size tokens that are in it at most
   * @param fillMs the time in which an empty bucket becomes full
   */
  constructor(private readonly size: number, private readonly fillMs: number, now: number) {
    this.#tokens = size;
    this.#filledAt = now;
  }

  /** Takes one token. False: there is none. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Whether nothing of it is missing, so that a new one would be the same. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.size;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.size, this.#tokens + (now - this.#filledAt) / this.fillMs * this.size);
    this.#filledAt = now;
  }
}
