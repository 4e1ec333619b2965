/**
 * Each rule of the schema refuses something: every constraint there is has statements that it refuses, and every
 * right that the server's role does not have has one that is not allowed. A constraint or a column that is new and is
 * not here fails the test.
 */
import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { createTestDatabase } from "../support/database.ts";
import { allRows } from "../support/all_rows.ts";

/** A row of each table that all rules allow. */
const ROWS = {
  levels: { goods_id: "1", on_hand: "5", reserved: "0", version: "1" },
  orders: { order_id: "'o'", state: "'sold'", goods_ids: "'{1,2}'", nums: "'{3,4}'", returned: "'{0,0}'" },
  operations: { operation_id: "'p'", kind: "'set'", order_id: "null", goods_ids: "'{1,2}'", nums: "'{3,4}'" },
  movements: {
    ...{ goods_id: "1", version: "1", kind: "'set'", order_id: "null", operation_id: "null" },
    ...{ on_hand_delta: "5", reserved_delta: "0", on_hand_after: "5", reserved_after: "0" },
  },
  goods: { goods_id: "1", sku: "'a'" },
  reasons: { code: "'why'", description: "'because'" },
  holds: { goods_id: "1", location_id: "0", expires_at: "'2100-01-01'", order_id: "'o'", num: "1" },
  shortfalls: { order_id: "'o'", goods_ids: "'{1}'", location_ids: "'{0}'", asked: "'{2}'", available: "'{1}'" },
} as const;

type Table = keyof typeof ROWS;
const TABLES = Object.keys(ROWS) as Table[];

/** What else a row must say to be refused, by the constraint that refuses it. Several: each of them is refused. */
const REFUSED: Record<Table, Record<string, readonly Record<string, string>[]>> = {
  levels: {
    levels_pkey: [{}],
    goods_id_positive: [{ goods_id: "0" }, { goods_id: "-1" }],
    location_id_not_negative: [{ location_id: "-1" }],
    available_within_backorders: [
      { on_hand: "-1" },
      { reserved: "6" },
      { on_hand: "-3", backorder_max: "2" },
      { on_hand: "-2147483648", reserved: "2147483647", backorder_max: "2147483647" },
    ],
    reserved_not_negative: [{ reserved: "-1" }],
    version_positive: [{ version: "0" }, { version: "-1" }],
    policies_within_bounds: [
      ...["safety_stock", "backorder_max"].map((column) => ({ [column]: "-1" })),
      ...["order_num_max", "buyer_num_max", "hold_ttl_ms"].map((column) => ({ [column]: "0" })),
      { buyer_num_max: "1", buyer_window_ms: "0" },
      { low_stock_at: "-1", low_stock_until: "1" },
      { low_stock_at: "3", low_stock_until: "3" },
    ],
    policies_go_together: [{ low_stock_at: "1" }, { low_stock_until: "1" }, { buyer_window_ms: "1" }],
  },
  goods: {
    goods_pkey: [{ sku: "'b'" }],
    goods_sku_key: [{ goods_id: "2" }],
    named_goods_id_positive: [{ goods_id: "0", sku: "'b'" }],
    sku_length: [{ goods_id: "2", sku: "''" }, { goods_id: "2", sku: "repeat('x', 65)" }],
  },
  reasons: { reasons_pkey: [{}] },
  holds: { holds_pkey: [{}], held_num_positive: [{ num: "0" }, { num: "-1" }] },
  shortfalls: { shortfalls_pkey: [{}] },
  orders: {
    orders_pkey: [{}],
    order_state_known: [{ state: "'lost'" }, { state: "''" }],
    held_orders_expire: [{ state: "'held'" }],
    order_lines_match: [
      { goods_ids: "'{1}'" },
      { nums: "'{3}'" },
      { returned: "'{0}'" },
      { returned: "'{0,0,0}'" },
      { goods_ids: "'{}'" },
    ],
    rolled_back_orders_returned_all: [
      { state: "'rolled_back'" },
      { state: "'rolled_back'", returned: "'{3,3}'" },
    ],
    order_locations_match: [
      { location_ids: "'{1}'", located_returned: "'{0,0}'" },
      { location_ids: "'{1,2,3}'", located_returned: "'{0,0}'" },
    ],
    order_locations_are_known: [
      { location_ids: "'{0,1}'" },
      { located_returned: "'{0,0}'" },
      { location_ids: "'{0,1}'", located_returned: "'{0,1}'" },
    ],
    order_asked_match: [{ asked: "'{1}'" }],
    order_held_match: [{ held: "'{}'" }, { held: "'{1,2,3}'" }],
    buyer_id_length: [{ buyer_id: "''" }, { buyer_id: "repeat('x', 65)" }],
  },
  operations: {
    operations_pkey: [{}],
    operation_kind_known: [{ kind: "'sell'" }, { kind: "''" }],
    rollbacks_name_their_order: [
      { kind: "'rollback_whole'" },
      { kind: "'rollback_part'" },
      { kind: "'bar'" },
      { kind: "'set'", order_id: "'o'" },
      { kind: "'give_back'", order_id: "'o'" },
    ],
    operation_lines_match: [{ goods_ids: "'{1}'" }, { nums: "'{3,4,5}'" }],
  },
  movements: {
    movements_pkey: [{}],
    movement_kind_known: [{ kind: "'bar'" }, { kind: "''" }],
    movement_version_positive: [{ version: "0" }, { version: "-1" }],
    movement_reserved_not_negative: [{ reserved_after: "-1" }],
    sales_name_their_order: [{ kind: "'sell'" }, { kind: "'rollback'" }],
  },
};

