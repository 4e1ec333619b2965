/** What can be done to an order in each state, and what that would move. The server alone decides. Pure. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Order, OrderLine } from "../../gen/inventory/v1/holds_pb.ts";
import { OrderState } from "../../gen/inventory/v1/inventory_pb.ts";

/** What the page offers for an order that is there. */
export type OrderAction = "confirm" | "extend" | "release" | "rollback";

/**
 *     held       confirm -> sold, extend -> held, release -> released
 *     expired    confirm -> sold where there is stock still, release -> released: it can't be confirmed any more
 *     sold       rollback -> sold, or rolled back where all of it came back
 *     released, rolled back, barred: none
 */
export const ACTIONS: Readonly<Record<OrderState, readonly OrderAction[]>> = {
  [OrderState.UNSPECIFIED]: [],
  [OrderState.HELD]: ["confirm", "extend", "release"],
  [OrderState.SOLD]: ["rollback"],
  [OrderState.RELEASED]: [],
  [OrderState.EXPIRED]: ["confirm", "release"],
  [OrderState.ROLLED_BACK]: [],
  [OrderState.BARRED]: [],
};

/** What the state of an order is now: one whose time is up has expired, though the page read it before. */
export function stateAt({ state, expiresAt }: Order, nowMs: number): OrderState {
  const isOver = state === OrderState.HELD && expiresAt !== undefined && timestampMs(expiresAt) <= nowMs;
  return isOver ? OrderState.EXPIRED : state;
}

/** What one line of it would move: units by which what is on hand, reserved and available changes. */
export interface Effect {
  readonly line: OrderLine;
  readonly num: number;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
}

/** How many of a line an action can be about at most. */
export function mostOf(action: OrderAction, line: OrderLine): number {
  if (action === "rollback") return line.num - line.returned;
  return action === "extend" ? 0 : line.num;
}

/**
 * What an action moves, with so many of each line; a line without a number is taken whole.
 * @param state as {@link stateAt} has it
 */
export function effectsOf(
  action: OrderAction,
  { lines }: Pick<Order, "lines">,
  state: OrderState,
  nums: ReadonlyMap<OrderLine, number> = new Map(),
): Effect[] {
  // What an expired hold had is free already.
  const isLive = state === OrderState.HELD;
  return lines.map((line) => {
    const num = nums.get(line) ?? mostOf(action, line);
    const reserved = isLive && (action === "confirm" || action === "release") ? -line.num : 0;
    const onHand = action === "confirm" ? -num : action === "rollback" ? num : 0;
    return { line, num, onHand, reserved: reserved + 0, available: onHand - reserved };
  });
}
