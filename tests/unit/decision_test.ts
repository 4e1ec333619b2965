/** What is read for a batch. */
import { assertEquals } from "@std/assert";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { keysOf } from "../../src/lanes/decision.ts";
import { Entry } from "../../src/lanes/entry.ts";
import { NEVER } from "../../src/base/never.ts";

function sell(orderId: string, buyerId: string, ...goodsIds: number[]): Operation {
  return { kind: "sell", orderId, lines: goodsIds.map((goodsId) => ({ goodsId, locationId: 0, num: 1 })), buyerId };
}

Deno.test("what a buyer has of a goods is read once, however many orders of the batch are the buyer's", () => {
  const operations = [sell("x", "b", 1), sell("y", "b", 1, 2), sell("z", "c", 1)];
  const keys = keysOf(operations.map((operation) => new Entry(operation, Infinity, NEVER, () => {})));
  assertEquals(keys.buyers, [
    { goodsId: 1, locationId: 0, buyerId: "b" },
    { goodsId: 2, locationId: 0, buyerId: "b" },
    { goodsId: 1, locationId: 0, buyerId: "c" },
  ]);
  assertEquals([keys.stockKeys, keys.orderIds], [[1, 2], ["x", "y", "z"]]);
});
