/**
 * The shape of an operation's file: everything that the program asks of one kind of operation. The files beside this
 * one give the answers, and `operation.ts` lists them; nobody else looks at the kind of an operation.
 */
import type { Applied, Order, RecordedOperation, Refusal, Snapshot } from "../model.ts";

/** The rules of one kind of operation. Pure, and the same for every operation of the kind. */
export interface OperationRules<O> {
  /** It only takes units away: among operations that all do, none makes another possible. */
  readonly takesOnly: boolean;
  /** How many lines it counts as where it is asked whether there is capacity for it; at least 1. */
  lineCount(operation: O): number;
  /**
   * The order whose record it may change and whose goods it then moves, so that the order is read before it can be
   * queued; undefined: it names its goods itself, and only adds records.
   */
  changedOrder(operation: O): string | undefined;
  /** Goods that it may move, sorted; `order` is its {@link changedOrder} as last read, undefined where it has none. */
  goodsOf(operation: O, order: Order | undefined): number[];
  /** Under what it may be on record; to be read before it is decided. */
  recordIds(operation: O): RecordIds;
  /**
   * What it comes to on the snapshot: first the refusals, most basic reason first, then the effect. It changes nothing
   * itself: `settle` applies effects to what the next operation sees.
   */
  decide(snapshot: Snapshot, operation: O): Decision;
}

/** Ids of orders and of recorded operations. */
export interface RecordIds {
  readonly orderIds: string[];
  readonly operationIds: string[];
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
}

/** One goods' share of an effect. */
export interface Step {
  readonly goodsId: number;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
  /** The goods is sold from now on, though it was new, at zero, or no longer sold. Absent: that stays as it is. */
  readonly opens?: true;
}

/** Of an operation that changes nothing. */
export const NO_EFFECT: Effect = { steps: [] };

/** The decision that refuses. */
export function refused(refusal: Refusal): Decision {
  return { ok: false, refusal };
}
