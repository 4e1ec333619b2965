/** How long a wait in line takes at the least, by how long what stood before took. No clock. */

/** What took so long lately; the times in ms are passed in. */
export class Pace {
  #latestMs = 0;
  #beforeMs = 0;

  /** What was begun has ended after so long. */
  note(tookMs: number): void {
    this.#beforeMs = this.#latestMs;
    this.#latestMs = tookMs;
  }

  /**
   * The shorter of the latest two; 0 before there are two. One that was slow by chance, as by a failover, says nothing
   * of those that come.
   */
  get leastMs(): number {
    return Math.min(this.#latestMs, this.#beforeMs);
  }

  /** How long so many before one take, of which so many go together. */
  waitMs(before: number, together: number): number {
    return Math.floor(Math.max(0, before) / together) * this.leastMs;
  }
}
