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
  /** Undefined: nobody has resolved it yet. */
  readonly resolved: { readonly atMs: number; readonly resolution: string } | undefined;
}

/** What came of resolving a shortfall; `now`: by this call, and by none before. */
export interface ResolvedShortfall {
  readonly shortfall: RecordedShortfall;
  readonly now: boolean;
}
