/** A database of the version before, 0.1.0: all that it left there stays, after the migration and after going back. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { migrate } from "../../src/migrate/main.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { applyTo, sell } from "../support/apply.ts";
import { createTestDatabase, ownerOf, type TestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { storeOn } from "../support/store_bench.ts";
import { oldGiveBack, oldRollback, oldSell, oldSet } from "../support/version_0_1_0.ts";

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

  await downToVersion010(database);
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
  // When shortfalls were opened anew is no loss.
  await run(database, "down");
  await owner.sql`insert into periods values (1, now())`;
  const inPeriods = await assertRejects(() => run(database, "down"), Error);
  assert(inPeriods.message.includes("what is on record: movements in periods"), inPeriods.message);
  await owner.sql`delete from periods`;
  await run(database, "down");
  await owner.sql`
    insert into api_keys (key_id, key_sha256, name, rights)
    values ('aaaaaaaaaaaa', sha256('a'), 'tills', '{seller}')`;
  const { message } = await assertRejects(() => run(database, "down"), Error);
  assert(message.includes("the version before has no words for what is on record: keys that are valid"), message);
  await owner.sql`update api_keys set revoked_at = now()`;
  await run(database, "down");
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

function run({ ownerUrl, serverUrl }: TestDatabase, direction: "up" | "down"): Promise<string> {
  return migrate({ owner: parsePostgresAddress(ownerUrl), server: parsePostgresAddress(serverUrl), direction, log });
}

/** Takes one migration after the other back, to those that 0.1.0 came with. */
async function downToVersion010(database: TestDatabase): Promise<void> {
  await using owner = ownerOf(database.ownerUrl);
  for (;;) {
    const [row] = await owner.sql`select max(version) as last from schema_migrations`;
    if (OF_0_1_0.at(-1)!.startsWith(row?.["last"])) return;
    await run(database, "down");
  }
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
