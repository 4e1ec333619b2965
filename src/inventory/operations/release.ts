/** A hold is given up by its buyer; one that was never reserved is barred. */
import { keysOfLines } from "../lines.ts";
import type { Order } from "../model.ts";
import { REFUSED, REPEATED, stateAt, stateRule } from "../states.ts";
import { NO_EFFECT, type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface ReleaseOperation extends Operated {
  readonly kind: "release";
  readonly orderId: string;
}

/** Its rules. */
export const RELEASE: OperationRules<ReleaseOperation> = {
  takesOnly: false,
  keysNeedOrder: true,

  lineCount: () => 1,

  changedOrder: ({ orderId }) => orderId,

  keysOf: (_, order) => order === undefined ? [] : keysOfLines(order.lines),

  records: ({ orderId }) => ({ orderIds: [orderId] }),

  decide(snapshot, { orderId }) {
    const known = snapshot.orders.get(orderId);
    const state = stateAt(known, snapshot.atMs);
    const rule = stateRule("release", state);
    if (known === undefined || state === undefined) {
      const barred: Order = { orderId, state: "barred", lines: [], returned: [], atMs: snapshot.atMs };
      return { ok: true, effect: { steps: [], order: barred }, answer: { ok: true, kind: "hold", order: barred } };
    }
    if (rule === REFUSED) return refused({ reason: "order_state", orderId, state });
    if (rule === REPEATED) {
      return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "hold", order: known, replayed: true } };
    }
    const order: Order = { ...known, state: "released" };
    // What an expired one had is off the levels already.
    const lines = state === "held" ? known.lines.filter(({ num }) => num > 0) : [];
    const steps = lines.map(({ goodsId, locationId, num }) => ({
      goodsId,
      locationId,
      onHandDelta: 0,
      reservedDelta: -num,
    }));
    return { ok: true, effect: { steps, order }, answer: { ok: true, kind: "hold", order } };
  },
};
