/** Somebody counted the units at a moment: they are as many as that, and what moved since. */
import { INT32_MAX, momentKey } from "../model.ts";
import { keyOf } from "../stock_key.ts";
import { spare } from "./adjust.ts";
import { decideRecorded } from "./recorded.ts";
import { type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface CountOperation extends Operated {
  readonly kind: "count";
  readonly operationId: string;
  readonly goodsId: number;
  readonly locationId: number;
  /** Units that were counted, on hand; 0 or more. */
  readonly num: number;
  /** When, in ms since 1970, in the past; absent: now. */
  readonly occurredAtMs?: number;
}

/** Its rules. A count that finds nothing changed is recorded and moves nothing. */
export const COUNT: OperationRules<CountOperation> = {
  takesOnly: false,
  keysNeedOrder: false,

  lineCount: () => 1,

  changedOrder: () => undefined,

  keysOf: (operation) => [keyOf(operation)],

  records: ({ operationId, goodsId, locationId, occurredAtMs }) => ({
    operationIds: [operationId],
    ...(occurredAtMs === undefined ? {} : { moments: [{ goodsId, locationId, atMs: occurredAtMs }] }),
  }),

  decide(snapshot, { operationId, goodsId, locationId, num, occurredAtMs }) {
    const place = { goodsId, locationId };
    const lines = [{ ...place, num }];
    const content = occurredAtMs === undefined ? {} : { occurred_at_ms: occurredAtMs };
    const recorded = snapshot.operations.get(operationId);
    if (recorded !== undefined) return decideRecorded(recorded, { kind: "count", lines, content });
    const level = snapshot.levels.get(keyOf(place));
    if (level?.deleted !== false) return refused({ reason: "unknown_goods", places: [place] });
    const then = occurredAtMs === undefined
      ? level.onHand
      : snapshot.moments?.get(momentKey(keyOf(place), occurredAtMs)) ?? 0;
    const delta = num - then;
    if (level.onHand + delta > INT32_MAX) return refused({ reason: "out_of_range", places: [place] });
    if (-delta > spare(level)) {
      return refused({ reason: "short_stock", lines: [{ ...place, asked: -delta, available: spare(level) }] });
    }
    const after = delta === 0 ? level : { ...level, onHand: level.onHand + delta, version: level.version + 1 };
    const step = { ...place, onHandDelta: delta, reservedDelta: 0 };
    return {
      ok: true,
      effect: {
        steps: delta === 0 ? [] : [occurredAtMs === undefined ? step : { ...step, occurredAtMs }],
        operation: { operationId, kind: "count", orderId: undefined, lines, content, levels: [after] },
      },
      answer: { ok: true, kind: "stock", operationId, levels: [after] },
    };
  },
};
