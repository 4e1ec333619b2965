/** Holds through lanes, store and PostgreSQL, one at a time: what each operation comes to, and what moves by it. */
import { assert, assertEquals } from "@std/assert";
import { allRows } from "../support/all_rows.ts";
import { rollback, sell, set } from "../support/apply.ts";
import { confirm, elapse, extend, holdViolations, orderOf, release, reserve, wordOf } from "../support/holds.ts";
import { holdBench, HOUR_MS, levelOf } from "../support/hold_bench.ts";
import { inEveryMode } from "../support/test_mode.ts";

inEveryMode("a reserve takes from what is available, not from what is on hand", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  const beforeMs = Date.now();
  const order = orderOf(await apply(reserve("h", [[1, 4]], { buyerId: "b", ttlMs: HOUR_MS + 500 })));
  assertEquals([order.state, order.buyerId, order.held], ["held", "b", [4]]);
  const ttlMs = (order.expiresAtMs ?? 0) - order.atMs;
  assertEquals(ttlMs, HOUR_MS + 500);
  assert(Math.abs(order.atMs - beforeMs) < 60_000);
  assertEquals(await levelOf(on, 1), [10, 4]);
  const rows = await allRows(sql);
  assertEquals(wordOf(await apply(reserve("other", [[1, 7]]))), "short_stock");
  assertEquals(wordOf(await apply(sell("sold", [1, 7]))), "short_stock");
  assertEquals(await allRows(sql), rows);
  assertEquals(wordOf(await apply(sell("sold", [1, 6]))), "sold");
  assertEquals(await levelOf(on, 1), [4, 4]);
  assertEquals(await holdViolations(sql), []);
});

inEveryMode(
  "reserving again replaces lines, buyer and time in one step, and is not blocked by its own hold",
  async () => {
    await using bench = await holdBench();
    const { on, sql, apply } = bench;
    await apply(set("s2", 2, 5), { kind: "set", operationId: "s3", goodsId: 1, locationId: 7, num: 5 });
    await apply(reserve("h", [[1, 8], [1, 5, 7]], { buyerId: "b" }));
    const order = orderOf(await apply(reserve("h", [[1, 10], [2, 1]], { ttlMs: HOUR_MS })));
    assertEquals(order.lines.map(({ num }) => num), [10, 1]);
    assertEquals(order.buyerId, undefined);
    assertEquals([await levelOf(on, 1), await levelOf(on, "1@7"), await levelOf(on, 2)], [[10, 10], [5, 0], [5, 1]]);
    const rows = await allRows(sql);
    assertEquals(wordOf(await apply(reserve("h", [[1, 11]]))), "short_stock");
    assertEquals(await allRows(sql), rows);
    assertEquals(await holdViolations(sql), []);
  },
);

inEveryMode(
  "a hold that has expired is reserved anew, with other lines, beside what is left of the old one",
  async () => {
    await using bench = await holdBench();
    const { on, sql, apply } = bench;
    await apply(set("s2", 2, 5), reserve("h", [[1, 10], [2, 5]]));
    await elapse(sql, HOUR_MS);
    assertEquals(wordOf(await apply(reserve("h", [[2, 3]]))), "held");
    assertEquals([await levelOf(on, 1), await levelOf(on, 2)], [[10, 0], [5, 3]]);
    assertEquals(await holdViolations(sql), []);
  },
);

inEveryMode("of each line what is there is held, and what was asked stays known", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(set("s2", 2, 0), set("s3", 3, 1));
  const order = orderOf(await apply(reserve("h", [[1, 12], [2, 1], [3, 1]], { fill: "available" })));
  assertEquals([order.lines.map(({ num }) => num), order.asked, order.held], [[10, 0, 1], [12, 1, 1], [10, 0, 1]]);
  assertEquals(await levelOf(on, 1), [10, 10]);
  assertEquals(wordOf(await apply(reserve("none", [[2, 1]], { fill: "available" }))), "short_stock");
  assertEquals(wordOf(await apply(extend("h", HOUR_MS))), "held");
  assertEquals(wordOf(await apply(confirm("h"))), "sold");
  assertEquals([await levelOf(on, 1), await levelOf(on, 2)], [[0, 0], [0, 0]]);
  assertEquals(await holdViolations(sql), []);
});

inEveryMode("a hold gets more time, never less", async () => {
  await using bench = await holdBench();
  const { sql, apply } = bench;
  const before = orderOf(await apply(reserve("h", [[1, 4]])));
  const after = orderOf(await apply(extend("h", HOUR_MS)));
  assert((after.expiresAtMs ?? 0) - (before.expiresAtMs ?? 0) >= HOUR_MS - 60_000);
  const rows = await allRows(sql);
  assertEquals(orderOf(await apply(extend("h", 1))).expiresAtMs, after.expiresAtMs);
  assertEquals(await allRows(sql), rows);
  await elapse(sql, 2 * HOUR_MS);
  assertEquals(wordOf(await apply(extend("h", HOUR_MS))), "is expired");
  assertEquals(wordOf(await apply(extend("nobody", HOUR_MS))), "unknown_order");
  assertEquals(await holdViolations(sql), []);
});

