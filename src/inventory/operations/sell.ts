/** An order takes its lines, all or none. */
import { invariant } from "../../base/invariant.ts";
import { available, unknownGoods } from "../levels.ts";
import { lineDifferences, sameLines } from "../lines.ts";
import type { Line, Order } from "../model.ts";
import { REFUSED, REPEATED, stateRule } from "../states.ts";
import { type Decision, NO_EFFECT, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface SellOperation {
  readonly kind: "sell";
  readonly orderId: string;
  /** At least one. */
  readonly lines: readonly Line[];
}

/** Its rules. */
export const SELL: OperationRules<SellOperation> = {
  takesOnly: true,

  lineCount: ({ lines }) => lines.length,

  changedOrder: () => undefined,

  goodsOf: ({ lines }) => lines.map((line) => line.goodsId),

  recordIds: ({ orderId }) => ({ orderIds: [orderId], operationIds: [] }),

  decide(snapshot, { orderId, lines }) {
    const known = snapshot.orders.get(orderId);
    if (known !== undefined) return decideKnown(known, lines);
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
  },
};

/** The order is on record: its first answer again, or why there is none. */
function decideKnown(known: Order, lines: readonly Line[]): Decision {
  const { orderId, state } = known;
  const rule = stateRule("sell", state);
  // A barred order was never sold, so there is no content to compare with.
  if (state !== "barred" && !sameLines(known.lines, lines)) {
    const differences = lineDifferences(known.lines, lines);
    return refused({ reason: "content_differs", field: "order_id", id: orderId, differences });
  }
  if (rule === REFUSED) return refused({ reason: "order_state", orderId, state });
  invariant(rule === REPEATED, "an order that is on record is not sold anew");
  return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "sell", order: known } };
}
