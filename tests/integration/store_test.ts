/** The store on real PostgreSQL: what is written is what is read, and the server's role can do no more than it must. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import postgres from "postgres";
import type { Changes } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { arrayLiteral } from "../../src/store/postgres/arrays.ts";
import { Pool } from "../../src/store/postgres/pool.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { applyTo, giveBack, rollback, sell, set, type Settled } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER, probePool, TEST_LIMITS } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

const PROPERTY_RUNS = 60;
const OPERATIONS_MAX = 20;
/** Most of the goods of random operations: with none known, nearly all of them would be refused. */
const STOCKED = [1, 2, 3].map((goodsId) => set(`stock-${goodsId}`, goodsId, 20));

/** Every kind of change there is, in an order in which each finds what it needs. */
const EVERY_KIND: readonly (readonly [what: string, ...operations: Operation[]])[] = [
  ["new goods", set("set-1", 1, 10), set("set-2", 2, 2_147_483_647), set("set-3", 3, 0)],
  ["a changed quantity", set("set-3-again", 3, 7)],
  ["a sale of several goods", sell("order", [1, 4], [2, 2_147_483_647], [3, 1])],
  ["a retry, which writes nothing", sell("order", [1, 4], [2, 2_147_483_647], [3, 1])],
  ["a part of it back", rollback("order", "part", [1, 1], [3, 1])],
  ["the rest of it back, under an id that was derived", rollback("order", undefined)],
  ["a rollback before its sale", rollback("late", undefined)],
  ["units of no order", giveBack("found", [1, 5])],
  [
    "many of one goods in one statement",
    sell("a", [1, 1]),
    rollback("a", undefined),
    sell("b", [1, 1]),
    set("x", 1, 3),
  ],
];

Deno.test("every kind of change is read back as it was written", async (t) => {
  await using database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  for (const [what, ...operations] of EVERY_KIND) {
    await t.step(what, async () => {
      const settled = await applyTo(store, ...operations);
      assert(settled.verdicts.every((verdict) => verdict.ok), JSON.stringify(settled.verdicts));
      await assertWritten(store, settled);
    });
  }
  await t.step("a goods that was taken off sale is read as such, and opened again", async () => {
    const sql = postgres(database.ownerUrl, { max: 1 });
    await sql`update levels set deleted_at = now() where goods_id = 3`;
    await sql.end();
    assertEquals((await store.readLevels([3], NEVER)).get(3), undefined);
    const { changes } = await applyTo(store, set("set-3-opened", 3, 7));
    assertEquals(changes.levels[0]?.before?.deleted, true);
    assertEquals((await store.readLevels([3], NEVER)).get(3)?.deleted, false);
  });
  await store.ping(NEVER);
  await store.close();
  assertEquals(await checkLedger(database.ownerUrl), []);
});

Deno.test("a give-back to a goods that is off sale leaves it off sale", async () => {
  await using database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await applyTo(store, set("set", 1, 5));
  await applyTo(store, sell("order", [1, 2]));
  const sql = postgres(database.ownerUrl, { max: 1 });
  await sql`update levels set deleted_at = '2001-02-03' where goods_id = 1`;
  await assertWritten(store, await applyTo(store, rollback("order", undefined)));
  const [row] = await sql`select on_hand, deleted_at::date::text as deleted from levels`;
  assertEquals({ ...row }, { on_hand: 5, deleted: "2001-02-03" });
  await sql.end();
  await store.close();
});

Deno.test("keys that nothing stands under read as an empty snapshot", async () => {
  await using database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  const snapshot = await store.readSnapshot({ stockKeys: [1], orderIds: ["a"], operationIds: ["b"] }, NEVER);
  assertEquals([snapshot.levels.size, snapshot.orders.size, snapshot.operations.size], [0, 0, 0]);
  assert(Math.abs(snapshot.atMs - Date.now()) < 60_000, `the time of the snapshot is ${snapshot.atMs}`);
  assertEquals((await store.readLevels([1], NEVER)).get(1), undefined);
  await store.close();
});

Deno.test("PostgreSQL reads every array literal as the texts that went in", async () => {
  await using database = await createTestDatabase();
  await using probe = probePool(database.serverUrl, database.ownerUrl, { max: 1 });
  const awkward = fc.constantFrom('"', "\\", "'", "{", "}", ",", "NULL", " ", "\n", "é", "💥", "\u{10ffff}");
  // PostgreSQL's texts contain every character but the zero.
  const text = fc.string({ unit: fc.oneof(awkward, fc.string({ unit: "binary", minLength: 1, maxLength: 1 })) })
    .filter((value) => !value.includes("\0"));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text, { nil: undefined })), async (values) => {
      const [row] = await probe.pool.run<{ back: (string | null)[] }[]>(
        (sql) => sql`select to_json(${arrayLiteral(values)}::text[]) as back`,
        NEVER,
      );
      assertEquals(row?.back, values.map((value) => value ?? null));
    }),
    seeded(200),
  );
});

Deno.test("random operations, one after the other, leave a whole ledger and read back as written", async () => {
  await using database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  const owner = postgres(database.ownerUrl, { max: 1 });
  let written = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyOperation(), { minLength: 1, maxLength: OPERATIONS_MAX }), async (operations) => {
      await owner`truncate levels, orders, operations, movements`;
      await applyTo(store, ...STOCKED);
      for (const operation of operations) {
        const settled = await applyTo(store, operation);
        await assertWritten(store, settled);
        written += settled.changes.movements.length;
      }
      assertEquals(await checkLedger(database.ownerUrl), []);
    }),
    seeded(PROPERTY_RUNS),
  );
  assert(written > PROPERTY_RUNS, `only ${written} movements were written: the operations came to nothing`);
  await owner.end();
  await store.close();
});

