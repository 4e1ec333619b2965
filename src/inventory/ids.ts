/**
 * What an operation is known by: ids that callers choose, ids that are derived where the caller gave none,
 * and the goods and records that must be read before it can be decided. Pure.
 */
import { createHash } from "node:crypto";
import type { Line, Operation, Order } from "./model.ts";

/** What a caller's order_id or rollback_id looks like. */
export const ID_PATTERN = /^[A-Za-z0-9._:-]{1,64}$/;
/** A character that none of them has. */
export const NOT_OF_AN_ID = /[^A-Za-z0-9._:-]/;

/**
 * The id of a rollback that came without one: the same part of the same order is the same rollback, and
 * the whole order (no lines) is rolled back once.
 *
 * Its `~` is outside {@link ID_PATTERN}, so it never meets an id that a caller chose. The hash only keeps
 * it short; two parts that collide would need a broken SHA-256.
 */
export function derivedRollbackId(orderId: string, lines: readonly Line[]): string {
  if (lines.length === 0) return `whole~${orderId}`;
  const part = lines.map(({ goodsId, num }) => `${goodsId}x${num}`).join(",");
  return `part~${orderId}~${createHash("sha256").update(part).digest("hex")}`;
}

/** Ids under which the operation may be on record, as an order or as an operation; to be read before it is decided. */
export function recordIds(operation: Operation): { readonly orderIds: string[]; readonly operationIds: string[] } {
  switch (operation.kind) {
    case "set":
    case "give_back":
      return { orderIds: [], operationIds: [operation.operationId] };
    case "sell":
      return { orderIds: [operation.orderId], operationIds: [] };
    case "rollback": {
      const { orderId, rollbackId, lines } = operation;
      if (rollbackId !== undefined) return { orderIds: [orderId], operationIds: [rollbackId] };
      // Lines that are exactly what was sold mean the whole order; only the order can tell.
      const ids = new Set([derivedRollbackId(orderId, []), derivedRollbackId(orderId, lines)]);
      return { orderIds: [orderId], operationIds: [...ids] };
    }
  }
}

/**
 * Goods that the operation may move, sorted. A rollback moves its order's goods: `order` is that order as
 * last read, undefined if it is unknown.
 */
export function goodsOf(operation: Operation, order: Order | undefined): number[] {
  switch (operation.kind) {
    case "set":
      return [operation.goodsId];
    case "sell":
    case "give_back":
      return operation.lines.map((line) => line.goodsId);
    case "rollback":
      return order === undefined ? [] : order.lines.map((line) => line.goodsId);
  }
}
