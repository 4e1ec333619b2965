/** The demo shop: a small one is filled, and is a whole ledger with everything in it that a shop has; once. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DEMO_SIZE, demoGoods, fillDemo } from "../../tools/up/demo/fill.ts";
import { history } from "../../tools/up/demo/history.ts";
import { drawOf } from "../../tools/up/demo/random.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { holdViolations } from "../support/holds.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { SILENT } from "../support/silent_log.ts";

const SIZE = { goods: 60, days: 4 };
const END_MS = Date.UTC(2026, 10, 28, 18);
const DAY_MS = 86_400_000;

Deno.test("the demo shop is a whole ledger of weeks, with all that a shop has, and is filled once", async () => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const { sql } = owner;
  const endMs = Date.now() - 1000;
  assertEquals(await fillDemo(database.serverUrl, SIZE, endMs, SILENT), true);
  assertEquals(await checkLedger(database.ownerUrl), []);
  assertEquals((await holdViolations(sql)).filter((violation) => !violation.includes("written down")), []);
  const [times] = await sql`
    select min(at) > to_timestamp(${endMs - (SIZE.days + 1) * DAY_MS} / 1000.0) as begins,
           max(at) <= to_timestamp(${endMs} / 1000.0) as ends,
           count(distinct date_trunc('day', at))::int as days from movements`;
  assertEquals([times!.begins, times!.ends, times!.days >= SIZE.days], [true, true, true]);
  const disordered = await sql`
    select from (select at, lag(at) over (partition by goods_id, location_id order by version) as before
                   from movements) as steps
     where at < before`;
  assertEquals(disordered.length, 0, "times rise with versions");
  const kinds = (await sql`select distinct kind from movements order by kind`).map(({ kind }) => kind);
  assertEquals(kinds, [
    ...["adjust", "confirm", "count", "expire", "policy", "release", "reserve", "rollback", "sell", "set", "transfer"],
  ]);
  const [found] = await sql`
    select (select count(distinct location_id)::int from levels) as locations,
           (select count(*)::int from goods) as named,
           (select count(*)::int from orders where state = 'held' and expires_at > now()) as holds,
           (select count(distinct buyer_id)::int from orders) as buyers,
           (select count(distinct reason)::int from movements) as reasons,
           (select count(*)::int from levels where low_stock_at is not null) as watched,
           (select count(*)::int from levels where is_low) as low,
           (select count(*)::int from movements) as movements`;
  assertEquals([found!.locations, found!.named], [3, SIZE.goods]);
  for (const [what, count] of Object.entries(found!)) assert(count > 1, `${what}: ${count}`);

  assertEquals(await fillDemo(database.serverUrl, SIZE, endMs, SILENT), false);
  const [again] = await sql`select count(*)::int as movements from movements`;
  assertEquals(again!.movements, found!.movements);
});

Deno.test("where others have its ids nothing of the demo shop is written", async () => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  await owner.sql`insert into goods (goods_id, sku) values (1, ${demoGoods(SIZE)[7]!.sku})`;
  await assertRejects(() => fillDemo(database.serverUrl, SIZE, END_MS, SILENT), Error, "in use here (goods_sku_key)");
  const [left] = await owner.sql`select (select count(*)::int from goods) as goods,
                                        (select count(*)::int from movements) as movements`;
  assertEquals([left!.goods, left!.movements], [1, 0]);
});

Deno.test("whenever it ends nothing of the shop is later, and times rise", () => {
  for (const minutes of [0, 359, 360, 361, 375, 389, 390, 391, 421, 1_439]) {
    const endMs = END_MS - END_MS % DAY_MS + minutes * 60_000 + 500;
    const times = [...history({ draw: drawOf(1), goods: demoGoods({ goods: 30, days: 2 }), days: 2, endMs })]
      .map(({ atMs }) => atMs);
    assert(times.length > 100, `${minutes} minutes: ${times.length} are written`);
    assertEquals(times.filter((atMs, i) => atMs > endMs || atMs < (times[i - 1] ?? 0)), [], `${minutes} minutes`);
  }
});

Deno.test("the same seed is the same shop, and another another", () => {
  const written = (seed: number) =>
    JSON.stringify([
      ...history({ draw: drawOf(seed), goods: demoGoods({ goods: 30, days: 2 }), days: 2, endMs: END_MS }),
    ]);
  assertEquals(written(1) === written(1), true);
  assertEquals(written(1) === written(2), false);
  const goods = demoGoods(DEMO_SIZE);
  assertEquals(new Set(goods.map(({ sku }) => sku)).size, goods.length);
  assert(goods.length > 2000, `${goods.length} goods`);
});
