/** Which units of an order count against the most that one buyer may take of a goods. Pure. */
import type { Order, Policy } from "./model.ts";
import { stateAt } from "./states.ts";

/**
 * How many units of line `i` of the order its buyer has at the moment `atMs`, as far as the policy's window goes back;
 * what came back, and what a hold had whose time is up, is not the buyer's.
 */
export function buyerUnits(order: Order, i: number, { buyerWindowMs }: Policy, atMs: number): number {
  const state = stateAt(order, atMs);
  if (state !== "held" && state !== "sold" && state !== "rolled_back") return 0;
  if (buyerWindowMs !== undefined && order.atMs <= atMs - buyerWindowMs) return 0;
  return (order.lines[i]?.num ?? 0) - (order.returned[i] ?? 0);
}
