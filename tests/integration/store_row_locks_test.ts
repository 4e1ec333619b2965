/**
 * Changes under row locks: the second writer waits instead of losing, and a block whose connection died, or that was
 * idle for too long, leaves nothing behind, inside or outside of a transaction.
 */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import postgres from "postgres";
import { freePort } from "../../tools/stack/ports.ts";
import type { Changes, Snapshot } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { settle } from "../../src/inventory/settle.ts";
import {
  BlockLostError,
  DatabaseUnavailableError,
  FenceLostError,
  OutcomeUnknownError,
  RowLockedError,
} from "../../src/store/errors.ts";
import type { PoolOptions } from "../../src/store/postgres/pool.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { applyTo, keysOf, sell, set } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { NEVER, TEST_LIMITS, watchUncaught, within } from "../support/pool_probe.ts";
import { allRows } from "../support/all_rows.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { eventually, HANG_MS } from "../support/eventually.ts";
import { rejectionOf } from "../support/rejection_of.ts";

const STORM_ROUNDS = 15;

/** What `settle` makes of the operation, as the lanes have it. */
function deciding(operation: Operation): (snapshot: Snapshot) => Promise<Changes> {
  return (snapshot) => Promise.resolve(settle(snapshot, [operation]).changes);
}

function change(store: Store, operation: Operation, decide = deciding(operation)): Promise<void> {
  const keys = keysOf(operation);
  return store.changeUnderRowLocks(keys, decide, NEVER);
}

Deno.test("two changes of one goods, of which the second waits for the first and loses nothing", async () => {
  await using bench = await twoStores();
  const [one, other] = bench.stores;
  const inBlock = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const first = change(one, sell("a", [1, 1]), async (snapshot) => {
    inBlock.resolve();
    await goOn.promise;
    return settle(snapshot, [sell("a", [1, 1])]).changes;
  });
  await inBlock.promise;
  let seen: number | undefined;
  const second = change(other, sell("b", [1, 1]), (snapshot) => {
    seen = snapshot.levels.get(1)?.onHand;
    return Promise.resolve(settle(snapshot, [sell("b", [1, 1])]).changes);
  });
  await eventually(async () => await bench.waiting() === 1, "the second waits for the row");
  assertEquals(seen, undefined, "it was read before the row was had");
  goOn.resolve();
  await within(Promise.all([first, second]), "both changes");
  assertEquals(seen, 9, "the snapshot is older than the lock");
  assertEquals(await ledgerViolations(bench.owner), []);
});

Deno.test("without something to write the block is undone, and gives the rows free at once", async () => {
  await using bench = await twoStores({ max: 1 });
  const [one, other] = bench.stores;
  const before = await allRows(bench.owner);
  await one.changeUnderRowLocks(
    { stockKeys: [1, 2], orderIds: [], operationIds: [] },
    () => Promise.resolve(undefined),
    NEVER,
  );
  assertEquals(await allRows(bench.owner), before);
  await within(change(other, sell("a", [1, 1])), "a change of the same row");
  await within(change(one, sell("b", [1, 1])), "the next change on the connection of the block");
  assertEquals(await ledgerViolations(bench.owner), []);
});

Deno.test("a decision that fails undoes the block and is thrown as it is", async () => {
  await using bench = await twoStores({ max: 1 });
  const [one] = bench.stores;
  const before = await allRows(bench.owner);
  await assertRejects(
    () => change(one, sell("a", [1, 1]), () => Promise.reject(new RangeError("no"))),
    RangeError,
    "no",
  );
  assertEquals(await allRows(bench.owner), before);
  await within(change(one, sell("b", [1, 1])), "the next change on the same connection");
});

