/** What an order or an operation is known by: ids that callers choose, and one that is derived where there is none. */
import { createHash } from "node:crypto";
import type { Line } from "./model.ts";
import { keyOf } from "./stock_key.ts";

/** A character that no caller's order_id or rollback_id has. */
export const NOT_OF_AN_ID = /[^A-Za-z0-9._:-]/;

/**
 * The id of a rollback that came without one: the same part of the same order is the same rollback, and
 * the whole order (no lines) is rolled back once.
 *
 * Its `~` is a {@link NOT_OF_AN_ID}, so it never meets an id that a caller chose. The hash only keeps
 * it short; two parts that collide would need a broken SHA-256.
 */
export function derivedRollbackId(orderId: string, lines: readonly Line[]): string {
  if (lines.length === 0) return `whole~${orderId}`;
  const part = lines.map((line) => `${keyOf(line)}x${line.num}`).join(",");
  return `part~${orderId}~${createHash("sha256").update(part).digest("hex")}`;
}
