/** Why a place stands where it does, as plain data: its level, and the rows of ledger and holds that it comes of. */
import type { OperationKind, Policy } from "./model.ts";
import type { ListedLevel, ListedMovement } from "./queries.ts";

/** How many of the latest movements, and of the first holds, are listed. */
export interface ExplainLimits {
  readonly movements: number;
  readonly holds: number;
}

/** Movements of one kind, added up. */
export interface KindSum {
  readonly kind: OperationKind;
  readonly movements: number;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
}

/** Where a place stood at a version; version 0: before its first movement. */
export interface Standing {
  readonly version: number;
  readonly onHand: number;
  readonly reserved: number;
}

/** The units that an order has of a place while it is held. */
export interface ExplainedHold {
  readonly orderId: string;
  readonly buyerId?: string;
  readonly num: number;
  readonly expiresAtMs: number;
  /** Its time is up; nobody has written that down yet. */
  readonly isDue: boolean;
}

/** All that a place comes of, read at one moment. */
export interface Explained {
  /** As lists have it. */
  readonly level: ListedLevel;
  readonly policy?: Policy;
  /** The same as it is written down, with what holds have whose time is up. */
  readonly standing: Standing;
  /** Where the sums begin. */
  readonly opening: Standing;
  /** What moved from there on. */
  readonly sums: readonly KindSum[];
  /** Each of these movements follows on the one before it, in its version and in what it came to. */
  readonly isChained: boolean;
  /** Those that end first. */
  readonly holds: readonly ExplainedHold[];
  /** Of all that were looked at: how many, and their units; `more`: there are others. */
  readonly held: { readonly count: number; readonly num: number; readonly more: boolean };
  /** The latest first. */
  readonly movements: readonly ListedMovement[];
}

/** Whether opening and sums come to where the place stands, and the holds to what it has reserved. */
export function addsUp(
  { standing, opening, sums, isChained, held }: Pick<
    Explained,
    "standing" | "opening" | "sums" | "isChained" | "held"
  >,
): boolean {
  const total = { ...opening };
  for (const { movements, onHandDelta, reservedDelta } of sums) {
    total.version += movements;
    total.onHand += onHandDelta;
    total.reserved += reservedDelta;
  }
  return isChained && total.version === standing.version && total.onHand === standing.onHand &&
    total.reserved === standing.reserved && (held.more || held.num === standing.reserved);
}
