/**
 * The rules of stock: what one operation comes to on a given snapshot. Pure; the only place where a sale, a
 * rollback or a set is allowed or refused.
 *
 * Each function first refuses, most basic reason first, and then describes the effect. It changes nothing
 * itself: `settle` applies effects to the snapshot that the next operation sees.
 */
import { derivedRollbackId } from "./ids.ts";
import { lineDifferences, sameLines } from "./lines.ts";
import {
  type Applied,
  type GiveBackOperation,
  INT32_MAX,
  type Level,
  type Line,
  type Operation,
  type Order,
  type RecordedOperation,
  type Refusal,
  type RollbackOperation,
  type SellOperation,
  type SetOperation,
  type Snapshot,
} from "./model.ts";

/** One goods' share of an effect. A goods that is not in the snapshot starts at zero. */
export interface Step {
  readonly goodsId: number;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
}

/** What an allowed operation does. No steps, order or operation: a retry, or nothing left to change. */
export interface Effect {
  readonly steps: readonly Step[];
  readonly order?: Order;
  readonly operation?: RecordedOperation;
}

/** A decision: refused, or the effect and the answer. */
export type Decision =
  | { readonly ok: false; readonly refusal: Refusal }
  | { readonly ok: true; readonly effect: Effect; readonly answer: Applied };

const NO_EFFECT: Effect = { steps: [] };

/** Decides one operation. */
export function decide(snapshot: Snapshot, operation: Operation): Decision {
  switch (operation.kind) {
    case "set":
      return decideSet(snapshot, operation);
    case "sell":
      return decideSell(snapshot, operation);
    case "rollback":
      return decideRollback(snapshot, operation);
    case "give_back":
      return decideGiveBack(snapshot, operation);
  }
}

function decideSet(snapshot: Snapshot, { operationId, goodsId, num }: SetOperation): Decision {
  const level = snapshot.levels.get(goodsId);
  if (level !== undefined && snapshot.operations.has(operationId)) return stands(level);
  const onHand = num + (level?.reserved ?? 0);
  if (onHand > INT32_MAX) return refused({ reason: "out_of_range", goodsIds: [goodsId] });
  if (level !== undefined && !level.deleted && level.onHand === onHand) return stands(level);
  const after: Level = {
    goodsId,
    onHand,
    reserved: level?.reserved ?? 0,
    version: (level?.version ?? 0) + 1,
    deleted: false,
  };
  return {
    ok: true,
    effect: {
      steps: [{ goodsId, onHandDelta: onHand - (level?.onHand ?? 0), reservedDelta: 0 }],
      operation: { operationId, kind: "set", orderId: undefined, lines: [{ goodsId, num }] },
    },
    answer: { ok: true, kind: "set", level: after },
  };
}

function stands(level: Level): Decision {
  return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "set", level } };
}

function decideSell(snapshot: Snapshot, { orderId, lines }: SellOperation): Decision {
  const known = snapshot.orders.get(orderId);
  if (known !== undefined) {
    // A barred order was never sold, so there is no content to compare with.
    if (known.state !== "barred" && !sameLines(known.lines, lines)) {
      const differences = lineDifferences(known.lines, lines);
      return refused({ reason: "content_differs", field: "order_id", id: orderId, differences });
    }
    if (known.state !== "sold") return refused({ reason: "order_state", orderId, state: known.state });
    return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "sell", order: known } };
  }
  const unknown = unknownGoods(snapshot, lines);
  if (unknown.length > 0) return refused({ reason: "unknown_goods", goodsIds: unknown });
  const short = lines
    .map(({ goodsId, num }) => ({ goodsId, asked: num, available: available(snapshot.levels.get(goodsId)) }))
    .filter(({ asked, available }) => asked > available);
  if (short.length > 0) return refused({ reason: "short_stock", lines: short });
  const order: Order = { orderId, state: "sold", lines, returned: lines.map(() => 0), atMs: snapshot.atMs };
  return {
    ok: true,
    effect: { steps: lines.map(({ goodsId, num }) => ({ goodsId, onHandDelta: -num, reservedDelta: 0 })), order },
    answer: { ok: true, kind: "sell", order },
  };
}

