/**
 * The rules of stock: what one operation comes to on a given book. Pure; the only place where a sale, a
 * rollback or a set is allowed or refused.
 *
 * Each function first refuses, most basic reason first, and then describes the effect. It changes nothing
 * itself: `settle` applies effects to the book that the next operation sees.
 */
import { derivedRollbackId } from "./ids.ts";
import { lineDifferences, sameLines } from "./lines.ts";
import {
  type Applied,
  type Book,
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
} from "./model.ts";

/** One goods' share of an effect. A goods that is not in the book starts at zero. */
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
export function decide(book: Book, operation: Operation): Decision {
  switch (operation.kind) {
    case "set":
      return decideSet(book, operation);
    case "sell":
      return decideSell(book, operation);
    case "rollback":
      return decideRollback(book, operation);
    case "give_back":
      return decideGiveBack(book, operation);
  }
}

function decideSet(book: Book, { operationId, goodsId, num }: SetOperation): Decision {
  const level = book.levels.get(goodsId);
  if (level !== undefined && book.operations.has(operationId)) return stands(level);
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

function decideSell(book: Book, { orderId, lines }: SellOperation): Decision {
  const known = book.orders.get(orderId);
  if (known !== undefined) {
    // A barred order was never sold, so there is no content to compare with.
    if (known.state !== "barred" && !sameLines(known.lines, lines)) {
      const differences = lineDifferences(known.lines, lines);
      return refused({ reason: "content_differs", field: "order_id", id: orderId, differences });
    }
    if (known.state !== "sold") return refused({ reason: "order_state", orderId, state: known.state });
    return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "sell", order: known } };
  }
  const unknown = unknownGoods(book, lines);
  if (unknown.length > 0) return refused({ reason: "unknown_goods", goodsIds: unknown });
  const short = lines
    .map(({ goodsId, num }) => ({ goodsId, asked: num, available: available(book.levels.get(goodsId)) }))
    .filter(({ asked, available }) => asked > available);
  if (short.length > 0) return refused({ reason: "short_stock", lines: short });
  const order: Order = { orderId, state: "sold", lines, returned: lines.map(() => 0), atMs: book.atMs };
  return {
    ok: true,
    effect: { steps: lines.map(({ goodsId, num }) => ({ goodsId, onHandDelta: -num, reservedDelta: 0 })), order },
    answer: { ok: true, kind: "sell", order },
  };
}

function decideRollback(book: Book, { rollbackId, orderId, lines }: RollbackOperation): Decision {
  const order = book.orders.get(orderId);
  const whole = lines.length === 0 || (order !== undefined && sameLines(lines, order.lines));
  const operationId = rollbackId ?? derivedRollbackId(orderId, whole ? [] : lines);
  const recorded = book.operations.get(operationId);
  if (recorded !== undefined) {
    return recorded.orderId === orderId ? replayRollback(recorded, whole, lines) : otherOrder(recorded, orderId);
  }
  switch (order?.state) {
    case undefined:
    case "barred":
      return bar(book, orderId, lines, rollbackId, operationId);
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
  const overflowing = overflowingGoods(book, given);
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
  book: Book,
  orderId: string,
  lines: readonly Line[],
  rollbackId: string | undefined,
  operationId: string,
): Decision {
  const answer: Applied = { ok: true, kind: "rollback", operationId, given: [] };
  const operation: RecordedOperation = { operationId, kind: "bar", orderId, lines };
  if (!book.orders.has(orderId)) {
    const order: Order = { orderId, state: "barred", lines: [], returned: [], atMs: book.atMs };
    return { ok: true, effect: { steps: [], order, operation }, answer };
  }
  return { ok: true, effect: rollbackId === undefined ? NO_EFFECT : { steps: [], operation }, answer };
}

function decideGiveBack(book: Book, { operationId, lines }: GiveBackOperation): Decision {
  const recorded = book.operations.get(operationId);
  if (recorded !== undefined) {
    return recorded.kind === "give_back" ? replayRollback(recorded, false, lines) : otherOrder(recorded, undefined);
  }
  const unknown = unknownGoods(book, lines);
  if (unknown.length > 0) return refused({ reason: "unknown_goods", goodsIds: unknown });
  const overflowing = overflowingGoods(book, lines);
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

function unknownGoods(book: Book, lines: readonly Line[]): number[] {
  return lines.map((line) => line.goodsId).filter((goodsId) => book.levels.get(goodsId)?.deleted !== false);
}

function overflowingGoods(book: Book, lines: readonly Line[]): number[] {
  return lines
    .filter(({ goodsId, num }) => (book.levels.get(goodsId)?.onHand ?? 0) + num > INT32_MAX)
    .map((line) => line.goodsId);
}
