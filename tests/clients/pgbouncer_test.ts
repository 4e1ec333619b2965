/**
 * Behind PgBouncer in transaction mode, as Debian ships it and docs/clients.md sets it: orders go through as they do
 * without it, and what can't be had behind a pooler is reported by name.
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { settle } from "../../src/inventory/settle.ts";
import type { Snapshot } from "../../src/inventory/model.ts";
import { DatabaseUnavailableError, LogInFailedError, RowLockedError } from "../../src/store/errors.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { inParallel } from "../support/callers.ts";
import { applyTo, keysOf, sell, set } from "../support/apply.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { unlessLate } from "../support/late_answers.ts";
import { startPgBouncer } from "../support/pgbouncer.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { throughPooler } from "../drills/pooler/through_pooler.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

/** Ten of each caller, and the sessions are ended behind half of them. */
const ORDERS = 400;
const LIMITS = { ...TEST_LIMITS, statementTimeoutMs: 5000, lockTimeoutMs: 250 };

for (const concurrency of ["redlock", "row"] as const) {
  Deno.test(`${concurrency}: ${ORDERS} orders of two processes are sold once, also when the pooler's sessions are ended`, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const size = { concurrency, endsSessions: true };
    const { faults, figures } = await throughPooler(size, { seed, orders: ORDERS, say: () => {} });
    assertEquals(faults, [], `seed ${seed}: ${JSON.stringify(figures)}`);
    assertEquals(figures["orders"], ORDERS);
  });
}

Deno.test("what a pooler passes over in silence is noticed, and sessions are begun anew", async () => {
  await using bench = await storeBehind([
    "ignore_startup_parameters = enable_seqscan,jit,synchronous_commit,statement_timeout,lock_timeout," +
    "idle_in_transaction_session_timeout",
    `default_pool_size = 2`,
  ]);
  const { store, owner } = bench;
  await assertRejects(() => look(store), DatabaseUnavailableError, "behind a pooler");
  await look(store);
  await applyTo(store, ...[1, 2, 3].map((goodsId) => set(`set-${goodsId}`, goodsId, 1000)));
  await inParallel(200, 8, (i) => sold(store, `order-${i}`, 1 + i % 3));
  const [left] = await owner<{ num: number }[]>`select sum(on_hand)::int as num from levels`;
  assertEquals(left?.num, 2800);
  assertEquals(await ledgerViolations(owner), []);
});

Deno.test("settings that the role does not have behind a pooler are reported by name, and looked at again", async () => {
  await using bench = await storeBehind();
  const { store, owner, bouncer, database } = bench;
  await assertRejects(() => look(store), DatabaseUnavailableError, "did not let us in");
  const forRole = (change: string) => owner.unsafe(`alter role holdfast_server in database ${database.name} ${change}`);
  for (
    const setting of ["enable_seqscan = on", "statement_timeout = 0", "lock_timeout = '2s'", "synchronous_commit = off"]
  ) {
    await forRole(`set ${setting}`);
  }
  await bouncer.say("RECONNECT");
  const { message } = await assertRejects(() => look(store), DatabaseUnavailableError);
  assertStringIncludes(message, "the settings of role holdfast_server do not do");
  assertStringIncludes(message, "enable_seqscan is on, expected off");
  assertStringIncludes(message, "statement_timeout is 0 ms, expected 1 to 5000");
  assertStringIncludes(message, "lock_timeout is 2000 ms, expected 1 to 250");
  assertStringIncludes(message, "synchronous_commit is off");
  assert(!message.includes("idle_in_transaction"), message);
  await forRole("reset all");
  await bouncer.say("RECONNECT");
  await look(store);
});

Deno.test("a pooler that takes no transaction blocks is reported", async () => {
  await using bench = await storeBehind(["pool_mode = statement"]);
  await assertRejects(() => look(bench.store), DatabaseUnavailableError, "did not let us in");
  await assertRejects(() => look(bench.store), DatabaseUnavailableError, "pool_mode must be transaction");
});

const look = (store: Store) => unlessLate(() => store.ping(NEVER));

/**
 * Sells one unit, with its row locked: which others may have, on a busy machine, for longer than a statement waits for
 * it, and then nothing was written.
 */
async function sold(store: Store, orderId: string, goodsId: number): Promise<void> {
  const operation = sell(orderId, [goodsId, 1]);
  const keys = keysOf(operation);
  const decide = (snapshot: Snapshot) => Promise.resolve(settle(snapshot, [operation]).changes);
  for (;;) {
    try {
      return await store.changeUnderRowLocks(keys, decide, NEVER);
    } catch (error) {
      if (!(error instanceof RowLockedError)) throw error;
    }
  }
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
    await assertRejects(() => look(store), LogInFailedError, "PostgreSQL refuses the log-in (08P01)");
    await store.close();
  }
});
