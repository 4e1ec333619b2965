/** What the lanes of one process are bounded by. */

/** Limits of the lanes; times in ms. */
export interface LanesLimits {
  /** Operations under way, waiting or not, and levels waited for. */
  readonly operationsMax: number;
  /** Of these, those of one address. Absent: all. */
  readonly operationsPerAddressMax?: number;
  /** Lines of all operations under way. */
  readonly linesMax: number;
  /** Batches at a time; each has one connection to the database. */
  readonly batchesMax: number;
  /**
   * Longest wait for goods that other processes have: from the caller's arrival, or from when the goods were first
   * refused to this process where that came later. The time in its own lanes does not count.
   */
  readonly lockWaitMsMax: number;
  /** What one attempt on the lock may take. */
  readonly lockAttemptMsMax: number;
  /** Time that a write may take; nothing is written under a lease that has less left. */
  readonly writeMsMax: number;
}
