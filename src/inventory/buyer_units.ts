/** Which units of an order count against the most that one buyer may take of a goods. Pure. */
import type { Order, Policy } from "./model.ts";
import { stateAt } from "./states.ts";

/**
 * How many units of line `i` of the order its buyer has at the moment `atMs`: of a live hold all, however old it is, as
 * they may be paid at any moment; of a sale what has not come back, as far as the policy's window goes back.
 */
export function buyerUnits(order: Order, i: number, { buyerWindowMs }: Policy, atMs: number): number {
  const state = stateAt(order, atMs);
  if (state !== "held" && state !== "sold" && state !== "rolled_back") return 0;
  if (state !== "held" && isBeforeWindow(order, buyerWindowMs, atMs)) return 0;
  return (order.lines[i]?.num ?? 0) - (order.returned[i] ?? 0);
}

/** Whether the order took its units before a window that ends at `atMs`; without a window it never did. */
export function isBeforeWindow({ atMs: takenMs }: Order, windowMs: number | undefined, atMs: number): boolean {
  return windowMs !== undefined && takenMs <= atMs - windowMs;
}
