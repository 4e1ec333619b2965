/**
 * The fence where the tables are partitioned: the database names the keys then, and the answers stay what they were.
 */
import { assertEquals, assertGreater } from "@std/assert";
import postgres from "postgres";
import { Lanes } from "../../src/lanes/lanes.ts";
import type { LanesLimits } from "../../src/lanes/lanes_limits.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { applyTo, sell, set } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

/** Of ten races six meet the key of a partition: without the protection that many end otherwise. */
const RACES = 100;
const PARTITIONS = 4;
const LIMITS: LanesLimits = {
  operationsMax: 1000,
  linesMax: 100_000,
  batchesMax: 3,
  lockWaitMsMax: 20_000,
  lockAttemptMsMax: 50,
  writeMsMax: 1000,
};
const KEYS = { levels: "goods_id", orders: "order_id", operations: "operation_id", movements: "goods_id" } as const;

Deno.test("two servers, one order id, other goods, on tables partitioned by hash: one sells, the other hears why not", async () => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  await partition(owner);
  const stores = [1, 2].map(() =>
    createStore({ ...TEST_LIMITS, max: 6, address: parsePostgresAddress(database.serverUrl) })
  );
  const [one, other] = stores.map((store) =>
    new Lanes({ store, mode: { concurrency: "optimistic" }, random: Math.random, log: TEST_LIMITS.log }, LIMITS)
  ) as [Lanes, Lanes];
  await applyTo(stores[0] as Store, set("s1", 1, RACES), set("s2", 2, RACES));
  const counts = { sold: 0, differs: 0 };
  const others: unknown[] = [];
  // One race after the other: several orders that fail together are tried again one by one.
  for (let race = 0; race < RACES; race++) {
    const ends = await Promise.allSettled([
      one.apply(sell(`order-${race}`, [1, 1]), NEVER),
      other.apply(sell(`order-${race}`, [2, 1]), NEVER),
    ]);
    for (const end of ends) {
      const verdict = end.status === "fulfilled" ? end.value : undefined;
      if (verdict?.ok) counts.sold++;
      else if (verdict?.refusal.reason === "content_differs") counts.differs++;
      else others.push(end);
    }
  }
  assertEquals(others.slice(0, 3), [], `${others.length} of ${2 * RACES} ended otherwise`);
  assertEquals(counts, { sold: RACES, differs: RACES });
  assertEquals(await ledgerViolations(owner), []);
  const keys = await owner`select conname from pg_constraint where contype = 'p' and conname like 'orders%pkey'`;
  assertGreater(keys.length, PARTITIONS, "the orders are in one table");
  await Promise.all([one.close(), other.close()]);
  await Promise.all(stores.map((store) => store.close()));
  await owner.end({ timeout: 1 });
});

/** Puts partitioned tables in the place of the migrated ones, with the same columns, constraints and rights. */
async function partition(owner: postgres.Sql): Promise<void> {
  for (const [table, key] of Object.entries(KEYS)) {
    await owner.unsafe(`alter table ${table} rename to plain_${table}`);
    await owner.unsafe(`alter index ${table}_pkey rename to plain_${table}_pkey`);
    await owner.unsafe(`create table ${table} (like plain_${table} including all) partition by hash (${key})`);
    for (let i = 0; i < PARTITIONS; i++) {
      await owner.unsafe(`
        create table ${table}_${i} partition of ${table} for values with (modulus ${PARTITIONS}, remainder ${i})`);
    }
    await owner.unsafe(`grant select, insert, update on ${table} to holdfast_server`);
  }
}
