/** Where a period begins or leaves: late writers, late counts, a second run, and one that falls silent. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:net";
import postgres from "postgres";
import { until } from "../../src/base/bounded_wait.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import type { CountOperation } from "../../src/inventory/operations/count.ts";
import { retain } from "../../src/retention/retain.ts";
import { FenceLostError } from "../../src/store/errors.ts";
import {
  beginPeriod,
  divide,
  dropPeriod,
  openPeriod,
  readAheadMs,
} from "../../src/store/statements/retention/periods.ts";
import { createStore, type PostgresStore } from "../../src/store/store.ts";
import { applyTo, rollback, sell, set, settleOn } from "../support/apply.ts";
import { clockedDatabase } from "../support/clocked_database.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";

const WAIT_MS_MAX = 20_000;
/** All that has ended leaves. */
const NOTHING_KEPT = { keptMs: 0, periodMs: 86_400_000 };
const HOUR_US = 3_600_000_000;
/** More than one place has rows in one block of its versions. */
const VERSIONS = 70;

interface Divided extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly owner: postgres.Sql;
  readonly store: PostgresStore;
}

async function divided(made: Promise<TestDatabase> = createTestDatabase()): Promise<Divided> {
  const database = await made;
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const store = createStore({
    ...TEST_LIMITS,
    address: parsePostgresAddress(database.serverUrl),
    decisionAgeMsMax: Infinity,
  });
  await divide(owner);
  return {
    database,
    owner,
    store,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await owner.end({ timeout: 1 });
      await database[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a part of an order that came back does not come back again while the order is on record", async () => {
  await using on = await divided();
  await applyTo(on.store, set("set", 1, 10), sell("order", [1, 3]), sell("gone", [1, 1]));
  await applyTo(on.store, rollback("order", "first", [1, 1]), rollback("gone", "whole"));
  await retain(on.owner, NOTHING_KEPT, NEVER, { decidedMs: 0 });
  await applyTo(on.store, rollback("order", "second", [1, 1]));
  const { orders, operations } = await retain(on.owner, NOTHING_KEPT, NEVER);
  // The set, and what was of the order that left.
  assertEquals([orders, operations], [1, 2]);
  const { verdicts } = await applyTo(on.store, rollback("order", "first", [1, 1]));
  assertEquals(verdicts.map((verdict) => verdict.ok && "replayed" in verdict && verdict.replayed), [true]);
  const [level] = await on.owner<{ on_hand: number }[]>`select on_hand from levels`;
  assertEquals(level?.on_hand, 9);
  assertEquals(await ledgerViolations(on.owner), []);
  // By it places are found, whatever else is kept of them.
  await on.owner`delete from movements where version = 1`;
  assertEquals(await ledgerViolations(on.owner), ["goods 1: without its first movement"]);
});

Deno.test("an id that has left may name another operation, and the ledger adds up", async () => {
  await using on = await divided();
  await applyTo(on.store, set("import", 1, 10));
  await retain(on.owner, NOTHING_KEPT, NEVER, { decidedMs: 0 });
  const { operations } = await retain(on.owner, NOTHING_KEPT, NEVER);
  assertEquals(operations, 1);
  // The first movement of the place has the id still.
  await applyTo(on.store, set("import", 1, 20));
  assertEquals(await ledgerViolations(on.owner), []);
});

Deno.test("a place is not opened again by who decided so before a period, however late that is written", async () => {
  await using on = await divided();
  const late = await settleOn(on.store, set("late", 1, 10));
  await applyTo(on.store, ...Array.from({ length: VERSIONS }, (_, i) => set(`set-${i}`, 1, 100 + i)));
  await beginPeriod(on.owner, 2);
  await openPeriod(on.owner, 2);
  await assertRejects(() => on.store.writeChanges(late.changes, NEVER), FenceLostError);
  assertEquals(await ledgerViolations(on.owner), []);
});

Deno.test("no period begins before the times of the one before it, where the clock was set back", async () => {
  const database = await clockedDatabase();
  await using on = await divided(Promise.resolve(database));
  await applyTo(on.store, set("set", 1, 10));
  await database.setBack(1_500);
  await applyTo(on.store, sell("ahead", [1, 1]));
  const { began } = await retain(on.owner, NOTHING_KEPT, NEVER, { decidedMs: 0 });
  assertEquals(began, 2);
  await applyTo(on.store, sell("after", [1, 1]));
  const rows = await on.owner`
    select order_id, movements.period, at >= began_at as is_since from movements join periods on periods.period = 2
     where order_id is not null order by at`;
  assertEquals([...rows].map((row) => ({ ...row })), [
    { order_id: "ahead", period: 1, is_since: false },
    { order_id: "after", period: 2, is_since: true },
  ]);
  // What is ahead by more is a wrong time, and nobody waits for it.
  await on.owner`update movements set at = at + interval '1 year' where order_id = 'after'`;
  assertEquals(await readAheadMs(on.owner), 0);
});

Deno.test("a late count of a moment whose movements have left changes nothing", async () => {
  await using on = await divided();
  await applyTo(on.store, set("set", 1, 100));
  const [moment] = await on.owner<{ ms: string }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::bigint + 1 as ms`;
  await until(async () => {
    const [now] = await on.owner<{ ms: string }[]>`select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms`;
    return Number(now!.ms) > Number(moment!.ms);
  }, WAIT_MS_MAX);
  await applyTo(on.store, sell("old", [1, 10]));
  await retain(on.owner, NOTHING_KEPT, NEVER, { decidedMs: 0 });
  await applyTo(on.store, sell("new", [1, 1]));
  await retain(on.owner, NOTHING_KEPT, NEVER);
  const occurredAtMs = Number(moment!.ms);
  const count: CountOperation = {
    kind: "count",
    operationId: "count",
    goodsId: 1,
    locationId: 0,
    num: 100,
    occurredAtMs,
  };
  await applyTo(on.store, count);
  const [level] = await on.owner<{ on_hand: number }[]>`select on_hand from levels`;
  assertEquals(level?.on_hand, 89);
});

Deno.test("what was turned over is what is kept of it, without the first movement of a place whose others have left", async () => {
  await using on = await divided();
  await applyTo(on.store, set("set-1", 1, 10), set("set-2", 2, 10), sell("old", [1, 1]));
  await retain(on.owner, NOTHING_KEPT, NEVER, { decidedMs: 0 });
  await applyTo(on.store, sell("new", [1, 2], [2, 3]), set("set-3", 3, 5));
  await retain(on.owner, NOTHING_KEPT, NEVER);
  const us = Date.now() * 1000;
  const query = { isByGoods: true, startsUs: [us - HOUR_US, us + HOUR_US] };
  const none = { day: 0, sold: 0n, givenBack: 0n, added: 0n, removed: 0n, movements: 1n };
  const rows = [{ ...none, goodsId: 1, sold: 2n }, { ...none, goodsId: 2, sold: 3n }, {
    ...none,
    goodsId: 3,
    added: 5n,
  }];
  for (const  of of[query, { ...query, goodsIds: [1, 2, 3] }]) {
    assertEquals(await on.store.lists.turnover(of, { size: 10, afterGoodsId: 0 }, NEVER), { rows, more: false });
  }
});

Deno.test("of two runs at once one goes, and none goes by a clock that is far from this machine's", async () => {
  await using on = await divided();
  await using second = {
    sql: postgres(on.database.ownerUrl, { max: 1 }),
    [Symbol.asyncDispose]: () => second.sql.end(),
  };
  const tomorrow = () => Date.now() + 86_400_000;
  await assertRejects(
    () => retain(on.owner, NOTHING_KEPT, NEVER, { nowMs: tomorrow }),
    Error,
    "the clocks of PostgreSQL and of this machine",
  );
  // Connected before, so that both begin together and the one that goes has not ended by then.
  await Promise.all([on.owner, second.sql].map((sql) => sql`select 1`));
  const runs = await Promise.allSettled(
    [on.owner, second.sql].map((sql) => retain(sql, NOTHING_KEPT, NEVER, { decidedMs: 2000 })),
  );
  assertEquals(runs.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  const [failed] = runs.flatMap((run) => run.status === "rejected" ? [`${run.reason}`] : []);
  assert(failed?.includes("another run is under way"), failed);
});

Deno.test("who falls silent while a period begins keeps sales waiting for no longer than a bound", async () => {
  await using on = await divided();
  await applyTo(on.store, set("set", 1, 10));
  const { hostname, port } = new URL(on.database.ownerUrl);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  let isSilent = false;
  const fallSilent = () => {
    isSilent = true;
    Object.assign(socket, { write: () => true });
    for (const event of ["data", "end", "close"]) socket.removeAllListeners(event);
  };
  const silent = postgres(on.database.ownerUrl, {
    max: 1,
    onnotice: () => {},
    socket: () => socket,
    debug: (_: number, query: string) => query.includes("set default") && fallSilent(),
  } as postgres.Options<Record<string, never>>);
  void beginPeriod(silent, 2);
  assert(await until(() => isSilent, WAIT_MS_MAX), "it did not come to that");
  const sold = () => applyTo(on.store, sell("order", [1, 1])).then(() => true, () => false);
  assert(await until(sold, WAIT_MS_MAX), "sales wait for whoever is silent");
  socket.destroy();
});

Deno.test("a period leaves once whoever reads the ledger has ended, and is added up once", async () => {
  await using on = await divided();
  await applyTo(on.store, set("set", 1, 10));
  await beginPeriod(on.owner, 2);
  const count = { additions: 0, drops: 0 };
  const remover = postgres(on.database.ownerUrl, {
    max: 1,
    onnotice: () => {},
    debug: (_, query) => {
      if (query.includes("insert into openings")) count.additions++;
      if (query.includes("drop table")) count.drops++;
    },
  });
  const dropping = await on.owner.begin(async (sql) => {
    await sql`select count(*) from movements`;
    const dropped = dropPeriod(remover, 1);
    dropped.catch(() => {});
    assert(await until(() => count.drops > 1, WAIT_MS_MAX), "it waits for whoever reads");
    await applyTo(on.store, sell("order", [1, 1]));
    return { dropped };
  });
  await dropping.dropped;
  assertEquals(count.additions, 1);
  assertEquals(await ledgerViolations(on.owner), []);
  await remover.end({ timeout: 1 });
});

Deno.test("a vacuum is waited for in a manner that keeps no sale waiting", async () => {
  await using database = await createTestDatabase();
  const [owner, vacuum] = [1, 2].map(() => postgres(database.ownerUrl, { max: 1, onnotice: () => {} }));
  const store = createStore({
    ...TEST_LIMITS,
    address: parsePostgresAddress(database.serverUrl),
    decisionAgeMsMax: Infinity,
  });
  const dividing = vacuum!.begin(async (sql) => {
    await sql`lock table movements in share update exclusive mode`;
    const divided = divide(owner!);
    divided.catch(() => {});
    const isWaiting = async () => {
      const rows = await sql`
        select from pg_locks where relation = 'movements'::regclass and not granted and mode = 'ShareUpdateExclusiveLock'`;
      return rows.length > 0;
    };
    assert(await until(isWaiting, WAIT_MS_MAX), "it asks for a lock that sales wait behind");
    await applyTo(store, set("set", 1, 10), sell("order", [1, 1]));
    return { divided };
  });
  await (await dividing).divided;
  await beginPeriod(owner!, 2);
  await applyTo(store, sell("next", [1, 1]));
  assertEquals(await ledgerViolations(owner!), []);
  await store.close();
  for (const sql of [owner!, vacuum!]) await sql.end({ timeout: 1 });
});
