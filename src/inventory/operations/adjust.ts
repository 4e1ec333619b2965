/** Units come or go by so many, for a reason. */
import { unknownPlaces } from "../levels.ts";
import { keysOfLines } from "../lines.ts";
import { INT32_MAX, type Level, type Line } from "../model.ts";
import { keyOf } from "../stock_key.ts";
import { type Expecting, unexpected } from "./expected.ts";
import { decideRecorded } from "./recorded.ts";
import { type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface AdjustOperation extends Operated, Expecting {
  readonly kind: "adjust";
  readonly operationId: string;
  /** At least one; a `num` is above or below 0. */
  readonly lines: readonly Line[];
}

/** Its rules. What is reserved stays covered; safety stock is not spared, as it may be that which was damaged. */
export const ADJUST: OperationRules<AdjustOperation> = {
  takesOnly: false,
  keysNeedOrder: false,

  lineCount: ({ lines }) => lines.length,

  changedOrder: () => undefined,

  keysOf: ({ lines }) => keysOfLines(lines),

  records: ({ operationId }) => ({ operationIds: [operationId] }),

  decide(snapshot, operation) {
    const { operationId, lines } = operation;
    const recorded = snapshot.operations.get(operationId);
    if (recorded !== undefined) return decideRecorded(recorded, { kind: "adjust", lines });
    const unknown = unknownPlaces(snapshot, lines);
    if (unknown.length > 0) return refused({ reason: "unknown_goods", places: unknown });
    const changed = unexpected(snapshot, operation);
    if (changed !== undefined) return changed;
    const before = lines.map((line) => snapshot.levels.get(keyOf(line)) as Level);
    const over = lines.filter(({ num }, i) => (before[i] as Level).onHand + num > INT32_MAX)
      .map(({ goodsId, locationId }) => ({ goodsId, locationId }));
    if (over.length > 0) return refused({ reason: "out_of_range", of: "on_hand", places: over });
    const short = lines
      .map(({ num, ...place }, i) => ({ ...place, asked: -num, available: spare(before[i] as Level) }))
      .filter(({ asked, available }) => asked > 0 && asked > available);
    if (short.length > 0) return refused({ reason: "short_stock", lines: short });
    const levels = before.map((level, i) => ({
      ...level,
      onHand: level.onHand + (lines[i]?.num ?? 0),
      version: level.version + 1,
    }));
    return {
      ok: true,
      effect: {
        steps: lines.map(({ num, ...place }) => ({ ...place, onHandDelta: num, reservedDelta: 0 })),
        operation: { operationId, kind: "adjust", orderId: undefined, lines, levels },
      },
      answer: { ok: true, kind: "stock", operationId, levels },
    };
  },
};

/** How many units may go without leaving what is reserved uncovered; below 0 where too many are gone already. */
export function spare({ onHand, reserved, policy }: Level): number {
  return onHand - reserved + (policy?.backorderMax ?? 0);
}
