/**
 * The words of the domain as plain data: what is read before a decision and what is written after it.
 * Pure types and constants; no I/O, and nothing of ours but `base` is imported in this folder from outside it.
 */
import type { Place, StockKey } from "./stock_key.ts";

/** Largest quantity and goods id: an int32, on the wire and in PostgreSQL. */
export const INT32_MAX = 2_147_483_647;

/** A goods at a location and a quantity of it. Lists of lines are merged and sorted by place unless said otherwise. */
export interface Line extends Place {
  readonly num: number;
}

/** What one goods stands at, at one location. */
export interface Level extends Place {
  readonly onHand: number;
  /** Units of `onHand` that live holds have; those of holds whose time is up count no more. */
  readonly reserved: number;
  /** Number of movements of this goods at this location so far. */
  readonly version: number;
  /** True: no longer sold. It still takes back what was sold of it, and setting its quantity opens it again. */
  readonly deleted: boolean;
  /** Absent: nothing is restricted. */
  readonly policy?: Policy;
}

/** What sales of one goods at one location are bound by. */
export interface Policy {
  /** Units that sales can't touch; 0 or more. */
  readonly safetyStock: number;
  /** So far below nothing may available go; 0 or more. */
  readonly backorderMax: number;
  /** Units that one order may take. */
  readonly orderNumMax?: number;
  /** Units that one buyer may take within `buyerWindowMs`; without one, ever. Live holds count however old they are. */
  readonly buyerNumMax?: number;
  readonly buyerWindowMs?: number;
  /** Low from so many available on, until `lowStockUntil` or more are; both or none. */
  readonly lowStockAt?: number;
  readonly lowStockUntil?: number;
  /** How long a hold lasts that says nothing of it, in ms. */
  readonly holdTtlMs?: number;
}

/** States of an order; `states.ts` says what leads from one to another. */
export type OrderState = "held" | "sold" | "released" | "expired" | "rolled_back" | "barred";

/**
 * An order that was applied or barred. A barred order has no lines: it was never sold. As it is on record: one that is
 * `held` although its time is up has expired; see `stateAt`.
 */
export interface Order {
  readonly orderId: string;
  readonly state: OrderState;
  /** What was sold, or is held; of an expired or released hold, what it held. A `num` may be 0. */
  readonly lines: readonly Line[];
  /** How many of each line came back so far; one for each of `lines`. */
  readonly returned: readonly number[];
  /**
   * When its units were taken, in ms since 1970: of a hold, when it was last reserved; or when it was confirmed, where
   * that was after its time, or after the window of its buyer's limit.
   */
  readonly atMs: number;
  /** What was asked, one for each of `lines`, where less was taken. */
  readonly asked?: readonly number[];
  /** Of what was a hold: what it held, one for each of `lines`. */
  readonly held?: readonly number[];
  /** Of what was a hold: when its time is up, in ms since 1970. */
  readonly expiresAtMs?: number;
  readonly buyerId?: string;
}

/** A change that is not an order, as recorded under its id. */
export interface RecordedOperation {
  readonly operationId: string;
  readonly kind: RecordedKind;
  /** The order of a rollback; undefined for the other kinds. */
  readonly orderId: string | undefined;
  /**
   * What was set, given back, adjusted by, counted or transferred; of a bar, which gave nothing back, what was asked.
   */
  readonly lines: readonly Line[];
  /** What else was asked for, where lines can't say it: a retry must ask for the same. */
  readonly content?: Readonly<Record<string, string | number | boolean>>;
  /** Where each of `lines` stood afterwards, where the answer says so. */
  readonly levels?: readonly Level[];
}

/** Kinds of what has a record of its own beside orders. */
export type RecordedKind =
  | "set"
  | "give_back"
  | "rollback_whole"
  | "rollback_part"
  | "bar"
  | "adjust"
  | "count"
  | "transfer"
  | "policy"
  | "delete"
  | "restore";

