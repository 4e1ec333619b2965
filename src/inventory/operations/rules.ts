/**
 * The shape of an operation's file: everything that the program asks of one kind of operation. The files beside this
 * one give the answers, and `operation.ts` lists them; nobody else looks at the kind of an operation.
 */
import type {
  Applied,
  Attribution,
  Moment,
  Order,
  Policy,
  RecordedOperation,
  Refusal,
  Shortfall,
  Snapshot,
} from "../model.ts";
import type { Place, StockKey } from "../stock_key.ts";

/** What every operation may have beside its own. */
export interface Operated {
  /** Goes into the ledger with its movements. */
  readonly attribution?: Attribution;
  /** It is decided, and nothing is written. */
  readonly dryRun?: true;
}

/** The rules of one kind of operation. Pure, and the same for every operation of the kind. */
export interface OperationRules<O> {
  /** It only takes units away: among operations that all do, none makes another possible. */
  readonly takesOnly: boolean;
  /**
   * Applied, it writes an order that has to be new, and for that nothing has to be known beside levels. Absent: it
   * always has to be read for.
   */
  readonly mayGoUnread?: true;
  /** What it moves is known only once its {@link changedOrder} was read. */
  readonly keysNeedOrder: boolean;
  /** That order, where its caller has just read it, so that it is not read again for its keys; else undefined. */
  orderRead?(operation: O): Order | undefined;
  /** How many lines it counts as where it is asked whether there is capacity for it; at least 1. */
  lineCount(operation: O): number;
  /**
   * The order whose record it may change and whose goods it then moves; undefined: it only adds records.
   */
  changedOrder(operation: O): string | undefined;
  /** What it may move, sorted; `order` is its {@link changedOrder} as last read, undefined where it has none. */
  keysOf(operation: O, order: Order | undefined): StockKey[];
  /** What else is to be read before it is decided; `order` as above. */
  records(operation: O, order: Order | undefined): Records;
  /** Whether it asks for moments: what has moved since then in its own batch is not in them. Absent: it does not. */
  looksBack?(operation: O): boolean;
  /**
   * What it comes to on the snapshot: first the refusals, most basic reason first, then the effect. It changes nothing
   * itself: `settle` applies effects to what the next operation sees. Expired holds are off the levels already.
   */
  decide(snapshot: Snapshot, operation: O): Decision;
}

/** What of a snapshot an operation looks at, beside the levels of its keys. */
export interface Records {
  /** Under what it may be on record. */
  readonly orderIds?: readonly string[];
  readonly operationIds?: readonly string[];
  /** Buyers whose units of goods may be capped. */
  readonly buyers?: readonly Buyer[];
  readonly moments?: readonly Moment[];
}

/** A buyer, and a goods at a location that he takes units of. */
export interface Buyer extends Place {
  readonly buyerId: string;
}

/** A decision: refused, or the effect and the answer. */
export type Decision =
  | { readonly ok: false; readonly refusal: Refusal }
  | { readonly ok: true; readonly effect: Effect; readonly answer: Applied };

/** What an allowed operation does. No steps, order or operation: a retry, or nothing left to change. */
export interface Effect {
  readonly steps: readonly Step[];
  /** As it is afterwards. The movements of the steps name it. */
  readonly order?: Order;
  readonly operation?: RecordedOperation;
  readonly shortfall?: Shortfall;
  /** The order was sold after all: what is on record of its shortfall needs nobody any more. */
  readonly endsShortfall?: true;
}

/** One place's share of an effect; one with no delta still is a movement. */
export interface Step extends Place {
  readonly onHandDelta: number;
  readonly reservedDelta: number;
  /** The goods is sold from now on, though it was new, at zero, or no longer sold. Absent: that stays as it is. */
  readonly opens?: true;
  /** It is no longer sold. */
  readonly closes?: true;
  /** What it is bound by from now on; absent: that stays as it is. */
  readonly policy?: Policy;
  /** When it happened, in ms since 1970, where that was before now. */
  readonly occurredAtMs?: number;
}

/** Of an operation that changes nothing. */
export const NO_EFFECT: Effect = { steps: [] };

/** The decision that refuses. */
export function refused(refusal: Refusal): Decision {
  return { ok: false, refusal };
}
