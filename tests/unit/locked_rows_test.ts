/**
 * Which entries are looked at before they are tried again because their order was seen locked: for how long, how many.
 */
import { assertEquals } from "@std/assert";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Entry } from "../../src/lanes/entry.ts";
import { LockedRows } from "../../src/lanes/locked_rows.ts";
import type { Store } from "../../src/store/store.ts";

const LINES = [{ goodsId: 1, locationId: 0, num: 1 }];
const entryOf = (operation: Operation) => {
  const entry = new Entry(operation, 0, new AbortController().signal, () => {});
  entry.stockKeys = [1];
  return entry;
};
const giving = (orderId: string) => entryOf({ kind: "rollback", rollbackId: undefined, orderId, lines: [] });

/** Looks at a database in which these orders are locked. */
function bench(lockedOrders: ReadonlySet<string>) {
  const asked: (readonly string[])[] = [];
  const now = { ms: 0 };
  const store = {
    readLocked: () => Promise.resolve([]),
    readLockedOrders: (orderIds: readonly string[]) => {
      asked.push(orderIds);
      return Promise.resolve(orderIds.filter((orderId) => lockedOrders.has(orderId)));
    },
  } as unknown as Store;
  return { asked, now, rows: new LockedRows(store, () => now.ms) };
}

Deno.test("an order that was seen locked is remembered for a while, and only such are asked about beforehand", async () => {
  const { asked, now, rows } = bench(new Set(["locked"]));
  const [locked, free, sale] = [
    giving("locked"),
    giving("free"),
    entryOf({ kind: "sell", orderId: "locked", lines: LINES }),
  ];
  assertEquals([locked, free, sale].map((entry) => rows.isSuspect(entry)), [false, false, false]);
  const first = await rows.look([locked, free, sale], false);
  assertEquals([first.locked, first.free, first.waiting], [[locked], [free, sale], []]);
  assertEquals([locked, free, sale].map((entry) => rows.isSuspect(entry)), [true, false, false]);
  now.ms = 4_999;
  assertEquals((await rows.look([free, locked], true)).locked, [locked]);
  assertEquals((await rows.look([free], true)).free, [free]);
  assertEquals(asked, [["locked", "free"], ["locked"]]);
  now.ms += 5_000;
  assertEquals(rows.isSuspect(locked), false);
});

Deno.test("of very many orders that were seen locked the oldest are forgotten", async () => {
  const ids = Array.from({ length: 1001 }, (_, i) => `o-${i}`);
  const { rows } = bench(new Set(ids));
  await rows.look(ids.map(giving), false);
  assertEquals([0, 1, 1000].map((i) => rows.isSuspect(giving(`o-${i}`))), [false, true, true]);
});
