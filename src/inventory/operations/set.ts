/** The available quantity of a goods becomes a given number. */
import { INT32_MAX, type Level } from "../model.ts";
import { keyOf } from "../stock_key.ts";
import { spare } from "./adjust.ts";
import { levelMade } from "./recorded.ts";
import { type Decision, NO_EFFECT, type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation. */
export interface SetOperation extends Operated {
  readonly kind: "set";
  /** Made by the server: a set has no id of its caller's. */
  readonly operationId: string;
  readonly goodsId: number;
  readonly locationId: number;
  /** The quantity to be available, or on hand; 0 or more. */
  readonly num: number;
  /** Which of them; absent: available. */
  readonly basis?: "available" | "on_hand";
  /** Only if the goods stands at this version, 0 for one that is new. */
  readonly expectedVersion?: number;
  /** Only if so many are available, or on hand, by `basis`; 0 for a goods that is new. */
  readonly expectedNum?: number;
}

/** Its rules. It makes a goods that is new, and opens one that is no longer sold. */
export const SET: OperationRules<SetOperation> = {
  takesOnly: false,
  keysNeedOrder: false,

  lineCount: () => 1,

  changedOrder: () => undefined,

  keysOf: (operation) => [keyOf(operation)],

  records: ({ operationId }) => ({ operationIds: [operationId] }),

  decide(snapshot, { operationId, goodsId, locationId, num, basis = "available", expectedVersion, expectedNum }) {
    const place = { goodsId, locationId };
    const level = snapshot.levels.get(keyOf(place));
    const made = levelMade(snapshot, operationId);
    if (made !== undefined) return stands(made);
    const withheld = basis === "on_hand" ? 0 : (level?.reserved ?? 0) + (level?.policy?.safetyStock ?? 0);
    const stood = (level?.onHand ?? 0) - withheld;
    if ((expectedVersion ?? level?.version ?? 0) !== (level?.version ?? 0) || (expectedNum ?? stood) !== stood) {
      return refused({ reason: "not_as_expected", place, level });
    }
    const onHand = num + withheld;
    if (onHand > INT32_MAX) return refused({ reason: "out_of_range", of: "on_hand", places: [place] });
    if (onHand - (level?.onHand ?? 0) > INT32_MAX) {
      return refused({ reason: "out_of_range", of: "rise", places: [place] });
    }
    if (level !== undefined && -(onHand - level.onHand) > spare(level)) {
      const asked = level.onHand - onHand;
      return refused({ reason: "short_stock", lines: [{ ...place, asked, available: spare(level) }] });
    }
    if (level !== undefined && !level.deleted && level.onHand === onHand) return stands(level);
    const after: Level = {
      ...place,
      onHand,
      reserved: level?.reserved ?? 0,
      version: (level?.version ?? 0) + 1,
      deleted: false,
      ...(level?.policy === undefined ? {} : { policy: level.policy }),
    };
    return {
      ok: true,
      effect: {
        steps: [{ ...place, onHandDelta: onHand - (level?.onHand ?? 0), reservedDelta: 0, opens: true }],
        operation: { operationId, kind: "set", orderId: undefined, lines: [{ ...place, num }], levels: [after] },
      },
      answer: { ok: true, kind: "set", level: after },
    };
  },
};

function stands(level: Level): Decision {
  return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "set", level } };
}
