/** What lists of holds and shortfalls are asked for, and what they contain. Pure types. */
import type { Shortfall } from "./model.ts";
import type { Place } from "./stock_key.ts";

/** Which live holds are wanted; absent: all. Times in ms since 1970. */
export interface HoldFilter {
  readonly place?: Place;
  readonly buyerId?: string;
  /** Those that end then or later. */
  readonly fromMs?: number;
  /** Those that end before. */
  readonly beforeMs?: number;
}

/** Where a list by time goes on: behind the row of this time, in ms since 1970, and order. */
export interface TimeKey {
  readonly atMs: number;
  readonly orderId: string;
}

/** A shortfall as it is on record. */
export interface RecordedShortfall extends Shortfall {
  readonly createdAtMs: number;
  /** Since when it is open, or was last: once it was resolved it may fall short again. */
  readonly openedAtMs: number;
  /** Undefined: nobody has resolved it yet. */
  readonly resolved: { readonly atMs: number; readonly resolution: string } | undefined;
}

/** How a shortfall is said to have ended. */
export interface AskedResolution {
  readonly orderId: string;
  readonly resolution: string;
  /** Of the one that is meant; absent: the one that is open, since whenever that is. */
  readonly openedAtMs?: number;
}

/** What came of resolving a shortfall; `now`: by this call, and by none before. Neither: another one is open now. */
export interface ResolvedShortfall {
  readonly shortfall: RecordedShortfall;
  readonly now: boolean;
}
