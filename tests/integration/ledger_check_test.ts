/** The checker itself: a whole ledger passes, and every kind of damage is reported. */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { createStore } from "../../src/store/store.ts";
import { applyTo, giveBack, rollback, sell, set } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { checkLedger, ledgerViolations } from "../support/ledger_check.ts";
import { TEST_LIMITS } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

/** What is done to a whole ledger, with the constraints of the tables dropped, and what must be said of it. */
const DAMAGES: readonly [what: string, statement: string, report: string][] = [
  [
    "units out of nothing",
    "update levels set on_hand = 99 where goods_id = 1",
    "goods 1: 99 on hand, its movements add up to 11",
  ],
  [
    "units reserved by nobody",
    "update levels set reserved = 1 where goods_id = 1",
    "goods 1: 1 reserved, its movements add up to 0",
  ],
  [
    "a version of its own",
    "update levels set version = 9 where goods_id = 1",
    "goods 1: version 9, its last movement is 4",
  ],
  [
    "a goods twice",
    "insert into levels (goods_id, on_hand, version) select goods_id, on_hand, 64 from levels where goods_id = 1",
    "goods 1: 2 rows in stock",
  ],
  ["a goods without a ledger", "delete from movements where goods_id = 3", "goods 3: in stock without a movement"],
  ["a ledger without its goods", "delete from levels where goods_id = 3", "goods 3: movements without a row in stock"],
  [
    "a negative stock",
    "update levels set on_hand = -1 where goods_id = 1",
    "goods 1: on hand -1 and reserved 0 are out of bounds",
  ],
  [
    "reserved over on hand",
    "update levels set reserved = 12 where goods_id = 1",
    "goods 1: on hand 11 and reserved 12 are out of bounds",
  ],
  [
    "a movement that is gone",
    "delete from movements where goods_id = 1 and version = 2",
    "goods 1: versions 1 to 4 in 3 movements",
  ],
  [
    "a first movement that is gone",
    "delete from movements where goods_id = 1 and version = 1",
    "goods 1: versions 2 to 4 in 3 movements",
  ],
  [
    "a last movement that is gone",
    "delete from movements where goods_id = 1 and version = 4",
    "goods 1: version 4, its last movement is 3",
  ],
  [
    "a broken chain",
    "update movements set on_hand_after = 8 where goods_id = 1 and version = 2",
    "goods 1, version 2: on hand 8 after 10 and -4",
  ],
  [
    "a broken chain of reserved",
    "update movements set reserved_after = 1 where goods_id = 1 and version = 2",
    "goods 1, version 2: reserved 1 after 0 and 0",
  ],
  [
    "a delta that was changed",
    "update movements set on_hand_delta = -3 where goods_id = 1 and version = 2",
    "goods 1, version 2: on hand 6 after 10 and -3",
  ],
  [
    "a reserved delta that was changed",
    "update movements set reserved_delta = 1 where goods_id = 1 and version = 2",
    "goods 1, version 2: reserved 0 after 0 and 1",
  ],
  [
    "a negative after-value",
    "update movements set on_hand_after = -6 where goods_id = 1 and version = 2",
    "goods 1, version 2: on hand -6 and reserved 0 are out of bounds",
  ],
  [
    "an oversold goods, whole in itself",
    "update movements set on_hand_delta = -11, on_hand_after = -1 where goods_id = 1 and version = 2",
    "goods 1, version 2: on hand -1 and reserved 0 are out of bounds",
  ],
  [
    "a line that was never sold",
    "update orders set goods_ids = '{1,3}' where order_id = 'whole'",
    "order whole, goods 1: 1 sold by the order, 0 in 0 movements",
  ],
  [
    "more sold than the order says",
    "update orders set nums = '{3,2}' where order_id = 'part'",
    "order part, goods 1: 3 sold by the order, 4 in 1 movements",
  ],
  [
    "an order sold twice",
    `insert into movements (goods_id, version, kind, order_id, on_hand_delta, reserved_delta, on_hand_after, reserved_after)
     values (1, 5, 'sell', 'part', -4, 0, 5, 0)`,
    "order part, goods 1: 4 sold by the order, 8 in 2 movements",
  ],
  [
    "a sale without an order",
    "delete from orders where order_id = 'part'",
    "order part, goods 1: 0 sold by the order, 4 in 1 movements",
  ],
  [
    "returned that nobody gave",
    "update orders set returned = '{2,0}' where order_id = 'part'",
    "order part, goods 1: 2 came back, rollbacks gave 3",
  ],
  [
    "a rollback that the order does not know",
    "update orders set returned = '{0,0}' where order_id = 'part'",
    "order part, goods 1: 0 came back, rollbacks gave 3",
  ],
  [
    "more returned than sold",
    "update orders set returned = '{5,0}' where order_id = 'part'",
    "order part, goods 1: 5 came back of 4",
  ],
  [
    "the same goods twice",
    "update orders set goods_ids = '{1,1}' where order_id = 'part'",
    "order part: names goods 1 twice",
  ],
  [
    "sold, but all came back",
    "update orders set state = 'sold' where order_id = 'whole'",
    "order whole: sold, but {1,1} of {1,1} came back",
  ],
  [
    "rolled back, but not all came back",
    "update orders set state = 'rolled_back' where order_id = 'part'",
    "order part: rolled_back, but {3,0} of {4,2} came back",
  ],
  [
    "an order that moved nothing",
    "insert into orders (order_id, state, goods_ids, nums, returned) values ('no', 'sold', '{}', '{}', '{}')",
    "order no: sold without a movement",
  ],
  [
    "a barred order that moved",
    "update orders set state = 'barred' where order_id = 'part'",
    "order part: barred, but it has movements",
  ],
  [
    "a change without its record",
    "delete from operations where operation_id = 'back'",
    "goods 1, version 3: a rollback without its record",
  ],
  [
    "a sale with a record",
    "update movements set operation_id = 'back' where goods_id = 1 and version = 2",
    "goods 1, version 2: a sell without its record",
  ],
  [
    "a record of another kind",
    "update operations set kind = 'give_back' where operation_id = 'set-3'",
    "goods 3, version 1: a set without its record",
  ],
  [
    "a record of another order",
    "update operations set order_id = 'whole' where operation_id = 'back'",
    "goods 1, version 3: a rollback without its record",
  ],
  [
    "a record with another quantity",
    "update operations set nums = '{2}' where operation_id = 'back'",
    "operation back, goods 1: recorded as rollback_part of 2, moved 1 times by 3",
  ],
  [
    "a set to another quantity",
    "update operations set nums = '{2}' where operation_id = 'set-3'",
    "operation set-3, goods 3: recorded as set of 2, moved 1 times by 7",
  ],
  [
    "a record that moved nothing",
    "insert into operations (operation_id, kind, goods_ids, nums) values ('no', 'give_back', '{1}', '{1}')",
    "operation no, goods 1: recorded as give_back of 1, moved 0 times by ",
  ],
  [
    "a moved goods that the record does not name",
    "update operations set goods_ids = '{}', nums = '{}' where operation_id = 'back'",
    "operation back, goods 1: moved, but not recorded",
  ],
];