/** What callers, and the service itself, can ask for: see `operations/`. */
export type OperationKind =
  | "set"
  | "sell"
  | "rollback"
  | "give_back"
  | "reserve"
  | "extend"
  | "confirm"
  | "release"
  | "expire"
  | "adjust"
  | "count"
  | "transfer"
  | "policy"
  | "delete"
  | "restore";

/** What a movement was for and whose it was; goes into the ledger as it is. */
export interface Attribution {
  /** A code of the table of reasons. */
  readonly reason?: string;
  readonly documentUri?: string;
  /** Who called. */
  readonly actor?: string;
}

/** A line of a hold whose time is up, and which nobody has taken off `reserved` yet. */
export interface DueHold extends Line {
  readonly orderId: string;
  readonly expiresAtMs: number;
}

/** Everything committed that a decision looks at, read at one moment. What is not in it does not exist. */
export interface Snapshot {
  /** The time of all that is decided on it, in ms since 1970: the database's clock, or its levels' last write. */
  readonly atMs: number;
  /** As they are on record: with what `due` has still reserved. */
  readonly levels: ReadonlyMap<StockKey, Level>;
  readonly orders: ReadonlyMap<string, Order>;
  readonly operations: ReadonlyMap<string, RecordedOperation>;
  /** Lines of expired holds of these levels, those that ended first before others; absent: none. */
  readonly due?: readonly DueHold[];
  /** There are more of them than were read. */
  readonly moreDue?: boolean;
  /** What buyers have of goods that are capped, by {@link takenKey}: live holds, and their sales within the window. */
  readonly taken?: ReadonlyMap<string, number>;
  /**
   * What was on hand at an earlier moment, by {@link momentKey}; undefined: a later set or count says how many since.
   */
  readonly moments?: ReadonlyMap<string, number | undefined>;
}

/** A goods whose earlier stock is looked for. */
export interface Moment extends Place {
  /** In ms since 1970. */
  readonly atMs: number;
}

/** The key of a buyer's units of a goods at a location. */
export function takenKey(key: StockKey, buyerId: string): string {
  return `${key} ${buyerId}`;
}

/** The key of a goods at a location at an earlier moment. */
export function momentKey(key: StockKey, atMs: number): string {
  return `${key} ${atMs}`;
}

/** One row of the ledger: one change of one goods at one location. */
export interface Movement extends Place, Attribution {
  /** The version after it. */
  readonly version: number;
  readonly kind: OperationKind;
  readonly orderId: string | undefined;
  readonly operationId: string | undefined;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
  readonly onHandAfter: number;
  readonly reservedAfter: number;
  /** When it happened, in ms since 1970, where that was before it was written down. */
  readonly occurredAtMs?: number;
}

/** A line of a hold as it stands for itself, from reserve to its end. */
export interface HoldLine extends Line {
  readonly orderId: string;
  readonly expiresAtMs: number;
}

/** What a decision came to, to be written whole or not at all. All empty: nothing to write. */
export interface Changes {
  /** The time of all of it, from the snapshot. */
  readonly atMs: number;
  /** It was decided on no snapshot: its time is that of the write, whatever `atMs` says. Absent: it was. */
  readonly atWrite?: true;
  /** By place, then version; the versions of each follow on its level in the snapshot without a gap. */
  readonly movements: readonly Movement[];
  /** Where each moved goods stands afterwards, by place; `before` is undefined for a new one. */
  readonly levels: readonly { readonly before: Level | undefined; readonly after: Level }[];
  /** New and changed orders, by order id; `before` is undefined for a new one. */
  readonly orders: readonly { readonly before: Order | undefined; readonly after: Order }[];
  /** By operation id. */
  readonly operations: readonly RecordedOperation[];
  /** Lines that holds have from now on, by place and order id; absent: none. */
  readonly heldLines?: readonly HoldLine[];
  /** Lines that holds have no more; absent: none. */
  readonly endedLines?: readonly HoldLine[];
  /** No line of a hold of these levels that is left ends before; absent: `atMs`. */
  readonly holdsFromMs?: number;
  /** Confirmations that found too little; absent: none. */
  readonly shortfalls?: readonly Shortfall[];
  /** Orders that were sold after all, whose shortfalls somebody need not see to any more; absent: none. */
  readonly endedShortfalls?: readonly string[];
}

