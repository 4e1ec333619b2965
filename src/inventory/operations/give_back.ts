/** Units come back that belong to no order. */
import { overflowingPlaces, unknownPlaces } from "../levels.ts";
import { keysOfLines } from "../lines.ts";
import type { Line } from "../model.ts";
import { givenBack, otherOrder, replayed } from "./given_back.ts";
import { type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface GiveBackOperation extends Operated {
  readonly kind: "give_back";
  /** The caller's rollback_id, or one that the server made. */
  readonly operationId: string;
  /** At least one. */
  readonly lines: readonly Line[];
}

/** Its rules. */
export const GIVE_BACK: OperationRules<GiveBackOperation> = {
  takesOnly: false,
  keysNeedOrder: false,

  lineCount: ({ lines }) => lines.length,

  changedOrder: () => undefined,

  keysOf: ({ lines }) => keysOfLines(lines),

  records: ({ operationId }) => ({ operationIds: [operationId] }),

  decide(snapshot, { operationId, lines }) {
    const recorded = snapshot.operations.get(operationId);
    if (recorded !== undefined) {
      return recorded.kind === "give_back" ? replayed(recorded, false, lines) : otherOrder(recorded, undefined);
    }
    const unknown = unknownPlaces(snapshot, lines);
    if (unknown.length > 0) return refused({ reason: "unknown_goods", places: unknown });
    const overflowing = overflowingPlaces(snapshot, lines);
    if (overflowing.length > 0) return refused({ reason: "out_of_range", of: "on_hand", places: overflowing });
    return {
      ok: true,
      effect: {
        steps: givenBack(lines),
        operation: { operationId, kind: "give_back", orderId: undefined, lines },
      },
      answer: { ok: true, kind: "rollback", operationId, given: lines },
    };
  },
};