Deno.test("goods that are new have no row to lock: of two that create one, the second loses by the fence", async () => {
  await using bench = await twoStores();
  const [one, other] = bench.stores;
  const error = await rejectionOf(change(one, set("s", 9, 1), async (snapshot) => {
    await change(other, set("t", 9, 2));
    return settle(snapshot, [set("s", 9, 1)]).changes;
  }));
  assertInstanceOf(error, FenceLostError);
  assertEquals(await ledgerViolations(bench.owner), []);
  await within(change(one, sell("a", [1, 1])), "the next change on the same connection");
});

Deno.test("a row that somebody locks for longer than the lock timeout ends as locked, and nothing is written", async () => {
  await using bench = await twoStores({ lockTimeoutMs: 100 });
  const [one] = bench.stores;
  const foreign = await bench.owner.reserve();
  await foreign`begin`;
  await foreign`select 1 from levels where goods_id = 1 for update`;
  const before = await allRows(bench.owner);
  assertInstanceOf(await within(rejectionOf(change(one, sell("a", [1, 1]))), "the change"), RowLockedError);
  assertEquals(await allRows(bench.owner), before);
  await foreign`rollback`;
  foreign.release();
  await within(change(one, sell("a", [1, 1])), "the change, once the row is free");
});

Deno.test("a connection that dies between the read and the write: nothing is written, in a block or outside of it", async () => {
  await using bench = await twoStores({ max: 1 });
  using uncaught = watchUncaught();
  const [one] = bench.stores;
  const before = await allRows(bench.owner);
  for (let round = 0; round < STORM_ROUNDS; round++) {
    // Others wait for the same connection, so that a driver which dials again has reason to.
    const others = Promise.allSettled(Array.from({ length: 3 }, () => one.readLevels([1], NEVER)));
    const losing = () =>
      rejectionOf(change(one, sell(`lost-${round}`, [1, 1]), async (snapshot) => {
        await bench.terminateAll();
        return settle(snapshot, [sell(`lost-${round}`, [1, 1])]).changes;
      }));
    let error = await losing();
    // A busy machine may not let it in at first.
    while (error instanceof DatabaseUnavailableError) error = await losing();
    assert(isLoss(error), `round ${round}: ${error}`);
    await within(others, "the reads behind it");
  }
  assertEquals(await allRows(bench.owner), before);
  assertEquals(uncaught.errors, []);
  await eventually(
    () => change(one, sell("after", [1, 1])).then(() => true, () => false),
    "the next change goes through",
  );
});

Deno.test("a connection that dies while the rows are waited for: nothing was written, and the error says so", async () => {
  await using bench = await twoStores({ max: 1 });
  const [one] = bench.stores;
  const foreign = await bench.owner.reserve();
  await foreign`begin`;
  await foreign`select 1 from levels where goods_id = 1 for update`;
  const before = await allRows(bench.owner);
  let decided = 0;
  const changing = rejectionOf(change(one, sell("a", [1, 1]), (snapshot) => {
    decided++;
    return deciding(sell("a", [1, 1]))(snapshot);
  }));
  await eventually(async () => await bench.waiting() === 1, "the change waits");
  await bench.terminateAll();
  assertInstanceOf(await within(changing, "the change"), BlockLostError);
  await foreign`rollback`;
  foreign.release();
  assertEquals([decided, await allRows(bench.owner)], [0, before]);
});

Deno.test("a look at row locks that can't be had fails as such, and blames nobody", async () => {
  await using bench = await twoStores({ max: 1 });
  const foreign = await bench.owner.reserve();
  await foreign`begin`;
  await foreign`lock table levels in access exclusive mode`;
  const looking = rejectionOf(bench.stores[0].readLocked([1, 2], NEVER));
  await eventually(async () => await bench.waiting() === 1, "the look waits");
  await bench.terminateAll();
  assertInstanceOf(await within(looking, "the look"), OutcomeUnknownError);
  await foreign`rollback`;
  foreign.release();
});

