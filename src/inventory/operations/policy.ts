/** What sales of a goods at a location are bound by becomes something else. */
import type { Policy } from "../model.ts";
import { keyOf } from "../stock_key.ts";
import { type Expecting, unexpected } from "./expected.ts";
import { levelMade, standsAs } from "./recorded.ts";
import { type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface PolicyOperation extends Operated, Expecting {
  readonly kind: "policy";
  /** Made by the server: a policy that is set again is the same. */
  readonly operationId: string;
  readonly goodsId: number;
  readonly locationId: number;
  /** The whole of it. */
  readonly policy: Policy;
}

/** Of a goods that has none. */
export const NO_POLICY: Policy = { safetyStock: 0, backorderMax: 0 };

/** Its rules. A movement without a delta, so that whoever decides under the old policy meets it at the fence. */
export const POLICY: OperationRules<PolicyOperation> = {
  takesOnly: false,
  keysNeedOrder: false,

  lineCount: () => 1,

  changedOrder: () => undefined,

  keysOf: (operation) => [keyOf(operation)],

  records: ({ operationId }) => ({ operationIds: [operationId] }),

  decide(snapshot, operation) {
    const { operationId, goodsId, locationId, policy } = operation;
    const place = { goodsId, locationId };
    const level = snapshot.levels.get(keyOf(place));
    const made = levelMade(snapshot, operationId);
    if (made !== undefined) return standsAs(operationId, made, false);
    if (level === undefined || level.deleted) return refused({ reason: "unknown_goods", places: [place] });
    if (samePolicy(level.policy ?? NO_POLICY, policy)) return standsAs(operationId, level, true);
    const changed = unexpected(snapshot, operation);
    if (changed !== undefined) return changed;
    const free = level.onHand - level.reserved;
    if (free < -policy.backorderMax) return refused({ reason: "below_floor", place, available: free });
    const after = { ...level, policy, version: level.version + 1 };
    return {
      ok: true,
      effect: {
        steps: [{ ...place, onHandDelta: 0, reservedDelta: 0, policy }],
        operation: { operationId, kind: "policy", orderId: undefined, lines: [], levels: [after] },
      },
      answer: { ok: true, kind: "stock", operationId, levels: [after] },
    };
  },
};

function samePolicy(a: Policy, b: Policy): boolean {
  return a.safetyStock === b.safetyStock && a.backorderMax === b.backorderMax && a.orderNumMax === b.orderNumMax &&
    a.buyerNumMax === b.buyerNumMax && a.buyerWindowMs === b.buyerWindowMs && a.lowStockAt === b.lowStockAt &&
    a.lowStockUntil === b.lowStockUntil && a.holdTtlMs === b.holdTtlMs;
}
