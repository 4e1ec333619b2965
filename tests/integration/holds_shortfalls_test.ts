/** Confirmations that come after the time of their hold: sales, or shortfalls on record. */
import { assert, assertEquals } from "@std/assert";
import type { AskedResolution } from "../../src/inventory/hold_lists.ts";
import { allRows } from "../support/all_rows.ts";
import { sell, set } from "../support/apply.ts";
import { confirm, elapse, expire, holdViolations, reserve, wordOf } from "../support/holds.ts";
import { holdBench, HOUR_MS, levelOf } from "../support/hold_bench.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";

inEveryMode("after its time a confirmation is a sale, if there is stock", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(reserve("swept", [[1, 4]]), reserve("unswept", [[1, 4]]));
  await elapse(sql, HOUR_MS);
  await apply(expire("swept"));
  assertEquals(wordOf(await apply(confirm("swept", [[1, 3]]))), "sold");
  assertEquals(wordOf(await apply(confirm("unswept"))), "sold");
  assertEquals(await levelOf(on, 1), [3, 0]);
  assertEquals(wordOf(await apply(confirm("unswept"))), "sold");
  assertEquals(await levelOf(on, 1), [3, 0]);
  assertEquals(await holdViolations(sql), []);
});

inEveryMode(
  "after its time, with the stock gone, a confirmation is refused, and on request goes on record once",
  async () => {
    await using bench = await holdBench();
    const { on, sql, apply } = bench;
    const open = () => on.store.listShortfalls({ after: undefined, limit: 10 }, NEVER);
    await apply(reserve("h", [[1, 4]], { buyerId: "b" }));
    await elapse(sql, HOUR_MS);
    await apply(sell("quick", [1, 7]));
    const rows = await allRows(sql);
    const refused = await apply(confirm("h"));
    assertEquals(wordOf(refused), "shortfall");
    assertEquals(await apply(confirm("h", [], { recordsShortfall: true, dryRun: true })).then(wordOf), "shortfall");
    assertEquals([await allRows(sql), await open()], [rows, []]);

    for (const _ of [1, 2]) {
      const recorded = await apply(confirm("h", [], { recordsShortfall: true }));
      assert(recorded.ok && recorded.kind === "shortfall");
      const [shortfall, ...more] = await open();
      assertEquals([shortfall?.orderId, shortfall?.buyerId, more], ["h", "b", []]);
      assertEquals(shortfall?.lines, [{ goodsId: 1, locationId: 0, asked: 4, available: 3 }]);
      assertEquals(await levelOf(on, 1), [3, 0]);
    }
    const resolve = (resolution: string) => on.store.resolveShortfall({ orderId: "h", resolution }, NEVER);
    const first = await resolve("refunded");
    assertEquals([first?.now, first?.shortfall.resolved?.resolution], [true, "refunded"]);
    assertEquals(await resolve("other words"), { shortfall: first!.shortfall, now: false });
    assertEquals(await on.store.resolveShortfall({ orderId: "nobody", resolution: "x" }, NEVER), undefined);
    assertEquals(await open(), []);
    // Once resolved it is nobody's matter any more, however often it is confirmed.
    await apply(confirm("h", [], { recordsShortfall: true }));
    assertEquals(await open(), []);
    assertEquals(await holdViolations(sql), []);
  },
);

inEveryMode(
  "a hold that is reserved anew and falls short again is on the list again, until that is resolved too",
  async () => {
    await using bench = await holdBench();
    const { on, sql, apply } = bench;
    const open = async () => (await on.store.listShortfalls({ after: undefined, limit: 10 }, NEVER)).length;
    const resolve = async (resolution: string) =>
      (await on.store.resolveShortfall({ orderId: "h", resolution }, NEVER))?.now;
    const passHour = async () => {
      await elapse(sql, HOUR_MS);
      await sql`update shortfalls set created_at = created_at - interval '1 h', resolved_at = resolved_at - interval '1 h'`;
    };
    const fallShort = async (nth: number) => {
      await apply(set(`more-${nth}`, 1, 4), reserve("h", [[1, 4]]));
      await passHour();
      await apply(sell(`quick-${nth}`, [1, 4]));
      const ended = await apply(confirm("h", [], { recordsShortfall: true }));
      assert(ended.ok && ended.kind === "shortfall");
      assertEquals(await open(), 1);
    };
    await fallShort(1);
    // Open still, so it stands for both.
    await fallShort(2);
    for (const nth of [3, 4]) {
      assertEquals(await resolve("refunded"), true);
      await apply(confirm("h", [], { recordsShortfall: true }));
      assertEquals(await open(), 0);
      await fallShort(nth);
    }
    // Whoever resolves the one before while the hold still lives has not seen to what comes of it.
    await apply(set("more", 1, 4), reserve("h", [[1, 4]]));
    assertEquals([await resolve("refunded"), await open()], [true, 0]);
    await passHour();
    await apply(sell("quick", [1, 4]), confirm("h", [], { recordsShortfall: true }));
    assertEquals(await open(), 1);
    assertEquals(await holdViolations(sql), []);
  },
);

