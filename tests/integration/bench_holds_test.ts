/** The holds that the bench measures beside: a whole ledger, before and after some of them were to end. */
import { assertEquals, assertRejects } from "@std/assert";
import { fill } from "../../bench/databases.ts";
import { endHolds, settleEnds } from "../../bench/live_holds.ts";
import { stockTotals } from "../../bench/stock_totals.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";

const GOODS = 1_000;
const HOLDS = 6_000;

Deno.test("a stock is filled with live holds, half of them of one goods, and its indexes are as they were", async () => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const { sql } = owner;
  const indexes = () => sql`select indexdef from pg_indexes where schemaname = 'public' order by indexname`;
  const before = await indexes();
  await fill(sql, { goods: GOODS, versions: 1, holds: HOLDS });
  assertEquals([...await indexes()], [...before]);
  assertEquals(await ledgerViolations(sql), []);
  const totals = await stockTotals(sql);
  assertEquals([totals.orders, totals.reserved, totals.movements], [HOLDS, HOLDS, GOODS + HOLDS]);
  const [first] = await sql`select reserved from levels where goods_id = 1`;
  assertEquals(first?.reserved, HOLDS / 2);
});

Deno.test("holds are timed to end one after the other, and those that nobody met live on", async () => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const { sql } = owner;
  await fill(sql, { goods: GOODS, versions: 1, holds: HOLDS });
  const before = await stockTotals(sql);
  let met = 0;
  const fromMs = Date.now() + 60_000;
  for (const goods of [1, GOODS]) {
    await endHolds(sql, { goods, fromMs, perS: 100, count: 500 });
    const [timed] = await sql`
      select count(*)::int as count, count(distinct goods_id)::int as goods,
             (extract(epoch from min(expires_at)) * 1000)::float8 as first, (extract(epoch from max(expires_at)) * 1000)::float8 as last
        from holds where expires_at < now() + interval '1 hour'`;
    assertEquals(timed, { count: 500, goods: goods === 1 ? 1 : 500, first: fromMs + 10, last: fromMs + 5_000 });
    assertEquals((await ledgerViolations(sql)).filter((violation) => violation.startsWith("hold ")), []);
    // One is met by a sale, which takes its line off, and leaves its order to the sweeper.
    await sql`delete from holds where expires_at = (select min(expires_at) from holds)`;
    met++;
    assertEquals(await settleEnds(sql), 499);
    assertEquals(await settleEnds(sql), 0);
  }
  const [expired] = await sql`select count(*)::int as count from orders where state = 'expired'`;
  assertEquals(expired?.count, met);
  // Nothing is moved by all that.
  assertEquals(await stockTotals(sql), before);
  await assertRejects(() => endHolds(sql, { goods: 1, fromMs, perS: 100, count: HOLDS }), Error, "left to end");
});
