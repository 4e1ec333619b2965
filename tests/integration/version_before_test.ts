/**
 * The version before, 0.1.0: what it left in a database is all there after the migration, and its servers may run
 * beside new ones on one database.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { migrate } from "../../src/migrate/main.ts";
import { FenceLostError } from "../../src/store/errors.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { applyTo, sell, set } from "../support/apply.ts";
import { createTestDatabase, ownerOf, type TestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import {
  oldGiveBack,
  oldLevels,
  oldLock,
  oldLocked,
  oldOffLedger,
  oldPing,
  oldRollback,
  oldSell,
  oldSet,
  oldSnapshot,
} from "../support/version_0_1_0.ts";

const log = createLog("warn", "pretty");
/** Versions of one goods, more than a block of its row has. */
const VERSIONS = 150;
/** The migrations that 0.1.0 came with. */
const OF_0_1_0 = ["20261122000001_stock_orders_movements.sql", "20261128000001_stock_version_block.sql"];

/** The columns of 0.1.0, by table, and what puts rows in one sequence. */
const COLUMNS = {
  stock: ["goods_id, on_hand, reserved, version, created_at, updated_at, deleted_at, version_block", "goods_id"],
  orders: ["order_id, state, goods_ids, nums, returned, expires_at, created_at, updated_at", "order_id"],
  operations: ["operation_id, kind, order_id, goods_ids, nums, created_at", "operation_id"],
  movements: [
    "goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta, on_hand_after, reserved_after, " +
    "reason, actor, at",
    "goods_id, version",
  ],
} as const;

Deno.test("a database of 0.1.0 with data keeps every row when it goes up, down and up again", async () => {
  await using database = await createTestDatabase({ empty: true });
  await makeVersion010(database);
  await fill(database);
  const before = await rowsOf(database);
  assertEquals(Object.values(before).map((rows) => rows.length), [4, 8, VERSIONS + 7, VERSIONS + 13]);

  await run(database, "up");
  assertEquals(await rowsOf(database), before);
  await using owner = ownerOf(database.ownerUrl);
  const added = await owner.sql`
    select distinct location_id, safety_stock, backorder_max, order_num_max, buyer_num_max, low_stock_at, is_low,
           holds_from from levels`;
  assertEquals(added.map((row) => ({ ...row })), [{
    location_id: 0,
    safety_stock: 0,
    backorder_max: 0,
    order_num_max: null,
    buyer_num_max: null,
    low_stock_at: null,
    is_low: false,
    holds_from: null,
  }]);
  assertEquals(await checkLedger(database.ownerUrl), []);

  await run(database, "down");
  assertEquals(await rowsOf(database), before);
  await run(database, "up");
  assertEquals(await rowsOf(database), before);

  // And it goes on from there.
  const store = storeOn(database);
  try {
    const { verdicts } = await applyTo(store, sell("new", [1, 1], [3, 2]), sell("sold-1", [1, 1]));
    assertEquals(verdicts.map((verdict) => [verdict.ok, "replayed" in verdict]), [[true, false], [true, true]]);
  } finally {
    await store.close();
  }
  assertEquals(await checkLedger(database.ownerUrl), []);
});

