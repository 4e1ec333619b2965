/**
 * Which changes of stock are a reason to read orders anew. A change names the order that it is of; but what is folded
 * into it, where the page was slow, may have been of any order. Pure.
 */
import type { InvChange } from "../../gen/inventory/v1/watch_pb.ts";

/** What of a change is looked at. */
type Named = Pick<InvChange, "orderId" | "folded">;

/** Whether any of them may be of an order. */
export function areOfOrders(changes: readonly Named[]): boolean {
  return changes.some(({ orderId, folded }) => orderId !== "" || folded > 0);
}

/** Whether any of them may be of this order. */
export function areOfOrder(changes: readonly Named[], id: string): boolean {
  return changes.some(({ orderId, folded }) => orderId === id || folded > 0);
}
