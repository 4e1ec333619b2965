/**
 * What a lock on goods is to the rest of the program. A lease keeps others from doing the same work at the
 * same time; it is never what keeps stock right. That is the fence of the write statement.
 */

import type { StockKey } from "../inventory/stock_key.ts";
import type { LockStatus } from "./status.ts";

/** Ownership of some goods for a bounded time. */
export interface Lease {
  /** Milliseconds for which they are still ours; 0 or less: it may be somebody else's by now. */
  remainingMs(): number;
  /**
   * Makes all of the lease's goods ours for another TTL; so often that in all it is ours for a bounded time.
   *
   * Throws LeaseLostError: some may be somebody else's by now, or they have been ours for the longest.
   */
  extend(): Promise<void>;
  /**
   * Releases all of the goods, or some of them. The messages are sent when the call returns, in front of any later
   * ones, so the same process may ask again at once. The promise is for shutdown; it never rejects.
   */
  release(stockKeys?: readonly StockKey[]): Promise<void>;
}

/** Hands out leases. */
export interface Lock {
  /**
   * Acquires all of `stockKeys` (sorted, no repeats) or none, in one attempt: who waits, and how long, is not its
   * matter.
   *
   * Throws LeaseTakenError or QuorumLostError.
   */
  acquire(stockKeys: readonly StockKey[]): Promise<Lease>;
  /**
   * Those of the goods that other processes asked for in vain not long ago. A hint: it may miss some. Never rejects.
   */
  wantedByOthers(stockKeys: readonly StockKey[]): Promise<readonly StockKey[]>;
  /**
   * Whether nobody has the goods, as one of the nodes says, by turns: a hint, at a fraction of what an attempt takes.
   * Never rejects.
   */
  seemsFree(stockKey: StockKey): Promise<boolean>;
  /** Resolves if enough nodes may vote for a lease to be had; else throws QuorumLostError. */
  ping(): Promise<void>;
  /** What is known of the nodes, and which leases this process has; asks nobody. */
  status(): LockStatus;
  /** Waits for releases under way and closes the connections. */
  close(): Promise<void>;
}

/** Enough nodes answered, and somebody else has some of the goods. */
export class LeaseTakenError extends Error {
  override name = "LeaseTakenError";
  /** Those of the goods that were seen to be taken just after; a hint, and empty where nothing was seen. */
  readonly stockKeys: readonly StockKey[];

  constructor(message: string, stockKeys: readonly StockKey[] = []) {
    super(message);
    this.stockKeys = stockKeys;
  }
}

/** Too few nodes gave an answer in time to know who has what. */
export class QuorumLostError extends Error {
  override name = "QuorumLostError";
}

/** A lease that could not be extended: nothing may be done under it any more. */
export class LeaseLostError extends Error {
  override name = "LeaseLostError";
}
