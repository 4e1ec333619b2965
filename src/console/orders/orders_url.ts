/** What the page of orders lists, as its address says it. Pure. */
import { OrderState } from "../../gen/inventory/v1/inventory_pb.ts";
import { dayOf } from "../parts/days.ts";

/** State of the list. */
export interface OrdersView {
  /** All orders, or the shortfalls that wait for somebody. */
  readonly list: "orders" | "shortfalls";
  readonly buyer: string;
  /** A goods as people name it: its id or its SKU. */
  readonly goods: string;
  /** None: in any state. */
  readonly states: readonly OrderState[];
  /** Days, the first and the last; absent: no bound. */
  readonly since?: string;
  readonly until?: string;
}

/** All states there are. */
export const STATES: readonly OrderState[] = Object.values(OrderState).filter((state): state is OrderState =>
  typeof state === "number" && state !== OrderState.UNSPECIFIED
);

/** What the address says; what it says wrongly is left out. */
export function readOrdersView(query: URLSearchParams): OrdersView {
  const states = (query.get("state") ?? "").split(",")
    .map((name) => STATES.find((state) => stateName(state) === name))
    .filter((state) => state !== undefined);
  const since = dayOf(query.get("since"));
  const until = dayOf(query.get("until"));
  return {
    list: query.get("list") === "shortfalls" ? "shortfalls" : "orders",
    buyer: query.get("buyer") ?? "",
    goods: query.get("goods") ?? "",
    states: [...new Set(states)],
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

/** The address of it, without what is as it is anyhow. */
export function ordersAddress({ list, buyer, goods, states, since, until }: OrdersView): string {
  const query = new URLSearchParams();
  if (list !== "orders") query.set("list", list);
  if (buyer !== "") query.set("buyer", buyer);
  if (goods !== "") query.set("goods", goods);
  if (states.length > 0) query.set("state", states.map(stateName).join(","));
  if (since !== undefined) query.set("since", since);
  if (until !== undefined) query.set("until", until);
  return `/orders${query.size === 0 ? "" : `?${query}`}`;
}

/** The address of one order. */
export function orderAddress(orderId: string): string {
  return `/orders/${encodeURIComponent(orderId)}`;
}

/** A state as addresses name it. */
export function stateName(state: OrderState): string {
  return (OrderState[state] ?? "").toLowerCase();
}
