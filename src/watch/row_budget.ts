/** Rows that all streams of a process may have at a time of what they catch up on: each has its own copy of them. */

/** The budget of one process. */
export class RowBudget {
  #left: number;

  /** @param max rows, each some 600 bytes */
  constructor(max: number) {
    this.#left = max;
  }

  /** Whether there is so much left; then it is taken. */
  take(rows: number): boolean {
    if (rows > this.#left) return false;
    this.#left -= rows;
    return true;
  }

  /** Rows that were taken are given on, or nobody's any more. */
  free(rows: number): void {
    this.#left += rows;
  }
}