inEveryMode("a confirmation sells what the hold has, once, and Rollback gives it back", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(reserve("h", [[1, 4]]));
  const first = await apply(confirm("h"));
  assertEquals(wordOf(first), "sold");
  assertEquals(await levelOf(on, 1), [6, 0]);
  const rows = await allRows(sql);
  assertEquals(await apply(confirm("h")), { ...first, replayed: true } as typeof first);
  assertEquals(await apply(confirm("h", [[1, 4]])), { ...first, replayed: true } as typeof first);
  assertEquals(wordOf(await apply(confirm("h", [[1, 3]]))), "content_differs");
  for (const [late, word] of [[release("h"), "is sold"], [reserve("h", [[1, 1]]), "is sold"]] as const) {
    assertEquals(wordOf(await apply(late)), word);
  }
  assertEquals(await allRows(sql), rows);
  assertEquals((await apply(rollback("h", undefined))).ok, true);
  assertEquals(await levelOf(on, 1), [10, 0]);
  assertEquals(wordOf(await apply(confirm("h"))), "is rolled_back");
  assertEquals(await holdViolations(sql), []);
});

inEveryMode("fewer lines are confirmed, the rest is available again, and a retry is answered the same", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(set("s2", 2, 5), { kind: "set", operationId: "s3", goodsId: 2, locationId: 7, num: 5 });
  await apply(reserve("h", [[1, 4], [2, 5], [2, 5, 7]]));
  const rows = await allRows(sql);
  assertEquals(wordOf(await apply(confirm("h", [[1, 4], [2, 6]]))), "exceeds_held");
  assertEquals(wordOf(await apply(confirm("h", [[9, 1]]))), "exceeds_held");
  assertEquals(await allRows(sql), rows);
  const first = await apply(confirm("h", [[1, 3], [2, 2, 7]]));
  assertEquals(orderOf(first).lines.map(({ num }) => num), [3, 0, 2]);
  assertEquals(orderOf(first).held, [4, 5, 5]);
  assertEquals([await levelOf(on, 1), await levelOf(on, 2), await levelOf(on, "2@7")], [[7, 0], [5, 0], [3, 0]]);
  const after = await allRows(sql);
  assertEquals(await apply(confirm("h", [[1, 3], [2, 2, 7]])), { ...first, replayed: true } as typeof first);
  assertEquals(wordOf(await apply(confirm("h"))), "content_differs");
  assertEquals(await allRows(sql), after);
  assertEquals(await holdViolations(sql), []);
});

inEveryMode("a release gives up the hold, once; before its reserve it bars the order", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(reserve("h", [[1, 4]]));
  assertEquals(wordOf(await apply(release("h"))), "released");
  assertEquals(await levelOf(on, 1), [10, 0]);
  const rows = await allRows(sql);
  assertEquals(wordOf(await apply(release("h"))), "released");
  assertEquals(wordOf(await apply(confirm("h"))), "is released");
  assertEquals(wordOf(await apply(extend("h", HOUR_MS))), "is released");
  assertEquals(wordOf(await apply(reserve("h", [[1, 1]]))), "is released");
  assertEquals(wordOf(await apply(sell("h", [1, 4]))), "is released");
  assertEquals(await allRows(sql), rows);
  assertEquals(wordOf(await apply(release("early"))), "barred");
  const barred = await allRows(sql);
  assertEquals(wordOf(await apply(release("early"))), "barred");
  assertEquals(wordOf(await apply(reserve("early", [[1, 1]]))), "is barred");
  assertEquals(wordOf(await apply(sell("early", [1, 1]))), "is barred");
  assertEquals(await allRows(sql), barred);
  assertEquals(await holdViolations(sql), []);
});

inEveryMode("holds and sales share one set of ids", async () => {
  await using bench = await holdBench();
  const { sql, apply } = bench;
  await apply(reserve("h", [[1, 4]]), sell("s", [1, 2]));
  const rows = await allRows(sql);
  assertEquals(wordOf(await apply(sell("h", [1, 4]))), "is held");
  assertEquals(wordOf(await apply(reserve("s", [[1, 2]]))), "is sold");
  assertEquals(wordOf(await apply(confirm("s"))), "is sold");
  assertEquals(wordOf(await apply(release("s"))), "is sold");
  assertEquals(wordOf(await apply(rollback("h", undefined))), "is held");
  assertEquals(await allRows(sql), rows);
  await apply(confirm("h", [[1, 3]]));
  // It is a sale now.
  assertEquals(wordOf(await apply(sell("h", [1, 3]))), "sold");
  assertEquals(wordOf(await apply(sell("h", [1, 4]))), "content_differs");
});

inEveryMode("a dry run answers what would come of it, and writes nothing", async () => {
  await using bench = await holdBench();
  const { sql, apply } = bench;
  await apply(reserve("h", [[1, 4]]));
  const rows = await allRows(sql);
  for (
    const [operation, word] of [
      [reserve("new", [[1, 6]]), "held"],
      [reserve("new", [[1, 7]]), "short_stock"],
      [extend("h", HOUR_MS), "held"],
      [confirm("h"), "sold"],
      [release("h"), "released"],
      [release("unknown"), "barred"],
    ] as const
  ) {
    assertEquals(wordOf(await apply({ ...operation, dryRun: true })), word);
    assertEquals(await allRows(sql), rows);
  }
});
