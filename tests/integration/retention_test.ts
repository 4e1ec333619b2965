/**
 * Old movements leave: what a place comes of is kept, sales go on beside it, and what is lost is what the page says.
 */
import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import postgres from "postgres";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { addsUp } from "../../src/inventory/explained.ts";
import { Lanes } from "../../src/lanes/lanes.ts";
import type { LanesLimits } from "../../src/lanes/lanes_limits.ts";
import { retain } from "../../src/retention/retain.ts";
import { FenceLostError } from "../../src/store/errors.ts";
import { beginPeriod, divide, dropPeriod, readPeriods } from "../../src/store/statements/retention/periods.ts";
import { createStore, type PostgresStore } from "../../src/store/store.ts";
import { applyTo, rollback, sell, set, settleOn } from "../support/apply.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { reserve } from "../support/holds.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { oldSell } from "../support/version_0_1_0.ts";
import { watchProcess } from "../support/watched.ts";

const LIMITS: LanesLimits = {
  operationsMax: 1000,
  linesMax: 100_000,
  batchesMax: 3,
  lockWaitMsMax: 20_000,
  lockAttemptMsMax: 50,
  writeMsMax: 1000,
};
const GOODS = 5;
const STOCK = 100_000;
const CALLERS = 8;

for (const concurrency of ["optimistic", "row"] as const) {
  const title = "periods begin and leave while orders are sold: all places add up, and no order is lost or doubled";
  Deno.test(`${concurrency}: ${title}`, () => sellThroughPeriods(concurrency));
}

async function sellThroughPeriods(concurrency: "optimistic" | "row"): Promise<void> {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const store = createStore({ ...TEST_LIMITS, max: 6, address: parsePostgresAddress(database.serverUrl) });
  const lanes = new Lanes(
    { store, mode: { concurrency }, random: Math.random, log: TEST_LIMITS.log },
    LIMITS,
  );
  // One place is idle from its first day on.
  await applyTo(store, ...Array.from({ length: GOODS + 1 }, (_, i) => set(`set-${i}`, i + 1, STOCK)));
  await applyTo(store, sell("old", [1, 3], [2, 1]));
  let sold = 0;
  let isOver = false;
  const selling = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let n = 0; !isOver; n++) {
      const verdict = await lanes.apply(sell(`order-${caller}-${n}`, [1 + n % GOODS, 1]), NEVER);
      assert(verdict.ok, JSON.stringify(verdict));
      sold++;
    }
  });
  await using process = watchProcess(database);
  const stream = process.movements();
  await stream.until(() => stream.events.length > 0);
  const more = async () => {
    const target = sold + 50;
    while (sold < target) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const newest = async () => {
    const [level] = await owner<{ version: number }[]>`select version::int from levels where goods_id = 1`;
    return level!.version;
  };
  await more();
  await divide(owner);
  assertEquals(await ledgerViolations(owner), []);
  for (const period of [2, 3, 4]) {
    await beginPeriod(owner, period);
    await more();
    // Who has got the last movement of a period that leaves, and none since, would begin anew.
    const version = await newest();
    await stream.until(() => (stream.versions.get(1) ?? 0) >= version);
    await dropPeriod(owner, period - 1);
    assertEquals(await ledgerViolations(owner), [], `period ${period}`);
  }
  isOver = true;
  await Promise.all(selling);

  // Who streams rows of the ledger has got each, in whatever period it was written.
  const last = await newest();
  await stream.until(() => stream.versions.get(1) === last);
  await stream.leave();

  const { periods } = await readPeriods(owner);
  assertEquals(periods.map(({ period }) => period), [4]);
  const [counts] = await owner<{ kept: number; moved: number }[]>`
    select (select count(*)::int from movements where period > 0) as kept,
           (select sum(version)::int from levels) as moved`;
  assertGreater(counts!.moved, counts!.kept);
  // By these places are found.
  assertEquals((await owner`select goods_id from movements where version = 1`).length, GOODS + 1);
  const [onHand] = await owner<{ sum: number }[]>`select sum(on_hand)::int as sum from levels`;
  assertEquals(onHand?.sum, (GOODS + 1) * STOCK - sold - 4);
  await assertPlacesAreWhole(store);

  // Its movements are gone, its order is not: it is answered as it was, and given back once.
  const { verdicts } = await applyTo(store, sell("old", [1, 3], [2, 1]), rollback("old", undefined));
  assertEquals(verdicts.map(({ ok }) => ok), [true, true]);
  assertEquals(await ledgerViolations(owner), []);
  await lanes.close();
  await store.close();
  await owner.end({ timeout: 1 });
}

Deno.test("a decision of before a period is not written into it: of two that read one version one commits", async () => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await applyTo(store, set("set", 1, 10));
  await divide(owner);
  const late = await settleOn(store, sell("late", [1, 1]));
  const fresh = await settleOn(store, set("new", 2, 10));
  await beginPeriod(owner, 2);
  for (const { changes } of [late, fresh]) {
    await assertRejects(() => store.writeChanges(changes, NEVER), FenceLostError);
  }
  await applyTo(store, sell("early", [1, 1]), set("new", 2, 10));
  await using before = ownerOf(database.serverUrl);
  assertEquals(await oldSell(before.sql, "by 0.1.0", [1, 1]), "sold");
  assertEquals(await ledgerViolations(owner), []);
  await store.close();
  await owner.end({ timeout: 1 });
});

Deno.test("a run does what is due, and orders leave behind their movements", async () => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await applyTo(store, set("set", 1, 10));
  await applyTo(store, sell("old", [1, 1]), sell("older", [1, 1]));
  await applyTo(store, sell("oldest", [1, 1]), reserve("held", [[1, 1]], { ttlMs: 60_000 }));
  const window = { keptMs: 0, periodMs: 86_400_000 };
  assertEquals(await retain(owner, { ...window, keptMs: 86_400_000 }, NEVER, { decidedMs: 0 }), {
    began: 2,
    dropped: [],
    orders: 0,
    operations: 0,
  });
  await applyTo(store, sell("new", [1, 1]));
  assertEquals(await retain(owner, window, NEVER, { pageRows: 1 }), {
    began: undefined,
    dropped: [1],
    orders: 3,
    operations: 1,
  });
  const left = await owner`select order_id from orders order by order_id`;
  assertEquals(left.map((row) => row["order_id"]), ["held", "new"]);
  assertEquals(await ledgerViolations(owner), []);
  await assertPlacesAreWhole(store);
  // Once is for as long as it is known.
  const { verdicts } = await applyTo(store, sell("new", [1, 1]), sell("old", [1, 1]));
  assertEquals(verdicts.map((verdict) => "replayed" in verdict), [true, false]);
  assertEquals(await ledgerViolations(owner), []);
  await store.close();
  await owner.end({ timeout: 1 });
});

/** What the service itself says of its ledger. */
async function assertPlacesAreWhole(store: PostgresStore): Promise<void> {
  const { places, off } = await store.checkLedger(undefined, 500, NEVER);
  assertEquals(off, []);
  for (let goodsId = 1; goodsId <= places; goodsId++) {
    const explained = await store.lists.explain({ goodsId, locationId: 0 }, { movements: 10, holds: 10 }, NEVER);
    assert(explained !== undefined && addsUp(explained), `goods ${goodsId}: ${JSON.stringify(explained)}`);
    assertGreater(explained.opening.version, 0);
  }
}