inEveryMode("a late copy of what resolved a shortfall leaves the next one of its order open", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  const open = () => on.store.listShortfalls({ after: undefined, limit: 10 }, NEVER);
  const fallShort = async (nth: number) => {
    await apply(set(`more-${nth}`, 1, 4), reserve("h", [[1, 4]]));
    await elapse(sql, HOUR_MS);
    await sql`
      update shortfalls set created_at = created_at - interval '1 h', resolved_at = resolved_at - interval '1 h',
             opened_at = opened_at - interval '1 h'`;
    await apply(sell(`quick-${nth}`, [1, 4]), confirm("h", [], { recordsShortfall: true }));
    const [shortfall, ...more] = await open();
    assert(shortfall !== undefined && more.length === 0);
    return { orderId: "h", resolution: "refunded", openedAtMs: shortfall.openedAtMs };
  };
  const first = await fallShort(1);
  assertEquals(first.openedAtMs, (await open())[0]?.createdAtMs);
  const resolve = async (asked: AskedResolution, dryRun = false) => {
    const { now, shortfall } = (await on.store.resolveShortfall(asked, NEVER, dryRun))!;
    return [now, shortfall.resolved?.resolution];
  };
  assertEquals([await resolve(first), await resolve(first)], [[true, "refunded"], [false, "refunded"]]);

  const second = await fallShort(2);
  assert(second.openedAtMs > first.openedAtMs, "it is known from the one before");
  const rows = await allRows(sql);
  for (const dryRun of [true, false]) assertEquals(await resolve(first, dryRun), [false, undefined]);
  assertEquals(await allRows(sql), rows);
  assertEquals(await resolve(second, true), [true, undefined]);
  assertEquals(await resolve({ orderId: "h", resolution: "sent later", openedAtMs: second.openedAtMs }), [
    true,
    "sent later",
  ]);
  assertEquals([await resolve(second), (await open()).length], [[false, "sent later"], 0]);

  // Who does not say which one means whichever is open.
  await fallShort(3);
  assertEquals(await resolve({ orderId: "h", resolution: "refunded" }), [true, "refunded"]);
  assertEquals(await holdViolations(sql), []);
});

inEveryMode("a shortfall ends by itself when its order is sold after all", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(reserve("h", [[1, 4]]));
  await elapse(sql, HOUR_MS);
  await apply(sell("quick", [1, 10]), confirm("h", [], { recordsShortfall: true }), set("more", 1, 5));
  assertEquals((await on.store.listShortfalls({ after: undefined, limit: 10 }, NEVER)).length, 1);
  assertEquals(wordOf(await apply(confirm("h"))), "sold");
  assertEquals(await on.store.listShortfalls({ after: undefined, limit: 10 }, NEVER), []);
  const [row] = await sql`select resolution, resolved_at is not null as resolved from shortfalls`;
  assertEquals({ ...row }, { resolution: "confirmed", resolved: true });
  assertEquals(await levelOf(on, 1), [1, 0]);
});

inEveryMode("two confirmations of one batch, the first short and the second not, leave no shortfall", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(reserve("h", [[1, 4]]));
  await elapse(sql, HOUR_MS);
  await apply(sell("quick", [1, 10]), expire("h"));
  const ends = await on.lanes().applyAll(
    [confirm("h", [], { recordsShortfall: true }), set("more", 1, 5), confirm("h", [], { recordsShortfall: true })],
    NEVER,
  );
  const verdicts = ends.map((end) => end.status === "fulfilled" ? wordOf(end.value) : end.reason);
  assertEquals(verdicts, ["shortfall", "set", "sold"]);
  assertEquals(await on.store.listShortfalls({ after: undefined, limit: 10 }, NEVER), []);
  assertEquals(await holdViolations(sql), []);
});

inEveryMode("a shortfall that is decided while another process sells the order after all is not recorded", async () => {
  await using bench = await holdBench();
  const { on, sql, apply } = bench;
  await apply(reserve("h", [[1, 4]]));
  await elapse(sql, HOUR_MS);
  await apply(sell("quick", [1, 10]), expire("h"));
  let meanwhile = async () => {
    meanwhile = () => Promise.resolve();
    assertEquals(wordOf(await apply(set("more", 1, 5), confirm("h"))), "sold");
  };
  const slow = on.lanes({
    store: {
      writeChanges: async (changes, signal) => {
        await meanwhile();
        await on.store.writeChanges(changes, signal);
      },
    },
  });
  assertEquals(wordOf(await slow.apply(confirm("h", [], { recordsShortfall: true }), NEVER)), "sold");
  const [row] = await sql`select count(*)::int as count from shortfalls`;
  assertEquals(row?.count, 0);
  assertEquals(await levelOf(on, 1), [1, 0]);
  assertEquals(await holdViolations(sql), []);
});