Deno.test("a connection that dies under the write leaves its outcome unknown, and half of nothing", async () => {
  await using bench = await twoStores({ max: 1 });
  const [one] = bench.stores;
  const foreign = await bench.owner.reserve();
  await foreign`begin`;
  // The write waits for this order's id until the foreign session ends.
  await foreign`insert into orders (order_id, state, goods_ids, nums, returned) values ('a', 'sold', '{1}', '{1}', '{0}')`;
  const changing = rejectionOf(change(one, sell("a", [1, 1], [2, 1])));
  await eventually(async () => await bench.waiting() === 1, "the write waits");
  await bench.terminateAll();
  assertInstanceOf(await within(changing, "the change"), OutcomeUnknownError);
  await foreign`rollback`;
  foreign.release();
  assertEquals(await bench.owner`select 1 from orders where order_id = 'a'`.then((rows) => rows.length), 0);
  assertEquals(await ledgerViolations(bench.owner), []);
});

Deno.test("a block that is idle for longer than a statement may take gives its rows free", async () => {
  await using bench = await twoStores({ statementTimeoutMs: 3000 });
  const [one, other] = bench.stores;
  const error = await rejectionOf(change(one, sell("a", [1, 1]), async (snapshot) => {
    // As if the process stood still: it is PostgreSQL that ends it, and the other that sees it.
    const changes = () => change(other, sell("b", [1, 1])).then(() => true, () => false);
    await eventually(changes, "the other change");
    return settle(snapshot, [sell("a", [1, 1])]).changes;
  }));
  assert(isLoss(error), String(error));
  assertEquals(await bench.owner`select order_id from orders where order_id in ('a', 'b')`.then((rows) => [...rows]), [
    { order_id: "b" },
  ]);
  assertEquals(await ledgerViolations(bench.owner), []);
});

Deno.test("a block that is not let in says so at once, with all that was sent behind its beginning", async () => {
  await using database = await createTestDatabase();
  const wrong = { "a port of nobody": { port: `${freePort()}` }, "another password": { password: "wrong" } };
  for (const [name, part] of Object.entries(wrong)) {
    const { href } = Object.assign(new URL(database.serverUrl), part);
    // Far longer than is waited for here.
    const options = { ...TEST_LIMITS, connectTimeoutMs: 10 * HANG_MS, address: parsePostgresAddress(href) };
    const store = createStore(options);
    const refusal = await within(rejectionOf(change(store, sell("a", [1, 1]))), `the change with ${name}`);
    assertInstanceOf(refusal, DatabaseUnavailableError);
    await within(store.close(), "the end");
  }
});

/** Whether the end of the connection is seen before the write is sent or behind it is a matter of microseconds. */
function isLoss(error: unknown): boolean {
  return error instanceof BlockLostError || error instanceof OutcomeUnknownError;
}

interface Bench extends AsyncDisposable {
  readonly stores: readonly [Store, Store];
  readonly owner: postgres.Sql;
  /** Statements of the stores that wait for a lock. */
  waiting(): Promise<number>;
  terminateAll(): Promise<void>;
}

/** Two stores on one database with ten units of goods 1 to 3. */
async function twoStores(limits: Partial<PoolOptions> = {}): Promise<Bench> {
  const database = await createTestDatabase();
  const options = { ...TEST_LIMITS, ...limits, address: parsePostgresAddress(database.serverUrl) };
  const stores = [createStore(options), createStore(options)] as const;
  const owner = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  await applyTo(stores[0], set("set-1", 1, 10), set("set-2", 2, 10), set("set-3", 3, 10));
  return {
    stores,
    owner,
    async waiting() {
      const [row] = await owner<{ count: number }[]>`
        select count(*)::int as count from pg_stat_activity
         where application_name = 'holdfast' and datname = current_database() and wait_event_type = 'Lock'`;
      return row?.count ?? 0;
    },
    async terminateAll() {
      await owner`
        select pg_terminate_backend(pid, 5000) from pg_stat_activity
         where application_name = 'holdfast' and datname = current_database()`;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
      await owner.end({ timeout: 1 });
      await database.drop();
    },
  };
}
