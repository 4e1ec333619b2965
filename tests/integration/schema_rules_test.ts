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
  stock: { goods_id: "1", on_hand: "5", reserved: "0", version: "1" },
  orders: { order_id: "'o'", state: "'sold'", goods_ids: "'{1,2}'", nums: "'{3,4}'", returned: "'{0,0}'" },
  operations: { operation_id: "'p'", kind: "'set'", order_id: "null", goods_ids: "'{1,2}'", nums: "'{3,4}'" },
  movements: {
    ...{ goods_id: "1", version: "1", kind: "'set'", order_id: "null", operation_id: "null" },
    ...{ on_hand_delta: "5", reserved_delta: "0", on_hand_after: "5", reserved_after: "0" },
  },
} as const;

type Table = keyof typeof ROWS;
const TABLES = Object.keys(ROWS) as Table[];

/** What else a row must say to be refused, by the constraint that refuses it. Several: each of them is refused. */
const REFUSED: Record<Table, Record<string, readonly Record<string, string>[]>> = {
  stock: {
    levels_pkey: [{}],
    goods_id_positive: [{ goods_id: "0" }, { goods_id: "-1" }],
    // With reserved within it, and looked at before reserved is.
    on_hand_not_negative: [{ on_hand: "-1", reserved: "-1" }],
    reserved_not_negative: [{ reserved: "-1" }],
    reserved_within_on_hand: [{ reserved: "6" }],
    version_positive: [{ version: "0" }, { version: "-1" }],
  },
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
    movement_after_within_bounds: [
      { reserved_after: "6" },
      { reserved_after: "-1" },
      { on_hand_after: "-1" },
      { on_hand_after: "-1", reserved_after: "-1" },
    ],
    sales_name_their_order: [{ kind: "'sell'" }, { kind: "'rollback'" }],
  },
};

/** Columns that may be null in a row, or that the server may leave to their default. */
const MAY_BE_NULL: Record<Table, readonly string[]> = {
  stock: ["deleted_at"],
  orders: ["expires_at"],
  operations: ["order_id"],
  movements: ["order_id", "operation_id", "reason", "actor"],
};

/** Columns that PostgreSQL computes: nobody may say what is in them. */
const GENERATED = new Set(["version_block"]);

/** Columns that the server's role may change; it may change no other, and delete nothing. */
const MAY_CHANGE: Record<Table, readonly string[]> = {
  stock: ["on_hand", "reserved", "version", "updated_at", "deleted_at"],
  orders: ["state", "returned", "expires_at", "updated_at"],
  operations: [],
  movements: [],
};

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
          code: constraint.endsWith("_pkey") ? "23505" : "23514",
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
      `delete from ${table}`,
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
    assertEquals(rights?.granted, ["INSERT", "SELECT"]);
    assertEquals(await allRows(owner), before);
  });
}

Deno.test("there are no tables but these and the list of migrations, which the server may only read", async () => {
  await using bench = await openBench();
  const { server, owner } = bench;
  const tables = await owner<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
     order by relname`;
  assertEquals(tables.map((row) => row.name), [...TABLES, "schema_migrations"].sort());
  await server`select * from schema_migrations`;
  for (const statement of ["insert into schema_migrations values ('1')", "delete from schema_migrations"]) {
    assertEquals((await refusalOf(server, statement))?.code, "42501", statement);
  }
  for (const statement of ["create table public.more (i int)", "create schema more", "create role more"]) {
    assertEquals((await refusalOf(server, statement))?.code, "42501", statement);
  }
});

/** The row under another key, so that it is refused for what it says, and not because its key is taken. */
function elsewhere(table: Table, constraint: string, row: Record<string, string>): Record<string, string> {
  if (constraint.endsWith("_pkey")) return row;
  const keys = { stock: { goods_id: "2" }, orders: { order_id: "'q'" }, operations: { operation_id: "'q'" } };
  return { ...(table === "movements" ? { goods_id: "2" } : keys[table]), ...row };
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