/** Columns that may be null in a row, or that the server may leave to their default. */
const MAY_BE_NULL: Record<Table, readonly string[]> = {
  levels: [
    ...["deleted_at", "order_num_max", "buyer_num_max", "buyer_window_ms", "low_stock_at", "low_stock_until"],
    ...["hold_ttl_ms", "holds_from"],
  ],
  orders: ["expires_at", "location_ids", "located_returned", "asked", "held", "buyer_id"],
  operations: ["order_id", "location_ids", "content", "answer"],
  movements: ["order_id", "operation_id", "reason", "actor", "document_uri", "occurred_at"],
  goods: [],
  reasons: [],
  holds: [],
  shortfalls: ["buyer_id", "resolved_at", "resolution", "opened_at"],
};

/** Columns that PostgreSQL computes: nobody may say what is in them. */
const GENERATED = new Set(["version_block", "is_sold_out"]);

/** Columns that the server's role may change; it may change no other. */
const MAY_CHANGE: Record<Table, readonly string[]> = {
  levels: [
    ...["on_hand", "reserved", "version", "updated_at", "deleted_at", "safety_stock", "backorder_max"],
    ...["order_num_max", "buyer_num_max", "buyer_window_ms", "low_stock_at", "low_stock_until", "hold_ttl_ms"],
    ...["is_low", "holds_from"],
  ],
  orders: [
    // When its units were taken: a hold that is reserved anew takes them anew.
    "created_at",
    ...["state", "returned", "expires_at", "updated_at", "goods_ids", "location_ids", "nums", "asked", "held"],
    ...["buyer_id", "created_at", "located_returned"],
  ],
  operations: [],
  movements: [],
  goods: [],
  reasons: [],
  holds: ["expires_at", "num"],
  shortfalls: ["resolved_at", "resolution", "opened_at"],
};

/** What it may delete of: what a hold has is only worked with, and the ledger says what it was. */
const MAY_DELETE: readonly Table[] = ["holds"];

function insertOf(table: Table, changes: Record<string, string> = {}): string {
  const row: Record<string, string> = { ...ROWS[table], ...changes };
  return `insert into ${table} (${Object.keys(row).join(", ")}) values (${Object.values(row).join(", ")})`;
}

for (const table of TABLES) {
  Deno.test(`each constraint of ${table} refuses what it is there for, and there is no other`, async () => {
    await using bench = await openBench();
    const { server, owner } = bench;
    const found = await owner<{ conname: string }[]>`
      select conname from pg_constraint where conrelid = ${table}::text::regclass and contype <> 'n' order by conname`;
    assertEquals(found.map((row) => row.conname), Object.keys(REFUSED[table]).sort());
    // The row itself is allowed, so that what is refused is refused for what it says besides.
    await server.unsafe(insertOf(table));
    const before = await allRows(owner);
    for (const [constraint, rows] of Object.entries(REFUSED[table])) {
      for (const row of rows) {
        const refusal = await refusalOf(server, insertOf(table, elsewhere(table, constraint, row)));
        assertEquals(refusal, {
          code: /_p?key$/.test(constraint) ? "23505" : "23514",
          constraint_name: constraint,
        }, `${constraint}: ${JSON.stringify(row)}`);
      }
    }
    assertEquals(await allRows(owner), before);
  });

  Deno.test(`no column of ${table} may be null but those that may`, async () => {
    await using bench = await openBench();
    const { server, owner } = bench;
    for (const column of await columnsOf(owner, table)) {
      const refusal = await refusalOf(server, insertOf(table, { [column]: "null" }));
      const filled = GENERATED.has(column) ? "428C9" : "23502";
      const wanted = MAY_BE_NULL[table].includes(column) ? undefined : filled;
      assertEquals(refusal?.code, wanted, `${table}.${column} as null`);
      await owner.unsafe(`truncate ${table}`);
    }
  });

  Deno.test(`the server's role may change of ${table} what it has to, and nothing else`, async () => {
    await using bench = await openBench();
    const { server, owner } = bench;
    await server.unsafe(insertOf(table));
    const before = await allRows(owner);
    for (const column of await columnsOf(owner, table)) {
      const refusal = await refusalOf(server, `update ${table} set ${column} = ${column}`);
      const refused = GENERATED.has(column) ? "428C9" : "42501";
      assertEquals(refusal?.code, MAY_CHANGE[table].includes(column) ? undefined : refused, `${table}.${column}`);
    }
    const forbidden = [
      ...(MAY_DELETE.includes(table) ? [] : [`delete from ${table}`]),
      `truncate ${table}`,
      `drop table ${table}`,
      `alter table ${table} add column more int`,
      `alter table ${table} disable trigger all`,
      `create index on ${table} (${Object.keys(ROWS[table])[0]})`,
      `create trigger t before insert on ${table} for each row execute function suppress_redundant_updates_trigger()`,
      `create table refers (k int references ${table})`,
    ];
    for (const statement of forbidden) {
      assertEquals((await refusalOf(server, statement))?.code, "42501", statement);
    }
    // Every right that PostgreSQL knows of a table, so that one more that is granted is seen.
    const [rights] = await owner<{ granted: string[] }[]>`
      select array_agg(privilege order by privilege) as granted
        from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER',
                          'SELECT WITH GRANT OPTION', 'INSERT WITH GRANT OPTION']) as privilege
       where has_table_privilege('holdfast_server', ${table}::text, privilege)`;
    assertEquals(rights?.granted, [...(MAY_DELETE.includes(table) ? ["DELETE"] : []), "INSERT", "SELECT"]);
    assertEquals(await allRows(owner), before);
  });
}