/** What 0.1.0 has no words for: what the refusal names, and what makes one. */
const NO_WORDS: readonly (readonly [named: string, statement: string])[] = [
  [
    "stock at other locations than 0",
    "insert into levels (goods_id, location_id, on_hand, version) values (9, 5, 1, 1)",
  ],
  [
    "stock at other locations than 0",
    `insert into movements (goods_id, location_id, version, kind, on_hand_delta, reserved_delta, on_hand_after,
                            reserved_after) values (9, 5, 1, 'set', 1, 0, 1, 0)`,
  ],
  ["holds", "insert into holds (goods_id, location_id, expires_at, order_id, num) values (9, 0, now(), 'a', 1)"],
  [
    "shortfalls",
    `insert into shortfalls (order_id, goods_ids, location_ids, asked, available)
     values ('a', '{9}', '{0}', '{1}', '{0}')`,
  ],
  [
    "buyers of orders",
    "insert into orders (order_id, state, goods_ids, nums, returned, buyer_id) values ('a', 'sold', '{9}', '{1}', '{0}', 'b')",
  ],
  [
    "orders of which less was taken than asked for",
    "insert into orders (order_id, state, goods_ids, nums, returned, asked) values ('a', 'sold', '{9}', '{1}', '{0}', '{2}')",
  ],
  ["skus", "insert into goods (goods_id, sku) values (9, 'a')"],
  ["reasons of the shop's own", "insert into reasons (code, description) values ('sample', 'x')"],
  ["policies", "insert into levels (goods_id, on_hand, version, safety_stock) values (9, 1, 1, 1)"],
  [
    "movements of the kinds adjust count",
    `insert into movements (goods_id, version, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after)
     values (9, 1, 'adjust', 1, 0, 1, 0), (9, 2, 'count', 0, 0, 1, 0)`,
  ],
  [
    "operations of the kinds transfer",
    "insert into operations (operation_id, kind, goods_ids, nums) values ('a', 'transfer', '{9}', '{1}')",
  ],
  [
    "backorders",
    `insert into movements (goods_id, version, kind, order_id, on_hand_delta, reserved_delta, on_hand_after, reserved_after)
     values (9, 1, 'sell', 'a', -1, 0, -1, 0)`,
  ],
  [
    "documents of movements",
    `insert into movements (goods_id, version, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after,
                            document_uri) values (9, 1, 'set', 1, 0, 1, 0, 'a')`,
  ],
  [
    "movements that happened before they were written down",
    `insert into movements (goods_id, version, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after,
                            occurred_at) values (9, 1, 'set', 1, 0, 1, 0, now())`,
  ],
];

Deno.test("what 0.1.0 has no words for is not lost: the migration down refuses, and says what there is", async (t) => {
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  for (const [named, statement] of NO_WORDS) {
    await t.step(`${named}: ${statement.slice(0, 30)}`, async () => {
      await owner.sql.unsafe(statement);
      const { message } = await assertRejects(() => run(database, "down"), Error);
      assert(message.includes(`the version before has no words for what is on record: ${named}`), message);
      assertEquals((await owner.sql`select to_regclass('levels') is not null as there`)[0]?.["there"], true);
      await owner.sql.unsafe(
        "truncate levels, movements, orders, operations, holds, shortfalls, goods; delete from reasons where code = 'sample'",
      );
    });
  }
  await run(database, "down");
});

Deno.test("statements of both versions sell the same goods at once: nothing is oversold, the ledger is whole", async () => {
  await using database = await createTestDatabase();
  const [goods, other] = [1, 2];
  const stock = 120;
  await using old = ownerOf(database.serverUrl);
  await oldSet(old.sql, "old-set", goods, stock);
  const stores = [storeOn(database), storeOn(database)];
  await applyTo(stores[0]!, set("new-set", other, stock));
  const sold = { old: 0, new: 0 };
  const oldSessions = [1, 2].map(() => postgres(database.serverUrl, { max: 1, onnotice: () => {} }));
  try {
    await Promise.all([
      ...oldSessions.map(async (sql, n) => {
        for (let i = 0;; i++) {
          if (await oldSell(sql, `old-${n}-${i}`, [goods, 1], [other, 1]) !== "sold") break;
          sold.old++;
        }
      }),
      ...stores.map(async (store, n) => {
        for (let i = 0; await newSell(store, `new-${n}-${i}`, goods, other); i++) sold.new++;
      }),
    ]);
  } finally {
    await Promise.all([...oldSessions.map((sql) => sql.end()), ...stores.map((store) => store.close())]);
  }
  assertEquals(sold.old + sold.new, stock, JSON.stringify(sold));
  assert(sold.old > 0 && sold.new > 0, `one of them sold nothing: ${JSON.stringify(sold)}`);
  const left = await oldLevels(old.sql, [goods, other]);
  assertEquals(left.map((row) => row["on_hand"]), [0, 0]);
  assertEquals(await checkLedger(database.ownerUrl), []);
});

