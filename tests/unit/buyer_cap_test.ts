/** What one buyer may take: what counts, for how long, and within one batch. */
import { assertEquals } from "@std/assert";
import { type Order, type OrderState, type Policy, type Snapshot, takenKey } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { settle } from "../../src/inventory/settle.ts";

const NOW = 1_000_000;
const WINDOW = 1000;
const CAP: Policy = { safetyStock: 0, backorderMax: 0, buyerNumMax: 3, buyerWindowMs: WINDOW };

function on(taken: number, orders: readonly Order[] = [], policy: Policy = CAP, reserved = 0): Snapshot {
  const goods = { goodsId: 1, locationId: 0, onHand: 100, reserved, version: 1, deleted: false, policy };
  return {
    atMs: NOW,
    levels: new Map([[1, goods]]),
    orders: new Map(orders.map((order) => [order.orderId, order])),
    operations: new Map(),
    taken: new Map([[takenKey(1, "b"), taken], [takenKey(1, "c"), 0]]),
  };
}

function order(orderId: string, state: OrderState, num: number, more: Partial<Order> = {}): Order {
  const lines = [{ goodsId: 1, locationId: 0, num }];
  return { orderId, state, lines, returned: [0], atMs: NOW - 1, buyerId: "b", ...more };
}

function held(orderId: string, num: number, more: Partial<Order> = {}): Order {
  return order(orderId, "held", num, { held: [num], expiresAtMs: NOW + 1, ...more });
}

function sell(orderId: string, num: number, buyerId?: string): Operation {
  const lines = [{ goodsId: 1, locationId: 0, num }];
  return { kind: "sell", orderId, lines, ...(buyerId === undefined ? {} : { buyerId }) };
}

function reserve(orderId: string, num: number, buyerId = "b"): Operation {
  return { kind: "reserve", orderId, lines: [{ goodsId: 1, locationId: 0, num }], ttlMs: 50, buyerId };
}

/** "ok", or what each was refused for: the reason, and how many the buyer has already. */
function come(snapshot: Snapshot, ...operations: Operation[]): unknown[] {
  return settle(snapshot, operations).verdicts.map((verdict) => {
    if (verdict.ok) return "ok";
    const { refusal } = verdict;
    return refusal.reason === "over_limit" ? [refusal.limit, refusal.lines[0]!.taken] : refusal.reason;
  });
}

Deno.test("a buyer gets as many as the policy says, over all orders", () => {
  assertEquals(come(on(0), sell("x", 3, "b")), ["ok"]);
  assertEquals(come(on(0), sell("x", 4, "b")), [["buyer", 0]]);
  assertEquals(come(on(2), sell("x", 1, "b"), sell("y", 1, "b"), sell("z", 3, "c")), ["ok", ["buyer", 3], "ok"]);
});

Deno.test("whose units are limited must say who they are", () => {
  assertEquals(come(on(0), sell("x", 1)), ["buyer_required"]);
});

Deno.test("holds count, and reserving anew is not blocked by itself", () => {
  assertEquals(come(on(0), reserve("x", 2), reserve("y", 2), sell("z", 1, "b")), ["ok", ["buyer", 2], "ok"]);
  assertEquals(come(on(3, [held("x", 3)], CAP, 3), reserve("x", 2)), ["ok"]);
  assertEquals(come(on(3, [held("x", 3)], CAP, 3), reserve("x", 4)), [["buyer", 0]]);
});

const CONFIRM: Operation = { kind: "confirm", orderId: "x", lines: [], recordsShortfall: false };

Deno.test("a live hold counts however old it is, and reserved anew it does not block itself", () => {
  const old = held("x", 2, { atMs: NOW - WINDOW });
  assertEquals(come(on(3, [old], CAP, 2), sell("y", 1, "b"), reserve("x", 3)), [["buyer", 3], ["buyer", 1]]);
  assertEquals(come(on(3, [old], CAP, 2), reserve("x", 2)), ["ok"]);
  // Its buyer has it no more.
  assertEquals(come(on(2, [old], CAP, 2), reserve("x", 1, "c"), sell("y", 3, "b")), ["ok"]);
});

Deno.test("a hold that is older than the window is a sale of the moment at which it is confirmed", () => {
  for (const [atMs, soldMs] of [[NOW - WINDOW, NOW], [NOW - WINDOW + 1, NOW - WINDOW + 1]] as const) {
    const hold = held("x", 3, { atMs });
    assertEquals(settle(on(3, [hold], CAP, 3), [CONFIRM]).changes.orders[0]!.after.atMs, soldMs);
    assertEquals(come(on(3, [hold], CAP, 3), CONFIRM, sell("y", 1, "b")), ["ok", ["buyer", 3]]);
  }
  const { buyerId: _, ...nobodys } = held("x", 3, { atMs: 0 });
  assertEquals(settle(on(0, [nobodys], CAP, 3), [CONFIRM]).changes.orders[0]!.after.atMs, 0);
});

Deno.test("what is reserved anew, or confirmed after its time, counts from then on", () => {
  const old = held("x", 3, { atMs: NOW - WINDOW });
  assertEquals(come(on(3, [old], CAP, 3), reserve("x", 3), sell("y", 1, "b")), ["ok", ["buyer", 3]]);
  const over = held("x", 3, { atMs: NOW - WINDOW, expiresAtMs: NOW - 1 });
  const { changes } = settle(on(0, [over]), [CONFIRM]);
  assertEquals(changes.orders[0]!.after.atMs, NOW);
  assertEquals(come(on(0, [over]), CONFIRM, sell("y", 1, "b")), ["ok", ["buyer", 3]]);
});

Deno.test("what comes back counts no more, and of what is older than the window nothing is taken off", () => {
  const rollback = (orderId: string): Operation => ({ kind: "rollback", rollbackId: undefined, orderId, lines: [] });
  // In its own batch the sale waits until the rollback is committed.
  assertEquals(come(on(3, [order("x", "sold", 3)]), rollback("x"), sell("y", 1, "b")), ["ok"]);
  const old = order("x", "sold", 3, { atMs: NOW - WINDOW });
  const twice = [sell("y", 3, "b"), sell("z", 3, "b")];
  assertEquals(come(on(0, [old]), rollback("x"), ...twice), ["ok", "ok", ["buyer", 3]]);
});

Deno.test("without a window all that a buyer ever took counts", () => {
  const { buyerWindowMs: _, ...forEver } = CAP;
  assertEquals(come(on(2, [held("x", 1, { atMs: 0 })], forEver, 1), reserve("x", 2)), ["ok"]);
  assertEquals(come(on(3, [held("x", 1, { atMs: 0 })], forEver, 1), reserve("x", 2)), [["buyer", 2]]);
});

Deno.test("one order is limited by itself, whoever buys", () => {
  const limit: Policy = { safetyStock: 0, backorderMax: 0, orderNumMax: 2 };
  assertEquals(come(on(0, [], limit), sell("x", 2), sell("y", 3)), ["ok", ["order", 0]]);
});

Deno.test("safety stock is not for sale, and backorders go below nothing as far as they may", () => {
  const policy: Policy = { safetyStock: 60, backorderMax: 0 };
  assertEquals(come(on(0, [], policy), sell("x", 40), sell("y", 1)), ["ok", "short_stock"]);
  const floor: Policy = { safetyStock: 0, backorderMax: 5 };
  assertEquals(come(on(0, [], floor), sell("x", 105), sell("y", 1)), ["ok", "short_stock"]);
});
