/** What the doctor finds in a database that was spoilt by hand, and how it and its like are called. */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { examine } from "../../src/doctor/examine.ts";
import { knownMigrations } from "../../src/migrate/known.ts";
import { roleSettings } from "../../src/migrate/role.ts";
import { createStore } from "../../src/store/store.ts";
import { applyTo, sell, set } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { TEST_LIMITS } from "../support/pool_probe.ts";
import { taskFlags } from "../support/server.ts";

/** The PostgreSQL of the tests spares the disk. */
const NOT_DURABLE = /^settings: (fsync|full_page_writes) is off/;
const ROOT = new URL("../../", import.meta.url);

/** What is spoilt, one thing after the other, and what is found of it. */
const SPOILT: readonly (readonly [statement: string, found: string])[] = [
  [
    "update levels set on_hand = on_hand + 1 where goods_id = 1",
    "ledger: goods 1: 98 on hand, its movements add up to 97",
  ],
  [
    "insert into orders (order_id, state, goods_ids, nums, returned) values ('odd', 'sold', '{2}', '{1}', '{0}')",
    "ledger: order odd: sold without a movement",
  ],
  ["delete from orders where order_id = 'sold'", "ledger: order sold, goods 1: 0 sold by the order, 3 in 1 movements"],
  ["delete from movements where goods_id = 1 and version = 1", "ledger: goods 1: versions 2 to 2 in 1 movements"],
  ["grant delete on movements to holdfast_server", "rights: holdfast_server may DELETE movements"],
  ["revoke insert on orders from holdfast_server", "rights: holdfast_server may not INSERT orders"],
  ["revoke update (version) on levels from holdfast_server", "rights: holdfast_server may not UPDATE levels.version"],
];

Deno.test("the doctor finds what was spoilt, and names the orders that are missing", async () => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await applyTo(store, set("set-1", 1, 100), set("set-2", 2, 100), sell("sold", [1, 3]));
  await store.close();
  const expected = { migrations: knownMigrations(), roleSettings };
  const look = async (sql: postgres.Sql, orderIds: string[] = []) => {
    const { faults, ...rest } = await examine(sql, expected, orderIds);
    return { faults: faults.filter((fault) => !NOT_DURABLE.test(fault)), ...rest };
  };
  const whole = await look(owner, ["never", "sold", "nor"]);
  assertEquals(whole.faults, []);
  assertEquals(whole.missing, ["never", "nor"]);
  assertEquals([whole.sizes?.places, whole.sizes?.movements, whole.sizes?.orders], ["2", "3", "1"]);
  // The server's role may read all of it.
  const server = postgres(database.serverUrl, { max: 1, onnotice: () => {} });
  assertEquals((await look(server, ["sold"])).faults, []);
  await server.end();

  for (const [statement, found] of SPOILT) {
    await owner.unsafe(statement);
    const { faults } = await look(owner);
    assert(faults.includes(found), `${statement}: ${JSON.stringify(faults)}`);
  }
  const older = await examine(owner, { ...expected, migrations: [...expected.migrations, "20990101000000"] });
  assertEquals(older.faults, ["schema: older than this version, without 20990101000000: run `deno task migrate`"]);
  const newer = await examine(owner, { ...expected, migrations: expected.migrations.slice(0, -1) });
  assert(newer.faults[0]?.startsWith("schema: newer than this version, with "), newer.faults[0]);
  await owner.end({ timeout: 1 });
});

Deno.test("doctor and retain say what they did, and refuse words that they do not know", async () => {
  await using database = await createTestDatabase();
  const runTask = async (task: "doctor" | "retain", ...args: string[]) => {
    const entry = { doctor: "src/doctor/main.ts", retain: "src/retention/main.ts" }[task];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...await taskFlags(task), entry, ...args],
      cwd: ROOT,
      env: { DATABASE_OWNER_URL: database.ownerUrl, DATABASE_URL: database.serverUrl, NO_COLOR: "1" },
    }).output();
    const [said, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, said, errors };
  };
  const [first, few, unknown] = await Promise.all([
    runTask("retain", "--days", "400", "--period-days", "7"),
    runTask("retain", "--days", "3"),
    runTask("doctor", "--order", "x"),
  ]);
  assertEquals(first.said, "period 2 has begun\nno period has left\nleft: 0 orders and 0 operations\n", first.errors);
  assertEquals([few.code, unknown.code], [2, 2]);
  assert(few.errors?.includes("--days: expected a whole number from 7 to 36500, got 3"), few.errors);
  const found = await runTask("doctor");
  assertEquals([found.code, found.said?.includes("looked at 0 goods")], [3, true], found.said);
});