Deno.test("each version finds the other's orders: sold once, given back once, barred for both", async () => {
  await using database = await createTestDatabase();
  await using old = ownerOf(database.serverUrl);
  const store = storeOn(database);
  try {
    await applyTo(store, set("set", 1, 10));
    assertEquals(await oldSell(old.sql, "a", [1, 2]), "sold");
    const { verdicts: [again] } = await applyTo(store, sell("a", [1, 2]));
    assert(again?.ok && again.replayed);
    await applyTo(store, sell("b", [1, 3]));
    assertEquals(await oldSell(old.sql, "b", [1, 3]), "sold");
    assertEquals(await oldRollback(old.sql, "b"), "rolled_back");
    assertEquals(await oldRollback(old.sql, "c"), "barred");
    const { verdicts: [barred] } = await applyTo(store, sell("c", [1, 1]));
    assertEquals(barred?.ok, false);
    assertEquals((await store.readLevels([1], NEVER)).get(1)?.onHand, 8);
  } finally {
    await store.close();
  }
  assertEquals(await checkLedger(database.ownerUrl), []);
});

Deno.test("0.1.0 sees nothing of other locations, and leaves what holds have reserved", async () => {
  await using database = await createTestDatabase();
  await using old = ownerOf(database.serverUrl);
  const store = storeOn(database);
  try {
    await applyTo(store, set("here", 1, 10), { kind: "set", operationId: "there", goodsId: 1, locationId: 5, num: 7 });
    await applyTo(store, { kind: "set", operationId: "only-there", goodsId: 2, locationId: 5, num: 7 });
    const { levels } = await oldSnapshot(old.sql, [1, 2]);
    assertEquals([...levels.values()], [{ goodsId: 1, onHand: 10, reserved: 0, version: 1, deleted: false }]);
    assertEquals((await oldLevels(old.sql, [1, 2])).length, 1);
    assertEquals(await oldSell(old.sql, "a", [2, 1]), "short");
    await applyTo(store, {
      kind: "reserve",
      orderId: "hold",
      lines: [{ goodsId: 1, locationId: 0, num: 4 }],
      ttlMs: 60_000,
    });
    assertEquals(await oldSell(old.sql, "b", [1, 7]), "short");
    assertEquals(await oldSell(old.sql, "b", [1, 6]), "sold");
    assertEquals((await store.readLevels(["1@5"], NEVER)).get("1@5")?.onHand, 7);
  } finally {
    await store.close();
  }
  await using owner = ownerOf(database.ownerUrl);
  const added = await owner.sql`
    select goods_id, location_id, on_hand, reserved, version from levels
    except
    select goods_id, location_id, sum(on_hand_delta)::int, sum(reserved_delta)::int, max(version) from movements
     group by goods_id, location_id having count(*) = max(version)`;
  assertEquals([...added], [], "levels that their movements do not add up to");
});

Deno.test("0.1.0 can't give back at location 0 what was sold at another", async () => {
  await using database = await createTestDatabase();
  await using old = ownerOf(database.serverUrl);
  const store = storeOn(database);
  const lines = [{ goodsId: 1, locationId: 5, num: 2 }];
  try {
    await applyTo(store, set("here", 1, 10), { kind: "set", operationId: "there", goodsId: 1, locationId: 5, num: 7 });
    await applyTo(store, { kind: "sell", orderId: "a", lines });
    await assertRejects(() => oldRollback(old.sql, "a"), Error, "order_locations_are_known");
    const part = [{ goodsId: 1, locationId: 5, num: 1 }];
    const { verdicts: [verdict] } = await applyTo(store, {
      kind: "rollback",
      orderId: "a",
      rollbackId: "part",
      lines: part,
    });
    assertEquals(verdict?.ok, true);
    await assertRejects(() => oldRollback(old.sql, "a"), Error, "order_locations_are_known");
    await applyTo(store, { kind: "rollback", orderId: "a", rollbackId: undefined, lines: [] });
    const levels = await store.readLevels([1, "1@5"], NEVER);
    assertEquals([levels.get(1)?.onHand, levels.get("1@5")?.onHand], [10, 7]);
  } finally {
    await store.close();
  }
  assertEquals(await checkLedger(database.ownerUrl), []);
});