/** A confirmation of an expired hold whose stock was gone, to be seen to by somebody. */
export interface Shortfall {
  readonly orderId: string;
  readonly buyerId?: string;
  readonly lines: readonly (Place & { readonly asked: number; readonly available: number })[];
}

/** How one operation ended: applied (now or, for a retry, before) or refused with nothing changed. */
export type Verdict = Applied | { readonly ok: false; readonly refusal: Refusal };

/**
 * What was applied. A retry gets exactly what the first call got, and `replayed`.
 */
export type Applied =
  & { readonly ok: true; readonly replayed?: true }
  & (
    | { readonly kind: "set"; readonly level: Level }
    | { readonly kind: "sell"; readonly order: Order }
    | { readonly kind: "rollback"; readonly operationId: string; readonly given: readonly Line[] }
    /** Reserve, extend, confirm, release: the order as it is then. */
    | { readonly kind: "hold"; readonly order: Order }
    /** Of a hold that expired, whose stock was gone: on record, and an error for the caller. */
    | { readonly kind: "shortfall"; readonly shortfall: Shortfall }
    /** Adjust, count, transfer, policy, delete, restore: the levels that it moved, as they were then. */
    | { readonly kind: "stock"; readonly operationId: string; readonly levels: readonly Level[] }
    /** The service's own: the hold's time was up. */
    | { readonly kind: "expired" }
  );

/** Why an operation was refused. */
export type Refusal =
  | { readonly reason: "unknown_goods"; readonly places: readonly Place[] }
  | {
    readonly reason: "short_stock";
    readonly lines: readonly (Place & { readonly asked: number; readonly available: number })[];
  }
  | { readonly reason: "unknown_order"; readonly orderId: string }
  | { readonly reason: "order_state"; readonly orderId: string; readonly state: OrderState }
  | {
    readonly reason: "exceeds_sold";
    readonly orderId: string;
    readonly lines: readonly (Place & { readonly asked: number; readonly returnable: number })[];
  }
  | {
    /** More is confirmed than the hold has. */
    readonly reason: "exceeds_held";
    readonly orderId: string;
    readonly lines: readonly (Place & { readonly asked: number; readonly held: number })[];
  }
  | {
    readonly reason: "content_differs";
    /** Which id was used before with other content. */
    readonly field: "order_id" | "rollback_id" | "operation_id";
    readonly id: string;
    /** What differs, a sentence each. */
    readonly differences: readonly string[];
  }
  /** More than an int32 says would be on hand, be reserved, or come onto what is on hand in one movement. */
  | {
    readonly reason: "out_of_range";
    readonly of: "on_hand" | "reserved" | "rise";
    readonly places: readonly Place[];
  }
  /** The expected version or number is not what stands there. */
  | { readonly reason: "not_as_expected"; readonly level: Level | undefined; readonly place: Place }
  /** A policy allows an order, or a buyer, less. `taken`: what the buyer has already. */
  | {
    readonly reason: "over_limit";
    readonly limit: "order" | "buyer";
    readonly lines: readonly (Place & { readonly asked: number; readonly taken: number; readonly max: number })[];
  }
  /** A policy caps what one buyer takes of it, and the order names no buyer. */
  | { readonly reason: "buyer_required"; readonly places: readonly Place[] }
  /** The hold has expired, and its stock is gone. */
  | { readonly reason: "shortfall"; readonly shortfall: Shortfall }
  /** Live holds have units of it. */
  | { readonly reason: "has_holds"; readonly place: Place; readonly reserved: number }
  /** A policy that what stands there breaks already. */
  | { readonly reason: "below_floor"; readonly place: Place; readonly available: number };
