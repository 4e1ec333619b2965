/** A hold gets more time. */
import { keysOfLines } from "../lines.ts";
import type { Order } from "../model.ts";
import { REFUSED, stateAt, stateRule } from "../states.ts";
import { defaultTtlMs } from "./reserve.ts";
import { NO_EFFECT, type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface ExtendOperation extends Operated {
  readonly kind: "extend";
  readonly orderId: string;
  /** How long it lasts from now on, in ms; absent: as of a new one. One that lasts longer already stays so. */
  readonly ttlMs?: number;
}

/** Its rules. Each of its goods has a movement without a delta, which meets whoever takes the hold for expired. */
export const EXTEND: OperationRules<ExtendOperation> = {
  takesOnly: false,
  keysNeedOrder: true,

  lineCount: () => 1,

  changedOrder: ({ orderId }) => orderId,

  keysOf: (_, order) => order === undefined ? [] : keysOfLines(order.lines),

  records: ({ orderId }) => ({ orderIds: [orderId] }),

  decide(snapshot, { orderId, ttlMs }) {
    const known = snapshot.orders.get(orderId);
    const state = stateAt(known, snapshot.atMs);
    if (known === undefined || state === undefined) return refused({ reason: "unknown_order", orderId });
    if (stateRule("extend", state) === REFUSED) return refused({ reason: "order_state", orderId, state });
    const expiresAtMs = snapshot.atMs + (ttlMs ?? defaultTtlMs(snapshot, known.lines));
    if (expiresAtMs <= (known.expiresAtMs ?? 0)) {
      return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "hold", order: known, replayed: true } };
    }
    const order: Order = { ...known, expiresAtMs };
    const steps = known.lines.filter(({ num }) => num > 0)
      .map(({ goodsId, locationId }) => ({ goodsId, locationId, onHandDelta: 0, reservedDelta: 0 }));
    return { ok: true, effect: { steps, order }, answer: { ok: true, kind: "hold", order } };
  },
};
