/** Sales on levels that are kept, without a read, on a real database: what they meet, and who is read for. */
import { assert, assertEquals } from "@std/assert";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { beginPeriod, divide } from "../../src/store/statements/retention/periods.ts";
import { OutcomeUnknownError } from "../../src/store/errors.ts";
import { rollback, sell, set } from "../support/apply.ts";
import { counted } from "../support/counted_lanes.ts";
import { ownerOf } from "../support/database.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";

Deno.test("sales of goods that nobody else moves are written without a read, and stand as if they had been read for", async () => {
  await using on = await lanesBench();
  const { lanes, ends } = await counted(on);
  assertEquals(await ends(sell("a", [1, 1])), ["ok", 0, 1]);
  assertEquals(await ends(sell("b", [1, 1], [2, 2]), sell("c", [2, 3])), ["ok,ok", 0, 1]);
  assertEquals(await ends({ ...sell("d", [1, 1]), buyerId: "somebody" } as Operation), ["ok", 0, 1]);
  assertEquals(lanes.tallies.unread.counts, { written: 3, lost: 0 });
  assertEquals([await on.onHand(1), await on.onHand(2)], [7, 15]);
  assertEquals(await checkLedger(on.ownerUrl), []);

  await using owner = ownerOf(on.ownerUrl);
  const [late] = await owner.sql`
    select count(*) filter (where at > now()) as ahead, count(*) filter (where at < before) as sinking
      from (select at, lag(at) over (partition by goods_id order by version) as before from movements) as ledger`;
  assertEquals({ ...late }, { ahead: "0", sinking: "0" }, "times rise with versions, up to the database's own");
  const beforeMs = Number((await owner.sql`select extract(epoch from clock_timestamp()) * 1000 as ms`)[0]?.ms);
  const verdict = await lanes.apply(sell("e", [1, 1]), NEVER);
  const [e] = await owner.sql`
    select extract(epoch from created_at) * 1000 as ms, created_at = (select at from movements where order_id = 'e') as is_same
      from orders where order_id = 'e'`;
  assert(verdict.ok && verdict.kind === "sell");
  assertEquals([Number(e?.ms), e?.is_same], [verdict.order.atMs, true], "what is answered is what is on record");
  assert(verdict.order.atMs >= Math.floor(beforeMs), "an order is not sold before it was asked for");
});

