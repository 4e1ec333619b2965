/**
 * What a lock on goods is to the rest of the program. A lease keeps others from doing the same work at the
 * same time; it is never what keeps stock right. That is the fence of the write statement.
 */

/** Ownership of some goods for a bounded time. */
export interface Lease {
  /** Milliseconds for which ownership still holds; 0 or less: it may be somebody else's by now. */
  remainingMs(): number;
  /**
   * Lets go. The messages are on their way when the call returns, in front of any later ones, so the same
   * process may ask again at once. The promise is for shutdown; it never rejects.
   */
  release(): Promise<void>;
}

/** Hands out leases. */
export interface Lock {
  /**
   * Takes all of `goodsIds` (sorted, no repeats) or none, waiting up to `waitMs`.
   *
   * Throws LockHeldError, QuorumLostError, or the signal's reason once it aborts.
   */
  acquire(goodsIds: readonly number[], waitMs: number, signal: AbortSignal): Promise<Lease>;
  /** Resolves if enough nodes answer for a lease to be had; else throws QuorumLostError. */
  ping(): Promise<void>;
  /** Waits for releases under way and closes the connections. */
  close(): Promise<void>;
}

/** Enough nodes answered, and somebody else holds some of the goods. */
export class LockHeldError extends Error {
  override name = "LockHeldError";
}

/** Too few nodes gave an answer in time to tell who holds what. */
export class QuorumLostError extends Error {
  override name = "QuorumLostError";
}
