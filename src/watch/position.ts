/**
 * Where a stream of changes stands: all that is written down in a resume token, as plain data. Pure.
 */
import type { Place } from "../inventory/stock_key.ts";
import type { TailKey } from "../store/statements/tail_rows.ts";
import type { SeenTransactions } from "../store/transaction_snapshot.ts";

/** A moment of a database: what had been committed then. */
export interface Moment {
  readonly seen: SeenTransactions;
  /** What was not committed then was, or is, written down at this time or later; in microseconds since 1970. */
  readonly sinceUs: number;
}

/** A movement that was there: where it is not any more, or by another transaction, the past is another one. */
export interface Witness extends Place {
  readonly version: number;
  /** The lower 32 bits of the transaction's id. */
  readonly xid: number;
  /** Its time, in microseconds since 1970. */
  readonly atUs: number;
}

/** Where a stream that has taken in everything up to a moment goes on. */
export interface LivePosition extends Moment {
  readonly databaseId: string;
  /** The last movement that there was then; undefined: none yet. */
  readonly witness: Witness | undefined;
}

/** Where a stream goes on that is on its way through the past, from one moment to another. */
export interface PastPosition extends LivePosition {
  readonly past: {
    /** What that moment had is left out; undefined: nothing is. */
    readonly after: SeenTransactions | undefined;
    /** Behind this movement. */
    readonly key: TailKey;
  };
}

/** Either of them. */
export type Position = LivePosition | PastPosition;
