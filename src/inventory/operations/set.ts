/** The available quantity of a goods becomes a given number. */
import { INT32_MAX, type Level } from "../model.ts";
import { type Decision, NO_EFFECT, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface SetOperation {
  readonly kind: "set";
  /** Made by the server: a set has no id of its caller's. */
  readonly operationId: string;
  readonly goodsId: number;
  /** The quantity to be available, 0 or more. */
  readonly num: number;
}

/** Its rules. It makes a goods that is new, and opens one that is no longer sold. */
export const SET: OperationRules<SetOperation> = {
  takesOnly: false,

  lineCount: () => 1,

  changedOrder: () => undefined,

  goodsOf: ({ goodsId }) => [goodsId],

  recordIds: ({ operationId }) => ({ orderIds: [], operationIds: [operationId] }),

  decide(snapshot, { operationId, goodsId, num }) {
    const level = snapshot.levels.get(goodsId);
    if (level !== undefined && snapshot.operations.has(operationId)) return stands(level);
    const onHand = num + (level?.reserved ?? 0);
    if (onHand > INT32_MAX) return refused({ reason: "out_of_range", goodsIds: [goodsId] });
    if (level !== undefined && !level.deleted && level.onHand === onHand) return stands(level);
    const after: Level = {
      goodsId,
      onHand,
      reserved: level?.reserved ?? 0,
      version: (level?.version ?? 0) + 1,
      deleted: false,
    };
    return {
      ok: true,
      effect: {
        steps: [{ goodsId, onHandDelta: onHand - (level?.onHand ?? 0), reservedDelta: 0, opens: true }],
        operation: { operationId, kind: "set", orderId: undefined, lines: [{ goodsId, num }] },
      },
      answer: { ok: true, kind: "set", level: after },
    };
  },
};

function stands(level: Level): Decision {
  return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "set", level } };
}
