/** An order, or a part of it, comes back; one that was never sold is barred. */
import { derivedRollbackId } from "../ids.ts";
import { overflowingPlaces } from "../levels.ts";
import { keysOfLines, sameLines, takenLines, withNums } from "../lines.ts";
import type { Applied, Line, Order, RecordedOperation, Snapshot } from "../model.ts";
import { keyOf } from "../stock_key.ts";
import { REFUSED, stateAt, stateRule } from "../states.ts";
import { givenBack, otherOrder, replayed } from "./given_back.ts";
import { type Decision, NO_EFFECT, type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface RollbackOperation extends Operated {
  readonly kind: "rollback";
  /** The caller's id for it; undefined: the id is derived from the order and the part. */
  readonly rollbackId: string | undefined;
  readonly orderId: string;
  /** The part to give back; none for the whole order. */
  readonly lines: readonly Line[];
}

/** Its rules. What comes back is what the order sold, and so its goods are the order's. */
export const ROLLBACK: OperationRules<RollbackOperation> = {
  takesOnly: false,
  keysNeedOrder: true,

  lineCount: ({ lines }) => Math.max(1, lines.length),

  changedOrder: ({ orderId }) => orderId,

  keysOf: (_, order) => order === undefined ? [] : keysOfLines(order.lines),

  records({ orderId, rollbackId, lines }) {
    if (rollbackId !== undefined) return { orderIds: [orderId], operationIds: [rollbackId] };
    // Lines that are exactly what was sold mean the whole order, which only the order itself can show.
    const ids = new Set([derivedRollbackId(orderId, []), derivedRollbackId(orderId, lines)]);
    return { orderIds: [orderId], operationIds: [...ids] };
  },

  decide(snapshot, { rollbackId, orderId, lines }) {
    const order = snapshot.orders.get(orderId);
    const whole = lines.length === 0 || (order !== undefined && sameLines(lines, takenLines(order.lines)));
    const operationId = rollbackId ?? derivedRollbackId(orderId, whole ? [] : lines);
    const recorded = snapshot.operations.get(operationId);
    if (recorded !== undefined) {
      return recorded.orderId === orderId ? replayed(recorded, whole, lines) : otherOrder(recorded, orderId);
    }
    const state = stateAt(order, snapshot.atMs);
    const rule = stateRule("rollback", state);
    if (order === undefined || state === undefined || state === "barred") {
      return bar(snapshot, orderId, lines, rollbackId, operationId);
    }
    if (rule === REFUSED) return refused({ reason: "order_state", orderId, state });

    const left = withNums(order.lines, order.lines.map(({ num }, i) => num - (order.returned[i] ?? 0)));
    const given: readonly Line[] = whole ? left.filter(({ num }) => num > 0) : lines;
    const returnable = new Map(left.map((line) => [keyOf(line), line.num]));
    const exceeding = given
      .map(({ num, ...place }) => ({ ...place, asked: num, returnable: returnable.get(keyOf(place)) ?? 0 }))
      .filter(({ asked, returnable }) => asked > returnable);
    if (exceeding.length > 0) return refused({ reason: "exceeds_sold", orderId, lines: exceeding });
    const overflowing = overflowingPlaces(snapshot, given);
    if (overflowing.length > 0) return refused({ reason: "out_of_range", of: "on_hand", places: overflowing });

    const operation: RecordedOperation = {
      operationId,
      kind: whole ? "rollback_whole" : "rollback_part",
      orderId,
      lines: given,
    };
    const answer: Applied = { ok: true, kind: "rollback", operationId, given };
    // Nothing is left to give back; an id that the caller chose is taken all the same.
    if (given.length === 0) return { ok: true, effect: rollbackId ? { steps: [], operation } : NO_EFFECT, answer };
    return { ok: true, effect: { steps: givenBack(given), order: afterReturn(order, given), operation }, answer };
  },
};

/** The order after so much of it has come back. */
function afterReturn(order: Order, given: readonly Line[]): Order {
  const back = new Map(given.map((line) => [keyOf(line), line.num]));
  const returned = order.lines.map((line, i) => (order.returned[i] ?? 0) + (back.get(keyOf(line)) ?? 0));
  const all = order.lines.every(({ num }, i) => returned[i] === num);
  return { ...order, state: all ? "rolled_back" : "sold", returned };
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
