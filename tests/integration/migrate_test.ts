/** Tests of the migrations: up and down and up again, and several runs at once. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { startPostgres } from "../../tools/stack/postgres.ts";
import { migrate } from "../../src/migrate/main.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import { createStore } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

const log = createLog("warn", "pretty");

Deno.test("migrating up, down and up again leaves the same schema", async () => {
  await using database = await createTestDatabase({ empty: true });
  await run(database, "up");
  const first = await schema(database);
  assert(first.some((line) => String(line).includes("movements")), "the migrations made no table of movements");

  const steps = Array.from(Deno.readDirSync("migrations")).length;
  for (let step = 0; step < steps; step++) await run(database, "down");
  assertEquals(await schema(database), [], "something is left after the last step down");

  await run(database, "up");
  assertEquals(await schema(database), first);
});

for (const runs of [2, 4]) {
  Deno.test(`${runs} migration runs at once on a new PostgreSQL do no harm`, async () => {
    await using once = await createTestDatabase({ empty: true });
    await run(once, "up");
    const dir = await Deno.makeTempDir();
    const server = await startPostgres({ dir, binDir: testEnvironment().postgresBin, fsync: false, log });
    try {
      await server.createDatabase("together");
      const together = { ownerUrl: server.ownerUrl("together"), serverUrl: server.serverUrl("together") };
      await Promise.all(Array.from({ length: runs }, () => run(together, "up")));
      assertEquals(await schema(together), await schema(once));
      assertEquals(await select(together.serverUrl, "select current_user::text as role"), [{
        role: "holdfast_server",
      }]);
    } finally {
      await server.stop("immediate");
    }
  });
}

Deno.test("dbmate is given up at its bound, which is said", async () => {
  await using database = await createTestDatabase();
  const address = parsePostgresAddress(database.ownerUrl);
  const options = { owner: address, server: address, direction: "status", log } as const;
  const { message } = await assertRejects(() => migrate({ ...options, runMsMax: 1 }), Error);
  assertEquals(message, "Migrating status was given up: it has not ended within 1 ms");
});

Deno.test("a server is not ready before the newest migration, and says what to do", async () => {
  await using database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await store.ping(NEVER);
  await run(database, "down");
  const { message } = await assertRejects(() => store.ping(NEVER), DatabaseUnavailableError);
  assertEquals(message, "the schema is missing, or older than this version: run `deno task migrate`");
  await run(database, "up");
  await store.ping(NEVER);
  await store.close();
});

Deno.test("status reports what is applied, and no password", async () => {
  await using database = await createTestDatabase();
  const said = await run(database, "status");
  assert(/Applied: [1-9]/.test(said), said);
  assert(!said.includes(new URL(database.ownerUrl).password));
});

Deno.test("a failed migration says why, and no password", async () => {
  for (const password of ["s3cret-word", "s3cret%25ZZ%40%23word"]) {
    const url = `postgres://nobody:${password}@127.0.0.1:1/nowhere`;
    const error = await assertRejects(() => run({ ownerUrl: url, serverUrl: url }, "status"), Error);
    assert(/ECONNREFUSED/.test(error.message), error.message);
    assert(!/s3cret/.test(error.message), error.message);
  }
});

Deno.test("the server's role can log in, has its timeouts, and no right beyond the granted ones", async () => {
  await using database = await createTestDatabase();
  const settings = await select(
    database.serverUrl,
    `select current_user::text as role, current_setting('statement_timeout') as statement,
      current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle,
      coalesce(current_setting('transaction_timeout', true), '10s') as transaction,
      current_setting('enable_seqscan') as seqscan, current_setting('jit') as jit,
      (select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = current_user) as powerful`,
  );
  const wanted = {
    role: "holdfast_server",
    statement: "1s",
    lock: "250ms",
    idle: "1s",
    transaction: "10s",
    seqscan: "off",
    jit: "off",
    powerful: false,
  };
  assertEquals(settings, [wanted]);
  // A setting of TCP reads as 0 on a connection that is not by TCP, and here it is.
  const tcp = await select(
    database.serverUrl,
    `select name, setting from pg_settings where name like 'tcp_keepalives%' or name = 'tcp_user_timeout' order by name`,
  );
  assertEquals(tcp.map(({ name, setting }) => `${name}=${setting}`), [
    "tcp_keepalives_count=3",
    "tcp_keepalives_idle=10",
    "tcp_keepalives_interval=5",
    "tcp_user_timeout=15000",
  ]);
  const error = await assertRejects(() => select(database.serverUrl, "drop table movements"));
  assertEquals((error as { code?: string }).code, "42501");
});

type Addresses = Pick<TestDatabase, "ownerUrl" | "serverUrl">;

function run({ ownerUrl, serverUrl }: Addresses, direction: "up" | "down" | "status"): Promise<string> {
  return migrate({ owner: parsePostgresAddress(ownerUrl), server: parsePostgresAddress(serverUrl), direction, log });
}

async function select(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return (await sql.unsafe(statement)).map((row) => ({ ...row }));
  } finally {
    await sql.end();
  }
}

/** Everything in the schema `public` but dbmate's own table, one line for each thing, in a fixed order. */
async function schema(database: Addresses): Promise<unknown[]> {
  const rows = await select(
    database.ownerUrl,
    `
      select line from (
        select format('column %s.%s %s %s %s %s', table_name, column_name, ordinal_position, data_type, is_nullable,
          coalesce(column_default, '')) as line
        from information_schema.columns where table_schema = 'public' and table_name <> 'schema_migrations'
        union all
        select format('constraint %s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        from pg_constraint where connamespace = 'public'::regnamespace and conrelid::regclass::text <> 'schema_migrations'
        union all
        select format('index %s', indexdef) from pg_indexes
        where schemaname = 'public' and tablename <> 'schema_migrations'
        union all
        select format('rights on %s: %s', relname, array_to_string(relacl, ' ')) from pg_class
        where relnamespace = 'public'::regnamespace and relkind <> 'i' and relname <> 'schema_migrations'
        union all
        select format('rights on column %s.%s: %s', attrelid::regclass, attname, array_to_string(attacl, ' '))
        from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and attacl is not null
        union all
        select format('function %s', pg_get_functiondef(oid)) from pg_proc where pronamespace = 'public'::regnamespace
        union all
        select format('type %s', typname) from pg_type where typnamespace = 'public'::regnamespace and typtype = 'e'
      ) as things order by line`,
  );
  return rows.map((row) => row["line"]);
}
