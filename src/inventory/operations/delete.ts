/** A goods is no longer sold at a location, or is again. Its history stays. */
import { keyOf } from "../stock_key.ts";
import { type Expecting, unexpected } from "./expected.ts";
import { levelMade, standsAs } from "./recorded.ts";
import { type Operated, type OperationRules, refused } from "./rules.ts";

/** The operation that closes. */
export interface DeleteOperation extends Operated, Expecting {
  readonly kind: "delete";
  /** Made by the server: what is deleted stays so. */
  readonly operationId: string;
  readonly goodsId: number;
  readonly locationId: number;
}

/** The operation that opens again what was deleted. */
export interface RestoreOperation extends Omit<DeleteOperation, "kind"> {
  readonly kind: "restore";
}

/** Rules of the first. Refused while live holds have units of it. */
export const DELETE: OperationRules<DeleteOperation> = changesDeleted(true);

/** Rules of the second. */
export const RESTORE: OperationRules<RestoreOperation> = changesDeleted(false);

function changesDeleted(deleted: boolean): OperationRules<DeleteOperation | RestoreOperation> {
  return {
    takesOnly: false,
    keysNeedOrder: false,

    lineCount: () => 1,

    changedOrder: () => undefined,

    keysOf: (operation) => [keyOf(operation)],

    records: ({ operationId }) => ({ operationIds: [operationId] }),

    decide(snapshot, operation) {
      const { kind, operationId, goodsId, locationId } = operation;
      const place = { goodsId, locationId };
      const level = snapshot.levels.get(keyOf(place));
      if (level === undefined) return refused({ reason: "unknown_goods", places: [place] });
      const made = levelMade(snapshot, operationId);
      if (made !== undefined) return standsAs(operationId, made, false);
      if (level.deleted === deleted) return standsAs(operationId, level, true);
      const changed = unexpected(snapshot, operation);
      if (changed !== undefined) return changed;
      if (deleted && level.reserved > 0) return refused({ reason: "has_holds", place, reserved: level.reserved });
      const step = { ...place, onHandDelta: 0, reservedDelta: 0 };
      const after = { ...level, deleted, version: level.version + 1 };
      return {
        ok: true,
        effect: {
          steps: [deleted ? { ...step, closes: true } : { ...step, opens: true }],
          operation: { operationId, kind, orderId: undefined, lines: [], levels: [after] },
        },
        answer: { ok: true, kind: "stock", operationId, levels: [after] },
      };
    },
  };
}
