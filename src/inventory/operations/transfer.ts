/** Units go from one location to another, all lines or none. */
import { unknownPlaces } from "../levels.ts";
import { keysOfLines } from "../lines.ts";
import { INT32_MAX, type Level, type Line, type Snapshot } from "../model.ts";
import { compareKeys, comparePlaces, keyOf, type Place } from "../stock_key.ts";
import { type Expecting, unexpected } from "./expected.ts";
import { decideRecorded } from "./recorded.ts";
import { type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface TransferOperation extends Operated, Expecting {
  readonly kind: "transfer";
  readonly operationId: string;
  /** Another than that of the lines. */
  readonly toLocationId: number;
  /** At least one, all at the location that they leave. */
  readonly lines: readonly Line[];
}

/** Its rules. What is reserved stays where it is. A goods that never was at the other location is there from now on. */
export const TRANSFER: OperationRules<TransferOperation> = {
  takesOnly: false,
  keysNeedOrder: false,

  lineCount: ({ lines }) => 2 * lines.length,

  changedOrder: () => undefined,

  keysOf: ({ lines, toLocationId }) =>
    [...keysOfLines(lines), ...lines.map((line) => keyOf(moved(line, toLocationId)))].sort(compareKeys),

  records: ({ operationId }) => ({ operationIds: [operationId] }),

  decide(snapshot, operation) {
    const { operationId, toLocationId, lines } = operation;
    const content = { to_location_id: toLocationId };
    const recorded = snapshot.operations.get(operationId);
    if (recorded !== undefined) return decideRecorded(recorded, { kind: "transfer", lines, content });
    const targets = lines.map((line) => moved(line, toLocationId));
    const unknown = [
      ...unknownPlaces(snapshot, lines),
      ...targets.filter((place) => snapshot.levels.get(keyOf(place))?.deleted === true),
    ];
    if (unknown.length > 0) return refused({ reason: "unknown_goods", places: unknown });
    const changed = unexpected(snapshot, operation);
    if (changed !== undefined) return changed;
    const short = lines
      .map(({ num, ...place }) => ({ ...place, asked: num, available: free(snapshot, place) }))
      .filter(({ asked, available }) => asked > available);
    if (short.length > 0) return refused({ reason: "short_stock", lines: short });
    const over = targets.filter((place, i) => (onHand(snapshot, place) + (lines[i]?.num ?? 0)) > INT32_MAX);
    if (over.length > 0) return refused({ reason: "out_of_range", of: "on_hand", places: over });
    const steps = lines.flatMap(({ num, ...from }) => [
      { ...from, onHandDelta: -num, reservedDelta: 0 },
      { ...moved(from, toLocationId), onHandDelta: num, reservedDelta: 0, opens: true as const },
    ]).sort(comparePlaces);
    const levels = steps.map((step): Level => {
      const { goodsId, locationId } = step;
      const before = snapshot.levels.get(keyOf(step)) ??
        { goodsId, locationId, onHand: 0, reserved: 0, version: 0, deleted: false };
      return { ...before, onHand: before.onHand + step.onHandDelta, version: before.version + 1 };
    });
    return {
      ok: true,
      effect: {
        steps,
        operation: { operationId, kind: "transfer", orderId: undefined, lines, content, levels },
      },
      answer: { ok: true, kind: "stock", operationId, levels },
    };
  },
};

function moved({ goodsId }: Place, toLocationId: number): Place {
  return { goodsId, locationId: toLocationId };
}

function onHand({ levels }: Snapshot, place: Place): number {
  return levels.get(keyOf(place))?.onHand ?? 0;
}

/** Units that nobody is promised. */
function free({ levels }: Snapshot, place: Place): number {
  const level = levels.get(keyOf(place));
  return level === undefined ? 0 : Math.max(0, level.onHand - level.reserved);
}
