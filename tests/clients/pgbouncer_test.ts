/**
 * Behind PgBouncer in transaction mode, as Debian ships it and docs/clients.md sets it: orders go through as they do
 * without it, and what can't be had behind a pooler is reported by name.
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type postgres from "postgres";
import { settle } from "../../src/inventory/settle.ts";
import { DatabaseUnavailableError, LogInFailedError } from "../../src/store/errors.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { callUntilDecided, inParallel, tally } from "../support/callers.ts";
import { applyTo, keysOf, sell, set } from "../support/apply.ts";
import { again } from "../support/clients/client.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { startPgBouncer } from "../support/pgbouncer.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { startServer } from "../support/server.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

/** Fewer sessions than each process has connections, so that they go from hand to hand. */
const SESSIONS_MAX = 4;
const GOODS = 100;
const ORDERS = 1000;
const CALLERS = 40;
const LIMITS = { ...TEST_LIMITS, connectTimeoutMs: 3000, statementTimeoutMs: 1000, lockTimeoutMs: 250 };

for (const concurrency of ["redlock", "row"]) {
  Deno.test(`${concurrency}: ${ORDERS} orders of two processes are sold once, also when the pooler's sessions are ended`, async () => {
    await using database = await createTestDatabase();
    await using bouncer = await startPgBouncer(database.serverUrl, [`default_pool_size = ${SESSIONS_MAX}`]);
    const behind = { ...database, serverUrl: bouncer.through(database.serverUrl) };
    const start = () => startServer({ database: behind, env: { CONCURRENCY: concurrency } });
    const [first, second] = await Promise.all([start(), start()]);
    await using _servers = { [Symbol.asyncDispose]: async () => void await Promise.all([first.stop(), second.stop()]) };
    const urls = [first.url, second.url];
    await using owner = ownerOf(database.ownerUrl);
    await inParallel(GOODS, CALLERS, async (i) => {
      assertEquals((await callUntilDecided(first.url, "SetInv", { goodsId: i + 1, num: 1000 })).code, "ok");
    });

    let sessionsMax = 0;
    const seen: string[] = [];
    const answers = await inParallel(ORDERS, CALLERS, async (i) => {
      if (i % 100 === 50) sessionsMax = Math.max(sessionsMax, await sessions(owner.sql));
      if (i === ORDERS / 2) await endSessions(owner.sql);
      const lines = [{ goodsId: 1 + i % GOODS, num: 1 }, { goodsId: 1 + (i + 37) % GOODS, num: 2 }];
      const answer = await callUntilDecided(
        urls[i % 2]!,
        "Sell",
        { orderId: `order-${i}`, goodsInfo: lines },
        (answer) => {
          seen.push(answer.code);
        },
      );
      // Some are sent twice, to the other process.
      if (i % 10 !== 0) return answer.code;
      const retried = await callUntilDecided(urls[(i + 1) % 2]!, "Sell", { orderId: `order-${i}`, goodsInfo: lines });
      assertEquals(retried, again(answer));
      return answer.code;
    });

    assertEquals(tally(answers), { ok: ORDERS });
    assertEquals(tally(seen).internal, undefined);
    const [left] = await owner.sql<{ num: number }[]>`select sum(on_hand)::int as num from levels`;
    assertEquals(left?.num, GOODS * 1000 - 3 * ORDERS);
    assertEquals(await ledgerViolations(owner.sql), []);
    assertGreater(sessionsMax, 0);
    assertLessOrEqual(sessionsMax, SESSIONS_MAX, "they did not go through PgBouncer");
    for (const { output } of [first, second]) {
      assertEquals(output.stderr.split("PostgreSQL is behind a pooler").length, 2, output.stderr);
    }
  });
}

Deno.test("what a pooler passes over in silence is noticed, and sessions are begun anew", async () => {
  await using bench = await storeBehind([
    "ignore_startup_parameters = enable_seqscan,jit,synchronous_commit,statement_timeout,lock_timeout," +
    "idle_in_transaction_session_timeout",
    `default_pool_size = 2`,
  ]);
  const { store, owner } = bench;
  await assertRejects(() => store.ping(NEVER), DatabaseUnavailableError, "behind a pooler");
  await store.ping(NEVER);
  await applyTo(store, ...[1, 2, 3].map((goodsId) => set(`set-${goodsId}`, goodsId, 1000)));
  await inParallel(200, 8, (i) => sold(store, `order-${i}`, 1 + i % 3));
  const [left] = await owner<{ num: number }[]>`select sum(on_hand)::int as num from levels`;
  assertEquals(left?.num, 2800);
  assertEquals(await ledgerViolations(owner), []);
});