/** What the server's role must not be able to do, and the code with which PostgreSQL refuses it. */
const FORBIDDEN: readonly [statement: string, code: string, constraint?: string][] = [
  ["update levels set on_hand = -1", "23514", "available_within_backorders"],
  ["update levels set reserved = -1", "23514", "reserved_not_negative"],
  ["update levels set reserved = on_hand + 1", "23514", "available_within_backorders"],
  ["update levels set version = 0", "23514", "version_positive"],
  ["update orders set state = 'rolled_back'", "23514", "rolled_back_orders_returned_all"],
  [
    `insert into movements (goods_id, version, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after)
     values (1, 3, 'reserve', 0, -1, 3, -1)`,
    "23514",
    "movement_reserved_not_negative",
  ],
  ["update levels set goods_id = 2", "42501"],
  ["update orders set nums = '{1,2}'", "23514", "order_lines_match"],
  ["update orders set order_id = 'other'", "42501"],
  ["update movements set on_hand_delta = 0", "42501"],
  ["update operations set nums = '{1}'", "42501"],
  ...["levels", "orders", "operations", "movements"].flatMap((table): [string, string][] => [
    [`delete from ${table}`, "42501"],
    [`truncate ${table}`, "42501"],
    [`drop table ${table}`, "42501"],
    [`alter table ${table} add column more integer`, "42501"],
  ]),
  ["create table more (id integer)", "42501"],
  ["create schema more", "42501"],
  ["create role more", "42501"],
];

Deno.test("the server's role can't take stock below zero, delete, rewrite the ledger or change the schema", async (t) => {
  await using database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await applyTo(store, set("set", 1, 5));
  await applyTo(store, sell("order", [1, 2]));
  await store.close();
  const server = postgres(database.serverUrl, { max: 1, onnotice: () => {} });
  for (const [statement, code, constraint] of FORBIDDEN) {
    await t.step(statement, async () => {
      const error = await server.unsafe(statement).then(() => undefined, (error) => error);
      assertEquals([error?.code, error?.constraint_name], [code, constraint]);
    });
  }
  await server.end();
  assertEquals(await checkLedger(database.ownerUrl), []);
});

/** Few goods, orders and ids, so that operations meet: retries, conflicts, parts, late sales. */
function anyOperation(): fc.Arbitrary<Operation> {
  const num = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }) }, {
    weight: 1,
    arbitrary: fc.constant(2_147_483_647),
  });
  const lines = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 4 }), num), {
    minLength: 1,
    maxLength: 3,
    selector: ([goodsId]) => goodsId,
  }).map((lines) => lines.sort(([a], [b]) => a - b));
  const orderId = fc.constantFrom("o1", "o2", "o3", "o4");
  const id = fc.constantFrom("i1", "i2", "i3", "i4", "i5", "i6");
  return fc.oneof(
    fc.tuple(fc.uuid(), fc.integer({ min: 1, max: 4 }), fc.nat(20)).map((args) => set(...args)),
    fc.tuple(orderId, lines).map(([orderId, lines]) => sell(orderId, ...lines)),
    fc.tuple(orderId, fc.option(id, { nil: undefined }), lines)
      .map(([orderId, id, lines]) =>
        rollback(orderId, id, ...lines.map(([goodsId, num]): [number, number] => [goodsId, Math.min(num, 2)]))
      ),
    fc.tuple(orderId, fc.option(id, { nil: undefined })).map(([orderId, id]) => rollback(orderId, id)),
    fc.tuple(id, lines).map(([id, lines]) => giveBack(`back-${id}`, ...lines)),
  );
}

/** Every row that the changes speak of is now as they say. */
async function assertWritten(store: Store, { keys, changes }: Settled): Promise<void> {
  const snapshot = await store.readSnapshot(keys, NEVER);
  const found: Omit<Changes, "atMs" | "movements"> = {
    levels: changes.levels.map(({ before, after }) => ({ before, after: snapshot.levels.get(after.goodsId) ?? after })),
    orders: changes.orders.map(({ before, after }) => ({ before, after: snapshot.orders.get(after.orderId) ?? after })),
    operations: changes.operations.map(({ operationId }) => snapshot.operations.get(operationId)).filter((o) =>
      o !== undefined
    ),
  };
  const { levels, orders, operations } = changes;
  assertEquals(found, { levels, orders, operations });
  for (const { after } of levels) {
    assert(snapshot.levels.has(after.goodsId), `goods ${after.goodsId} is not in the snapshot`);
  }
  for (const { after } of orders) {
    assert(snapshot.orders.has(after.orderId), `order ${after.orderId} is not in the snapshot`);
  }
}

function seeded(numRuns: number): { seed: number; numRuns: number } {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`fast-check seed ${seed}`);
  return { seed, numRuns };
}

Deno.test("statements that the address wants unprepared do the same, and none is kept", async () => {
  await using database = await createTestDatabase();
  const address = parsePostgresAddress(`${database.serverUrl}&pgbouncer=true`);
  const store = createStore({ ...TEST_LIMITS, address });
  await applyTo(store, set("unprepared", 1, 10), sell("unprepared", [1, 3]));
  assertEquals((await store.readLevels([1], NEVER)).get(1)?.onHand, 7);
  await store.close();
  const pool = new Pool({ ...TEST_LIMITS, max: 1, address });
  await pool.run((sql) => sql`select ${1}::int as one`, NEVER);
  const rows = await pool.run<{ statement: string }[]>(
    (sql) => sql`select statement from pg_prepared_statements`,
    NEVER,
  );
  assertEquals([...rows], []);
  await pool.close();
});
