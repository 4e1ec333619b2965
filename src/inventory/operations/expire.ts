/**
 * The service's own: a hold whose time is up is written down as expired. It changes nothing that decides anything: its
 * units count as free from that moment on, and `settle` takes them off the levels whenever it meets them.
 */
import { keysOfLines } from "../lines.ts";
import type { Order } from "../model.ts";
import { stateAt, stateRule } from "../states.ts";
import { NO_EFFECT, type Operated, type OperationRules } from "./rules.ts";

/** The operation. */
export interface ExpireOperation extends Operated {
  readonly kind: "expire";
  readonly orderId: string;
  /** The order as it was read just now; what it comes to is decided on the snapshot all the same. */
  readonly read?: Order;
}

/** Its rules. */
export const EXPIRE: OperationRules<ExpireOperation> = {
  takesOnly: false,
  keysNeedOrder: true,

  orderRead: ({ read }) => read,

  lineCount: () => 1,

  changedOrder: ({ orderId }) => orderId,

  keysOf: (_, order) => order?.state === "held" ? keysOfLines(order.lines) : [],

  records: ({ orderId }) => ({ orderIds: [orderId] }),

  decide(snapshot, { orderId }) {
    const known = snapshot.orders.get(orderId);
    const state = stateAt(known, snapshot.atMs);
    const isDue = known?.state === "held" && typeof stateRule("expire", state) !== "string";
    return {
      ok: true,
      effect: isDue ? { steps: [], order: { ...known, state: "expired" } } : NO_EFFECT,
      answer: { ok: true, kind: "expired" },
    };
  },
};