Deno.test("settings that the role does not have behind a pooler are reported by name, and looked at again", async () => {
  await using bench = await storeBehind();
  const { store, owner, bouncer, database } = bench;
  await assertRejects(() => store.ping(NEVER), DatabaseUnavailableError, "did not let us in");
  const forRole = (change: string) => owner.unsafe(`alter role holdfast_server in database ${database.name} ${change}`);
  for (
    const setting of ["enable_seqscan = on", "statement_timeout = 0", "lock_timeout = '2s'", "synchronous_commit = off"]
  ) {
    await forRole(`set ${setting}`);
  }
  await bouncer.say("RECONNECT");
  const { message } = await assertRejects(() => store.ping(NEVER), DatabaseUnavailableError);
  assertStringIncludes(message, "the settings of role holdfast_server do not do");
  assertStringIncludes(message, "enable_seqscan is on, expected off");
  assertStringIncludes(message, "statement_timeout is 0 ms, expected 1 to 1000");
  assertStringIncludes(message, "lock_timeout is 2000 ms, expected 1 to 250");
  assertStringIncludes(message, "synchronous_commit is off");
  assert(!message.includes("idle_in_transaction"), message);
  await forRole("reset all");
  await bouncer.say("RECONNECT");
  await store.ping(NEVER);
});

Deno.test("a pooler that takes no transaction blocks is reported", async () => {
  await using bench = await storeBehind(["pool_mode = statement"]);
  await assertRejects(() => bench.store.ping(NEVER), DatabaseUnavailableError, "did not let us in");
  await assertRejects(() => bench.store.ping(NEVER), DatabaseUnavailableError, "pool_mode must be transaction");
});

/** Sells one unit, with its row locked. */
async function sold(store: Store, orderId: string, goodsId: number): Promise<void> {
  const operation = sell(orderId, [goodsId, 1]);
  const keys = keysOf(operation);
  await store.changeUnderRowLocks(keys, (snapshot) => Promise.resolve(settle(snapshot, [operation]).changes), NEVER);
}

/** Sessions that the pooler has, by the name that it hands on. */
async function sessions(owner: postgres.Sql): Promise<number> {
  const [row] = await owner<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
     where application_name = 'holdfast' and datname = current_database()`;
  return row?.count ?? 0;
}

async function endSessions(owner: postgres.Sql): Promise<void> {
  await owner`
    select pg_terminate_backend(pid) from pg_stat_activity
     where usename = 'holdfast_server' and datname = current_database()`;
}

/** A store behind a PgBouncer with those settings, of a database of its own. */
async function storeBehind(settings: readonly string[] = []) {
  const database = await createTestDatabase();
  const bouncer = await startPgBouncer(database.serverUrl, settings);
  const store = createStore({ ...LIMITS, address: parsePostgresAddress(bouncer.through(database.serverUrl)), max: 8 });
  const owner = ownerOf(database.ownerUrl);
  return {
    database,
    bouncer,
    store,
    owner: owner.sql,
    async [Symbol.asyncDispose]() {
      await store.close();
      await owner[Symbol.asyncDispose]();
      await bouncer[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}

Deno.test("a log-in that the pooler refuses is reported as one", async () => {
  await using database = await createTestDatabase();
  await using bouncer = await startPgBouncer(database.serverUrl);
  for (const username of ["holdfast_server", "nobody_there"]) {
    const url = Object.assign(new URL(bouncer.through(database.serverUrl)), { username, password: "wrong" }).href;
    const store = createStore({ ...LIMITS, address: parsePostgresAddress(url) });
    // The first look finds that there is a pooler.
    await store.ping(NEVER).catch(() => {});
    await assertRejects(() => store.ping(NEVER), LogInFailedError, "PostgreSQL refuses the log-in (08P01)");
    await store.close();
  }
});