function decideRollback(snapshot: Snapshot, { rollbackId, orderId, lines }: RollbackOperation): Decision {
  const order = snapshot.orders.get(orderId);
  const whole = lines.length === 0 || (order !== undefined && sameLines(lines, order.lines));
  const operationId = rollbackId ?? derivedRollbackId(orderId, whole ? [] : lines);
  const recorded = snapshot.operations.get(operationId);
  if (recorded !== undefined) {
    return recorded.orderId === orderId ? replayRollback(recorded, whole, lines) : otherOrder(recorded, orderId);
  }
  switch (order?.state) {
    case undefined:
    case "barred":
      return bar(snapshot, orderId, lines, rollbackId, operationId);
    case "held":
    case "released":
    case "expired":
      return refused({ reason: "order_state", orderId, state: order.state });
    case "sold":
    case "rolled_back":
      break;
  }

  const returnable = new Map(order.lines.map(({ goodsId, num }, i) => [goodsId, num - (order.returned[i] ?? 0)]));
  const given: readonly Line[] = whole
    ? [...returnable].filter(([, num]) => num > 0).map(([goodsId, num]) => ({ goodsId, num }))
    : lines;
  const exceeding = given
    .map(({ goodsId, num }) => ({ goodsId, asked: num, returnable: returnable.get(goodsId) ?? 0 }))
    .filter(({ asked, returnable }) => asked > returnable);
  if (exceeding.length > 0) return refused({ reason: "exceeds_sold", orderId, lines: exceeding });
  const overflowing = overflowingGoods(snapshot, given);
  if (overflowing.length > 0) return refused({ reason: "out_of_range", goodsIds: overflowing });

  const back = new Map(given.map(({ goodsId, num }) => [goodsId, num]));
  const returned = order.lines.map(({ goodsId }, i) => (order.returned[i] ?? 0) + (back.get(goodsId) ?? 0));
  const all = order.lines.every(({ num }, i) => returned[i] === num);
  const operation: RecordedOperation = {
    operationId,
    kind: whole ? "rollback_whole" : "rollback_part",
    orderId,
    lines: given,
  };
  const answer: Applied = { ok: true, kind: "rollback", operationId, given };
  // Nothing is left to give back; an id that the caller chose is taken all the same.
  if (given.length === 0) return { ok: true, effect: rollbackId ? { steps: [], operation } : NO_EFFECT, answer };
  return {
    ok: true,
    effect: {
      steps: given.map(({ goodsId, num }) => ({ goodsId, onHandDelta: num, reservedDelta: 0 })),
      order: { ...order, state: all ? "rolled_back" : "sold", returned },
      operation,
    },
    answer,
  };
}

/** A rollback of an order that was never sold: its sell is refused from now on. */
function bar(
  snapshot: Snapshot,
  orderId: string,
  lines: readonly Line[],
  rollbackId: string | undefined,
  operationId: string,
): Decision {
  const answer: Applied = { ok: true, kind: "rollback", operationId, given: [] };
  const operation: RecordedOperation = { operationId, kind: "bar", orderId, lines };
  if (!snapshot.orders.has(orderId)) {
    const order: Order = { orderId, state: "barred", lines: [], returned: [], atMs: snapshot.atMs };
    return { ok: true, effect: { steps: [], order, operation }, answer };
  }
  return { ok: true, effect: rollbackId === undefined ? NO_EFFECT : { steps: [], operation }, answer };
}

function decideGiveBack(snapshot: Snapshot, { operationId, lines }: GiveBackOperation): Decision {
  const recorded = snapshot.operations.get(operationId);
  if (recorded !== undefined) {
    return recorded.kind === "give_back" ? replayRollback(recorded, false, lines) : otherOrder(recorded, undefined);
  }
  const unknown = unknownGoods(snapshot, lines);
  if (unknown.length > 0) return refused({ reason: "unknown_goods", goodsIds: unknown });
  const overflowing = overflowingGoods(snapshot, lines);
  if (overflowing.length > 0) return refused({ reason: "out_of_range", goodsIds: overflowing });
  return {
    ok: true,
    effect: {
      steps: lines.map(({ goodsId, num }) => ({ goodsId, onHandDelta: num, reservedDelta: 0 })),
      operation: { operationId, kind: "give_back", orderId: undefined, lines },
    },
    answer: { ok: true, kind: "rollback", operationId, given: lines },
  };
}

/** A rollback or give-back whose id is known: the first answer again, or what differs from the first call. */
function replayRollback(recorded: RecordedOperation, whole: boolean, lines: readonly Line[]): Decision {
  const differences = contentDifferences(recorded, whole, lines);
  if (differences.length > 0) return rollbackDiffers(recorded, differences);
  const given = recorded.kind === "bar" ? [] : recorded.lines;
  const answer: Applied = { ok: true, kind: "rollback", operationId: recorded.operationId, given };
  return { ok: true, effect: NO_EFFECT, answer };
}

function contentDifferences(recorded: RecordedOperation, whole: boolean, lines: readonly Line[]): string[] {
  const wasWhole = recorded.kind === "rollback_whole";
  if (wasWhole && whole) return [];
  if (wasWhole) return ["it was for the whole order, now for a part"];
  if (whole && recorded.kind === "rollback_part") return ["it was for a part of the order, now for the whole"];
  return lineDifferences(recorded.lines, lines);
}

function otherOrder(recorded: RecordedOperation, orderId: string | undefined): Decision {
  return rollbackDiffers(recorded, [`it was for ${named(recorded.orderId)}, now for ${named(orderId)}`]);
}

function rollbackDiffers({ operationId }: RecordedOperation, differences: readonly string[]): Decision {
  return refused({ reason: "content_differs", field: "rollback_id", id: operationId, differences });
}

function named(orderId: string | undefined): string {
  return orderId === undefined ? "no order" : `order ${orderId}`;
}

function refused(refusal: Refusal): Decision {
  return { ok: false, refusal };
}

function available(level: Level | undefined): number {
  return level === undefined ? 0 : level.onHand - level.reserved;
}

function unknownGoods(snapshot: Snapshot, lines: readonly Line[]): number[] {
  return lines.map((line) => line.goodsId).filter((goodsId) => snapshot.levels.get(goodsId)?.deleted !== false);
}

function overflowingGoods(snapshot: Snapshot, lines: readonly Line[]): number[] {
  return lines
    .filter(({ goodsId, num }) => (snapshot.levels.get(goodsId)?.onHand ?? 0) + num > INT32_MAX)
    .map((line) => line.goodsId);
}
