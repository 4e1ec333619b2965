/** Which entries are looked at before they are tried again because their order was seen locked: for how long, how many. */
import { assertEquals } from "@std/assert";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Entry } from "../../src/lanes/entry.ts";
import { LockedRows } from "../../src/lanes/locked_rows.ts";
import type { Store } from "../../src/store/store.ts";

const LINES = [{ goodsId: 1, num: 1 }];
const entryOf = (operation: Operation) => new Entry(operation, [1], 0, new AbortController().signal, () => {});
const giving = (orderId: string) => entryOf({ kind: "rollback", rollbackId: undefined, orderId, lines: [] });

/** Looks at a database in which these orders are locked. */
function bench(locked: ReadonlySet<string>) {
  const asked: (readonly string[])[] = [];
  const now = { ms: 0 };
  const store = {
    readLocked: () => Promise.resolve([]),
    readLockedOrders: (orderIds: readonly string[]) => {
      asked.push(orderIds);
      return Promise.resolve(orderIds.filter((orderId) => locked.has(orderId)));
    },
  } as unknown as Store;
  return { asked, now, rows: new LockedRows(store, () => now.ms) };
}

Deno.test("an order that was seen locked is remembered for a while, and only such are asked about beforehand", async () => {
  const { asked, now, rows } = bench(new Set(["held"]));
  const [held, free, sale] = [giving("held"), giving("free"), entryOf({ kind: "sell", orderId: "held", lines: LINES })];
  assertEquals([held, free, sale].map((entry) => rows.isSuspect(entry)), [false, false, false]);
  const first = await rows.look([held, free, sale], false);
  assertEquals([first.held, first.free, first.waiting], [[held], [free, sale], []]);
  assertEquals([held, free, sale].map((entry) => rows.isSuspect(entry)), [true, false, false]);
  now.ms = 4_999;
  assertEquals((await rows.look([free, held], true)).held, [held]);
  assertEquals((await rows.look([free], true)).free, [free]);
  assertEquals(asked, [["held", "free"], ["held"]]);
  now.ms += 5_000;
  assertEquals(rows.isSuspect(held), false);
});

Deno.test("of very many orders that were seen locked the oldest are forgotten", async () => {
  const ids = Array.from({ length: 1001 }, (_, i) => `o-${i}`);
  const { rows } = bench(new Set(ids));
  await rows.look(ids.map(giving), false);
  assertEquals([0, 1, 1000].map((i) => rows.isSuspect(giving(`o-${i}`))), [false, true, true]);
});
