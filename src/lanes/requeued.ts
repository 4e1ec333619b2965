/** What a batch leaves of its entries for others. */
import type { StockKey } from "../inventory/stock_key.ts";
import type { Entry } from "./entry.ts";

/** Entries that have not ended and are to be queued again. */
export interface Requeued {
  /** Their goods were not known when they were queued. */
  readonly moved: readonly Entry[];
  /** They lean on what others of the batch changed, or stand behind one that moved, and are decided after those. */
  readonly next: readonly Entry[];
  /** Some of their goods could not be written now: which, and why. */
  readonly refused: readonly RefusedEntry[];
}

/** An entry that could not be written now, because of these of its goods. */
export interface RefusedEntry {
  readonly entry: Entry;
  readonly stockKeys: readonly StockKey[];
  readonly error: Error;
}
