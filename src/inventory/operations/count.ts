/**
 * Somebody counted the units at a moment: they are as many as that, and what moved since. It lands as if it had come at
 * that moment, whatever came meanwhile: where somebody has said since how many there are, by a set or by a count of a
 * later moment, that stands.
 */
import { invariant } from "../../base/invariant.ts";
import { INT32_MAX, type Level, momentKey, type Snapshot } from "../model.ts";
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

/** Its rules. A count that finds nothing changed is a movement without a delta: that somebody looked, and when. */
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

  looksBack: ({ occurredAtMs }) => occurredAtMs !== undefined,

  decide(snapshot, { operationId, goodsId, locationId, num, occurredAtMs }) {
    const place = { goodsId, locationId };
    const lines = [{ ...place, num }];
    const content = occurredAtMs === undefined ? {} : { occurred_at_ms: occurredAtMs };
    const recorded = snapshot.operations.get(operationId);
    if (recorded !== undefined) return decideRecorded(recorded, { kind: "count", lines, content });
    const level = snapshot.levels.get(keyOf(place));
    if (level?.deleted !== false) return refused({ reason: "unknown_goods", places: [place] });
    // By the database's clock; one that is of the future by it is of now.
    const earlierMs = occurredAtMs !== undefined && occurredAtMs < snapshot.atMs ? occurredAtMs : undefined;
    const expected = earlierMs === undefined ? level.onHand : onHandAt(snapshot, level, earlierMs);
    const delta = expected === undefined ? 0 : num - expected;
    if (level.onHand + delta > INT32_MAX) return refused({ reason: "out_of_range", of: "on_hand", places: [place] });
    if (delta > INT32_MAX) return refused({ reason: "out_of_range", of: "rise", places: [place] });
    if (-delta > spare(level)) {
      return refused({ reason: "short_stock", lines: [{ ...place, asked: -delta, available: spare(level) }] });
    }
    const after = { ...level, onHand: level.onHand + delta, version: level.version + 1 };
    const step = { ...place, onHandDelta: delta, reservedDelta: 0 };
    return {
      ok: true,
      effect: {
        steps: [earlierMs === undefined ? step : { ...step, occurredAtMs: earlierMs }],
        operation: { operationId, kind: "count", orderId: undefined, lines, content, levels: [after] },
      },
      answer: { ok: true, kind: "stock", operationId, levels: [after] },
    };
  },
};

/** How many were on hand then; undefined: what was said since stands. */
function onHandAt({ moments }: Snapshot, level: Level, atMs: number): number | undefined {
  const key = momentKey(keyOf(level), atMs);
  invariant(moments?.has(key) === true, "what was on hand at the moment of a count was not read");
  return moments.get(key);
}