Deno.test("a ledger that went through the store is whole, and every kind of damage to it is reported", async (t) => {
  await using database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await applyTo(store, set("set-1", 1, 10), set("set-2", 2, 5), set("set-3", 3, 7));
  await applyTo(store, sell("part", [1, 4], [2, 2]));
  await applyTo(store, rollback("part", "back", [1, 3]));
  await applyTo(store, sell("whole", [2, 1], [3, 1]));
  await applyTo(store, rollback("whole", undefined));
  await applyTo(store, rollback("late", undefined));
  await applyTo(store, giveBack("found", [2, 3]));
  await applyTo(store, set("set-1-again", 1, 11));
  await store.close();
  assertEquals(await checkLedger(database.ownerUrl), []);

  const sql = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await dropConstraints(sql);
    assertEquals(await ledgerViolations(sql), []);
    for (const [what, statement, report] of DAMAGES) {
      await t.step(what, async () => {
        const violations = await violationsAfter(sql, statement);
        assert(violations.includes(report), `"${report}" is not among:\n${violations.join("\n")}`);
      });
    }
    assertEquals(await ledgerViolations(sql), []);
  } finally {
    await sql.end();
  }
});

/** The damage is undone again. */
async function violationsAfter(sql: postgres.Sql, statement: string): Promise<string[]> {
  let violations: string[] = [];
  const undo = new Error("undo");
  await sql.begin(async (transaction) => {
    const { count } = await transaction.unsafe(statement);
    assert(count > 0, "the statement damaged nothing");
    violations = await ledgerViolations(transaction);
    throw undo;
  }).catch((error) => {
    if (error !== undo) throw error;
  });
  return violations;
}

/** The tables' own checks would refuse most of the damage; a checker that relied on them would check nothing. */
async function dropConstraints(sql: postgres.Sql): Promise<void> {
  const constraints = await sql<{ table: string; name: string }[]>`
    select conrelid::regclass::text as table, conname as name from pg_constraint
     where contype = 'c' and connamespace = 'public'::regnamespace`;
  for (const { table, name } of constraints) await sql.unsafe(`alter table ${table} drop constraint ${name}`);
}