Deno.test("there are no tables but these, the keys, the list of migrations and what retention keeps, which the server may only read", async () => {
  await using bench = await openBench();
  const { server, owner } = bench;
  const tables = await owner<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
     order by relname`;
  assertEquals(
    tables.map((row) => row.name),
    [...TABLES, "api_keys", "goods_ids", "openings", "periods", "schema_migrations", "stock"].sort(),
  );
  await server`select * from schema_migrations, api_keys, openings, periods`;
  const forbidden = [
    ...["openings", "periods"].flatMap((table) => [
      `insert into ${table} select * from ${table}`,
      `update ${table} set ${table === "openings" ? "version = 1" : "period = 1"}`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]),
    "insert into schema_migrations values ('1')",
    "delete from schema_migrations",
    `insert into api_keys (key_id, key_sha256, name, rights) values ('aaaaaaaaaaaa', '${
      "a".repeat(32)
    }', 'a', '{operator}')`,
    "update api_keys set revoked_at = null, expires_at = null",
    "update api_keys set rights = '{operator}'",
    "delete from api_keys",
    "truncate api_keys",
    "select * from api_keys for update",
  ];
  for (const statement of forbidden) {
    assertEquals((await refusalOf(server, statement))?.code, "42501", statement);
  }
  for (const statement of ["create table public.more (i int)", "create schema more", "create role more"]) {
    assertEquals((await refusalOf(server, statement))?.code, "42501", statement);
  }
});

/** The row under another key, so that it is refused for what it says, and not because its key is taken. */
function elsewhere(table: Table, constraint: string, row: Record<string, string>): Record<string, string> {
  if (constraint.endsWith("_pkey") || constraint.endsWith("_key")) return row;
  if (table === "goods" || table === "reasons") return row;
  const keys = { orders: { order_id: "'q'" }, operations: { operation_id: "'q'" }, shortfalls: { order_id: "'q'" } };
  return { ...(table in keys ? keys[table as keyof typeof keys] : { goods_id: "2" }), ...row };
}

/** What PostgreSQL refuses a statement with; undefined if it does not. */
async function refusalOf(sql: postgres.Sql, statement: string) {
  try {
    await sql.unsafe(statement);
    return undefined;
  } catch (error) {
    const { code, constraint_name } = error as { code?: string; constraint_name?: string };
    return { code, constraint_name };
  }
}

async function columnsOf(owner: postgres.Sql, table: Table): Promise<string[]> {
  const rows = await owner<{ name: string }[]>`
    select attname as name from pg_attribute
     where attrelid = ${table}::text::regclass and attnum > 0 and not attisdropped order by attnum`;
  return rows.map((row) => row.name);
}

interface Bench extends AsyncDisposable {
  /** As the role that the server works as. */
  readonly server: postgres.Sql;
  readonly owner: postgres.Sql;
}

async function openBench(): Promise<Bench> {
  const database = await createTestDatabase();
  const [server, owner] = [database.serverUrl, database.ownerUrl].map((url) =>
    postgres(url, { max: 1, onnotice: () => {} })
  ) as [postgres.Sql, postgres.Sql];
  return {
    server,
    owner,
    async [Symbol.asyncDispose]() {
      await Promise.all([server.end({ timeout: 1 }), owner.end({ timeout: 1 })]);
      await database.drop();
    },
  };
}