Deno.test("what others have moved meets the fence, is read once more, and comes to what is true", async () => {
  await using on = await lanesBench();
  const { lanes, ends } = await counted(on);
  const other = on.lanes();
  assertEquals((await other.apply(sell("other", [1, 4]), NEVER)).ok, true);
  assertEquals(await ends(sell("a", [1, 3])), ["ok", 1, 2]);
  assertEquals(await on.onHand(1), 3);
  assertEquals(lanes.tallies.unread.counts, { written: 0, lost: 1 });
  // For a while nothing is kept of it.
  assertEquals((await other.apply(set("more", 1, 50), NEVER)).ok, true);
  assertEquals(await ends(sell("b", [1, 2])), ["ok", 1, 1]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("nobody is refused on a kept level: who would be is read for", async () => {
  await using on = await lanesBench();
  const { ends } = await counted(on);
  assertEquals((await on.lanes().apply(set("more", 1, 100), NEVER)).ok, true);
  assertEquals(await ends(sell("a", [1, 50])), ["ok", 1, 1]);
  assertEquals(await ends(sell("b", [2, 21])), ["short_stock", 1, 0]);
  assertEquals((await on.lanes().apply(set("even-more", 2, 200), NEVER)).ok, true);
  assertEquals(await ends(sell("c", [2, 1]), sell("d", [2, 199]), sell("e", [2, 1])), ["ok,ok,short_stock", 1, 1]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("nobody gets less than there is on a kept level: of a goods of which nothing is taken, nothing meets the fence", async () => {
  await using on = await lanesBench();
  const { lanes, ends } = await counted(on);
  assertEquals(await ends(sell("all", [1, 10])), ["ok", 0, 1]);
  assertEquals((await on.lanes().apply(set("more", 1, 50), NEVER)).ok, true);
  const verdict = await lanes.apply({ ...sell("part", [1, 3], [2, 2]), fill: "available" } as Operation, NEVER);
  assert(verdict.ok && verdict.kind === "sell");
  assertEquals([verdict.order.lines.map(({ num }) => num), verdict.order.asked], [[3, 2], undefined]);
  assertEquals([await on.onHand(1), await on.onHand(2)], [47, 18]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("an order that is on record meets its primary key, and is answered from its record", async () => {
  await using on = await lanesBench();
  const { lanes, ends } = await counted(on);
  assertEquals(await ends(sell("a", [1, 1])), ["ok", 0, 1]);
  assertEquals(await ends(sell("a", [1, 1])), ["repeated", 1, 1]);
  assertEquals(await ends(sell("b", [2, 2])), ["ok", 0, 1]);
  assertEquals(await ends(sell("new", [2, 1]), sell("b", [2, 3])), ["ok,content_differs", 1, 2]);
  assertEquals(lanes.tallies.unread.counts, { written: 2, lost: 2 });
  const verdict = await on.lanes().apply(rollback("barred", undefined), NEVER);
  assert(verdict.ok);
  const again = await counted(on);
  assertEquals(await again.ends(sell("barred", [1, 1])), ["order_state", 1, 1]);
  assertEquals([await on.onHand(1), await on.onHand(2)], [10, 20]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("one order twice in a batch, and a dry run, are read for", async () => {
  await using on = await lanesBench();
  const { ends } = await counted(on);
  assertEquals(await ends(sell("a", [1, 1]), sell("a", [1, 1])), ["ok,repeated", 1, 1]);
  assertEquals(await ends({ ...sell("b", [2, 1]), dryRun: true } as Operation), ["ok", 1, 0]);
  assertEquals([await on.onHand(1), await on.onHand(2)], [9, 20]);
});

Deno.test("a policy, a hold and an end of sale are never sold past", async () => {
  await using on = await lanesBench();
  const { lanes, ends } = await counted(on);
  const place = { goodsId: 1, locationId: 0 };
  const other = on.lanes();
  assert((await lanes.apply({ kind: "reserve", orderId: "h", lines: [{ ...place, num: 4 }] }, NEVER)).ok);
  assertEquals(await ends(sell("a", [1, 7])), ["short_stock", 1, 0]);
  assert((await lanes.apply({ kind: "release", orderId: "h" }, NEVER)).ok);
  assertEquals(await ends(sell("b", [1, 1])), ["ok", 0, 1]);
  const policy = { safetyStock: 5, backorderMax: 0 };
  assert((await other.apply({ kind: "policy", operationId: "p", ...place, policy }, NEVER)).ok);
  assertEquals(await ends(sell("c", [1, 5])), ["short_stock", 1, 1]);
  assert((await other.apply({ kind: "delete", operationId: "d", goodsId: 2, locationId: 0 }, NEVER)).ok);
  assertEquals(await ends(sell("d", [2, 1])), ["unknown_goods", 1, 1]);
  // By hand it moves no version.
  await using owner = ownerOf(on.ownerUrl);
  for (const locationId of [0, 1]) {
    const there = { goodsId: 3, locationId };
    for (const num of [5, 10]) {
      const operationId = `set-${locationId}-${num}`;
      assert((await lanes.apply({ kind: "set", operationId, ...there, num }, NEVER)).ok);
    }
    await owner.sql`update levels set safety_stock = 5 where goods_id = 3 and location_id = ${locationId}`;
    const past = { kind: "sell", orderId: `past-${locationId}`, lines: [{ ...there, num: 6 }] } as const;
    assertEquals(await ends(past), ["short_stock", 1, 1], `at location ${locationId}`);
  }
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("what was kept before a period of the ledger began is sold in it where it still stands, and only there", async () => {
  await using on = await lanesBench();
  const { lanes, ends } = await counted(on);
  await using owner = ownerOf(on.ownerUrl);
  await divide(owner.sql);
  assertEquals(await ends(sell("before", [1, 1]), sell("too", [2, 1])), ["ok,ok", 0, 1]);
  assertEquals((await on.lanes().apply(sell("other", [1, 1]), NEVER)).ok, true);
  await beginPeriod(owner.sql, 2);
  assertEquals(await ends(sell("moved", [1, 1])), ["ok", 1, 2]);
  assertEquals(await ends(sell("stands", [2, 1])), ["ok", 0, 1]);
  assertEquals(lanes.tallies.unread.counts, { written: 2, lost: 1 });
  const periods = await owner
    .sql`select goods_id, period, max(version)::int as version from movements group by 1, 2 order by 1, 2`;
  assertEquals(periods.map((row) => Object.values(row)), [[1, 1, 5], [1, 2, 6], [2, 1, 3], [2, 2, 4]]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("a database that has lost the latest changes, as one that was restored, is not written by what was kept", async () => {
  await using on = await lanesBench();
  const { lanes, ends } = await counted(on);
  assertEquals(await ends(sell("lost", [1, 1])), ["ok", 0, 1]);
  await using owner = ownerOf(on.ownerUrl);
  await owner.sql.begin(async (sql) => {
    await sql`delete from orders where order_id = 'lost'`;
    const [gone] = await sql`delete from movements where order_id = 'lost' returning version`;
    await sql`update levels set on_hand = on_hand + 1, version = version - 1 where goods_id = 1 and version = ${
      gone!["version"]
    }`;
  });
  assertEquals(await ends(sell("next", [1, 3]), sell("lost", [1, 1])), ["ok,ok", 1, 2]);
  assertEquals(await on.onHand(1), 6);
  assertEquals(lanes.tallies.unread.counts, { written: 1, lost: 1 });
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("an order whose write on a kept level was lost is read for", async () => {
  await using on = await lanesBench();
  let isLost = false;
  const { lanes, ends, calls } = await counted(on, () => {
    if (!isLost) return Promise.resolve();
    isLost = false;
    return Promise.reject(new OutcomeUnknownError("the connection is gone"));
  });
  isLost = true;
  assertEquals(await ends(sell("a", [1, 1])), ["ok", 1, 2]);
  assertEquals(await ends(sell("b", [1, 1])), ["ok", 0, 1], "what was read and written since is kept again");
  assertEquals([lanes.tallies.failedAttempts.counts.lost_write, calls.reads], [1, 1]);
  assertEquals(await on.onHand(1), 8);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("a lease that runs out keeps a sale without a read from being written, too", async () => {
  await using on = await lanesBench();
  let leftMs = 5000;
  const lanes = on.lanes({
    lock: {
      acquire: () =>
        Promise.resolve({
          remainingMs: () => leftMs,
          extend: () => Promise.reject(new Error("lost")),
          release: () => Promise.resolve(void (leftMs = 5000)),
        }),
    },
  });
  assert((await lanes.apply(set("own", 1, 10), NEVER)).ok);
  leftMs = 1;
  assert((await lanes.apply(sell("a", [1, 1]), NEVER)).ok);
  assertEquals(lanes.tallies.leasesRanOut.counts.before_write, 1);
  assertEquals(await checkLedger(on.ownerUrl), []);
});
