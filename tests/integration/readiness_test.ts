/**
 * What readiness asks of PostgreSQL: that it answers and takes writes, whatever our own queue looks like.
 */
import { assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import type { Changes } from "../../src/inventory/model.ts";
import { settle } from "../../src/inventory/settle.ts";
import { ReadOnlyServerError, RowLockedError } from "../../src/store/errors.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { createTestDatabase } from "../support/database.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { eventually } from "../support/eventually.ts";
import { unlessLate } from "../support/late_answers.ts";

const NEVER = new AbortController().signal;
const MAX = 2;

function storeOn(url: string): Store {
  return createStore({
    address: parsePostgresAddress(url),
    max: MAX,
    waitersMax: 100,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 15_000,
    log: createLog("error", "pretty"),
  });
}

async function changesOf(store: Store, operationId: string, num: number): Promise<Changes> {
  const keys = { stockKeys: [1], orderIds: [], operationIds: [operationId] };
  return settle(await store.readSnapshot(keys, NEVER), [{ kind: "set", operationId, goodsId: 1, locationId: 0, num }])
    .changes;
}

Deno.test("a pool that is all at work does not make the database look away", async () => {
  await using database = await createTestDatabase();
  const store = storeOn(database.serverUrl);
  const owner = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  await store.writeChanges(await changesOf(store, "first", 5), NEVER);
  const changes = await changesOf(store, "second", 6);
  const latch = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const stranger = owner.begin(async (sql) => {
    await sql`select * from levels for update`;
    locked.resolve();
    await latch.promise;
  });
  await locked.promise;
  const writes = Array.from({ length: MAX + 3 }, () => store.writeChanges(changes, NEVER).catch((error) => error));
  await eventually(async () => {
    const [row] = await owner`select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return row?.waiting >= MAX;
  }, "as many writes as may be wait for the row");
  await store.ping(NEVER);
  latch.resolve();
  await stranger;
  const ends = await Promise.all(writes);
  assertEquals(ends.filter((end) => typeof end === "number").length, 1);
  assertEquals(ends.some((end) => end instanceof RowLockedError), false);
  await store.close();
  await owner.end();
});

Deno.test("a database that only reads is not ready, and its connections do not outlive that", async () => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const setReadOnly = (value: "on" | "off") =>
    owner.unsafe(`alter database ${database.name} set default_transaction_read_only = ${value}`);
  const store = storeOn(database.serverUrl);
  const changes = await changesOf(store, "first", 5);
  await setReadOnly("on");
  await owner`
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
  await assertRejects(
    () => unlessLate(() => store.ping(NEVER)),
    ReadOnlyServerError,
    "takes no writes: its sessions are set to read only",
  );
  await assertRejects(() => unlessLate(() => store.writeChanges(changes, NEVER)), ReadOnlyServerError);
  await owner`set default_transaction_read_only = off`;
  await setReadOnly("off");
  // Who comes right behind a search that found nobody is refused by what that found.
  await eventually(() => store.ping(NEVER).then(() => true, () => false), "it is ready");
  await store.writeChanges(await changesOf(store, "second", 5), NEVER);
  assertEquals((await store.readLevels([1], NEVER)).get(1)?.onHand, 5);
  await store.close();
  await owner.end();
});
