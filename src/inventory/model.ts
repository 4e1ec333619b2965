/**
 * The words of the domain as plain data: what is read before a decision and what is written after it.
 * Pure types and constants; no I/O, and nothing of ours but `base` is imported in this folder from outside it.
 */

/** Largest quantity and goods id: an int32, on the wire and in PostgreSQL. */
export const INT32_MAX = 2_147_483_647;

/** A goods and a quantity of it. Lists of lines are merged and sorted by goods id unless said otherwise. */
export interface Line {
  readonly goodsId: number;
  readonly num: number;
}

/** What one goods stands at. Available to sell: `onHand - reserved`. */
export interface Level {
  readonly goodsId: number;
  readonly onHand: number;
  readonly reserved: number;
  /** Number of movements of this goods so far. */
  readonly version: number;
  /** True: no longer sold. It still takes back what was sold of it, and setting its quantity opens it again. */
  readonly deleted: boolean;
}

/** States of an order; `states.ts` says what leads from one to another. */
export type OrderState = "held" | "sold" | "released" | "expired" | "rolled_back" | "barred";

/** An order that was applied or barred. A barred order has no lines: it was never sold. */
export interface Order {
  readonly orderId: string;
  readonly state: OrderState;
  readonly lines: readonly Line[];
  /** How many of each line came back so far; one for each of `lines`. */
  readonly returned: readonly number[];
  /** When it was applied, in ms since 1970. */
  readonly atMs: number;
}

/** A change that is not an order, as recorded under its id. */
export interface RecordedOperation {
  readonly operationId: string;
  readonly kind: "set" | "give_back" | "rollback_whole" | "rollback_part" | "bar";
  /** The order of a rollback; undefined for the other kinds. */
  readonly orderId: string | undefined;
  /** What was set or given back; of a bar, which gave nothing back, what was asked. */
  readonly lines: readonly Line[];
}

/** What callers can ask for: see `operations/`. */
export type OperationKind = "set" | "sell" | "rollback" | "give_back";

/** Everything committed that a decision looks at, read at one moment. What is not in it does not exist. */
export interface Snapshot {
  /** The database's clock at that moment, in ms since 1970: the time of whatever is decided on this snapshot. */
  readonly atMs: number;
  readonly levels: ReadonlyMap<number, Level>;
  readonly orders: ReadonlyMap<string, Order>;
  readonly operations: ReadonlyMap<string, RecordedOperation>;
}

/** One row of the ledger: one change of one goods. */
export interface Movement {
  readonly goodsId: number;
  /** The goods' version after it. */
  readonly version: number;
  readonly kind: OperationKind;
  readonly orderId: string | undefined;
  readonly operationId: string | undefined;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
  readonly onHandAfter: number;
  readonly reservedAfter: number;
}

/** What a decision came to, to be written whole or not at all. All empty: nothing to write. */
export interface Changes {
  /** The time of all of it, from the snapshot. */
  readonly atMs: number;
  /** By goods id, then version; each goods' versions follow on its level in the snapshot without a gap. */
  readonly movements: readonly Movement[];
  /** Where each moved goods stands afterwards, by goods id; `before` is undefined for a new goods. */
  readonly levels: readonly { readonly before: Level | undefined; readonly after: Level }[];
  /** New and changed orders, by order id; `before` is undefined for a new one. */
  readonly orders: readonly { readonly before: Order | undefined; readonly after: Order }[];
  /** By operation id. */
  readonly operations: readonly RecordedOperation[];
}

/** How one operation ended: applied (now or, for a retry, before) or refused with nothing changed. */
export type Verdict = Applied | { readonly ok: false; readonly refusal: Refusal };

/** What was applied. A retry gets exactly what the first call got; a set gets the level as it stands. */
export type Applied =
  | { readonly ok: true; readonly kind: "set"; readonly level: Level }
  | { readonly ok: true; readonly kind: "sell"; readonly order: Order }
  | { readonly ok: true; readonly kind: "rollback"; readonly operationId: string; readonly given: readonly Line[] };

/** Why an operation was refused. */
export type Refusal =
  | { readonly reason: "unknown_goods"; readonly goodsIds: readonly number[] }
  | {
    readonly reason: "short_stock";
    readonly lines: readonly { readonly goodsId: number; readonly asked: number; readonly available: number }[];
  }
  | { readonly reason: "order_state"; readonly orderId: string; readonly state: OrderState }
  | {
    readonly reason: "exceeds_sold";
    readonly orderId: string;
    readonly lines: readonly { readonly goodsId: number; readonly asked: number; readonly returnable: number }[];
  }
  | {
    readonly reason: "content_differs";
    /** Which id was used before with other content. */
    readonly field: "order_id" | "rollback_id";
    readonly id: string;
    /** What differs, a sentence each. */
    readonly differences: readonly string[];
  }
  | { readonly reason: "out_of_range"; readonly goodsIds: readonly number[] };