Deno.test("0.1.0 is ready on the new schema, and its locks and looks work on it with the server's rights", async () => {
  await using database = await createTestDatabase();
  await using old = ownerOf(database.serverUrl);
  await using other = ownerOf(database.serverUrl);
  const store = storeOn(database);
  try {
    assertEquals((await oldPing(old.sql)).length, 1);
    await applyTo(store, set("a", 1, 10), set("b", 2, 10));
    assertEquals(await oldOffLedger(old.sql, [1, 2, 3]), []);
    await old.sql.begin(async (sql) => {
      assertEquals((await oldLock(sql as unknown as postgres.Sql, [2, 1, 3])).length, 3);
      assertEquals((await store.readLocked([1, 2], NEVER)).sort(), [1, 2]);
      assertEquals((await oldLocked(other.sql, [1, 2])).sort(), [1, 2]);
    });
    assertEquals(await store.readLocked([1, 2], NEVER), []);
    await other.sql.begin(async (sql) => {
      await sql`select from levels where goods_id = 1 for update`;
      assertEquals(await oldLocked(old.sql, [1, 2]), [1]);
    });
  } finally {
    await store.close();
  }
});

function storeOn({ serverUrl }: Pick<TestDatabase, "serverUrl">): Store {
  return createStore({ ...TEST_LIMITS, address: parsePostgresAddress(serverUrl) });
}

/** One of each goods, as the lanes would: again where another was faster. False: there is none left. */
async function newSell(store: Store, orderId: string, ...goods: number[]): Promise<boolean> {
  for (;;) {
    try {
      const { verdicts: [verdict] } = await applyTo(
        store,
        sell(orderId, ...goods.map((id) => [id, 1] as [number, number])),
      );
      return verdict?.ok === true;
    } catch (error) {
      if (!(error instanceof FenceLostError) && (error as Error).name !== "ConflictError") throw error;
    }
  }
}

function run({ ownerUrl, serverUrl }: TestDatabase, direction: "up" | "down"): Promise<string> {
  return migrate({ owner: parsePostgresAddress(ownerUrl), server: parsePostgresAddress(serverUrl), direction, log });
}

/** The schema of 0.1.0, as its own migrations make it. */
async function makeVersion010({ ownerUrl }: TestDatabase): Promise<void> {
  await using owner = ownerOf(ownerUrl);
  await owner.sql`create table schema_migrations (version varchar(128) primary key)`;
  for (const file of OF_0_1_0) {
    const text = await Deno.readTextFile(`migrations/${file}`);
    const up = text.slice(text.indexOf("-- migrate:up"), text.indexOf("-- migrate:down"));
    await owner.sql.begin((sql) => sql.unsafe(up));
    await owner.sql`insert into schema_migrations values (${file.split("_")[0]!})`;
  }
}

/** Everything that 0.1.0 writes: sets, sales, rollbacks, bars, give-backs, and a goods with many versions. */
async function fill({ serverUrl, ownerUrl }: TestDatabase): Promise<void> {
  await using server = ownerOf(serverUrl);
  const { sql } = server;
  for (let n = 1; n <= VERSIONS; n++) await oldSet(sql, `set-1-${n}`, 1, 1_000 + n);
  for (const goodsId of [2, 3, 4]) await oldSet(sql, `set-${goodsId}`, goodsId, 50);
  for (const n of [1, 2, 3, 4]) await oldSell(sql, `sold-${n}`, [1, n]);
  await oldSell(sql, "several", [1, 1], [2, 2], [3, 3]);
  await oldSell(sql, "back", [2, 5]);
  await oldRollback(sql, "back");
  await oldRollback(sql, "never-sold");
  await oldRollback(sql, "never-sold-either");
  await oldGiveBack(sql, "found", 3, 7);
  await using owner = ownerOf(ownerUrl);
  await owner.sql`update stock set deleted_at = now() where goods_id = 4`;
}

/** Every row of every table, in the columns that 0.1.0 has. */
async function rowsOf({ ownerUrl }: TestDatabase): Promise<Record<string, unknown[]>> {
  await using owner = ownerOf(ownerUrl);
  const rows: Record<string, unknown[]> = {};
  for (const [table, [columns, sequence]] of Object.entries(COLUMNS)) {
    rows[table] = (await owner.sql.unsafe(`select ${columns} from ${table} order by ${sequence}`)).map((row) => ({
      ...row,
    }));
  }
  return rows;
}
