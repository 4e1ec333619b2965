/**
 * What PostgreSQL's errors are taken for: each SQLSTATE of the map comes from a real PostgreSQL, and ends as the map
 * says.
 */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import postgres from "postgres";
import {
  ConflictError,
  DatabaseUnavailableError,
  FenceLostError,
  OutcomeUnknownError,
  ReadOnlyServerError,
  RowLockedError,
  StatementTimeoutError,
  StoreError,
} from "../../src/store/errors.ts";
import { Pool, type PoolOptions } from "../../src/store/postgres/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { applyTo, sell, set, settleOn } from "../support/apply.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { NEVER, TEST_LIMITS, within } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { eventually } from "../support/eventually.ts";
import { rejectionOf } from "../support/rejection_of.ts";

type Kind = new (message?: string) => StoreError;

/** What a statement ends with that PostgreSQL ends so; undefined: with the error as it is, a fault of this program. */
const RAISED: readonly [sqlstate: string, kind: Kind | undefined][] = [
  ["40001", ConflictError],
  ["40P01", ConflictError],
  ["40003", OutcomeUnknownError],
  ["55P03", RowLockedError],
  ["57014", StatementTimeoutError],
  ["08000", OutcomeUnknownError],
  ["08006", OutcomeUnknownError],
  ["25P03", OutcomeUnknownError],
  ["25P04", OutcomeUnknownError],
  ["57P01", OutcomeUnknownError],
  ["57P02", OutcomeUnknownError],
  ["57P04", OutcomeUnknownError],
  ["57P05", OutcomeUnknownError],
  ["53000", DatabaseUnavailableError],
  ["53100", DatabaseUnavailableError],
  ["53200", DatabaseUnavailableError],
  ["53300", DatabaseUnavailableError],
  ["58030", DatabaseUnavailableError],
  ["25006", ReadOnlyServerError],
  ["28000", DatabaseUnavailableError],
  ["28P01", DatabaseUnavailableError],
  ["3D000", DatabaseUnavailableError],
  ["42P01", DatabaseUnavailableError],
  ["57P03", DatabaseUnavailableError],
  ["23514", undefined],
  ["22P02", undefined],
  ["42501", undefined],
  ["42601", undefined],
  ["XX000", undefined],
];

Deno.test("each SQLSTATE ends as the map says, and the pool works afterwards", async () => {
  await using bench = await openBench();
  const { pool, owner } = bench;
  await owner`
    create function fail_with(state text) returns int language plpgsql as
      $$ begin raise exception 'as asked' using errcode = state; end $$`;
  for (const [sqlstate, kind] of RAISED) {
    const error = await rejectionOf(pool.run((sql) => sql`select fail_with(${sqlstate}::text)`, NEVER));
    if (kind === undefined) assertEquals(error instanceof StoreError, false, `${sqlstate} ended as ${error}`);
    else assertInstanceOf(error, kind, `${sqlstate} ended as ${error}`);
    await pool.run((sql) => sql`select 1`, NEVER);
  }
  assertEquals(pool.counts.lent, 0);
});

/** How PostgreSQL comes to them by itself: by other sessions, by limits, by what is not there. */
const PROVOKED: Record<string, { kind: Kind; settings?: string[]; provoke: (bench: Bench) => Promise<unknown> }> = {
  "40001, another session's change": {
    kind: ConflictError,
    settings: ["default_transaction_isolation = 'repeatable read'"],
    provoke: async ({ pool, owner }) => {
      const changed = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      const other = owner.begin(async (sql) => {
        await sql`update levels set on_hand = on_hand where goods_id = 1`;
        changed.resolve();
        await go.promise;
      });
      await changed.promise;
      const writing = rejectionOf(pool.run((sql) => sql`update levels set on_hand = 3 where goods_id = 1`, NEVER));
      await eventually(async () => await waiting(owner) === 1, "the statement waits");
      go.resolve();
      await other;
      return writing;
    },
  },
  "40P01, a deadlock": {
    kind: ConflictError,
    settings: ["deadlock_timeout = '50ms'"],
    provoke: async ({ pool, owner }) => {
      const session = await owner.reserve();
      await session.unsafe("set deadlock_timeout = '60s'");
      await session`begin`;
      await session`select 1 from levels where goods_id = 2 for update`;
      const error = await rejectionOf(pool.block(async ({ run }) => {
        await run((sql) => sql`select 1 from levels where goods_id = 1 for update`);
        const others = session`select 1 from levels where goods_id = 1 for update`;
        others.catch(() => {});
        await eventually(async () => await waiting(owner, "") === 1, "the other waits");
        await run((sql) => sql`select 1 from levels where goods_id = 2 for update`);
      }, NEVER));
      await session`rollback`;
      session.release();
      return error;
    },
  },
  "55P03, a row that is locked": {
    kind: RowLockedError,
    provoke: ({ pool, owner }) =>
      owner.begin(async (sql) => {
        await sql`select 1 from levels where goods_id = 1 for update`;
        return await rejectionOf(pool.run((sql) => sql`update levels set on_hand = 3 where goods_id = 1`, NEVER));
      }),
  },
  "57014, a statement that takes too long": {
    kind: StatementTimeoutError,
    provoke: ({ pool }) => rejectionOf(pool.run((sql) => sql`select pg_sleep(60)`, NEVER)),
  },
  "CONNECTION_CLOSED, a session that is ended": {
    kind: OutcomeUnknownError,
    provoke: ({ pool }) => rejectionOf(pool.run((sql) => sql`select pg_terminate_backend(pg_backend_pid())`, NEVER)),
  },
  "53400, a limit of temporary files": {
    kind: DatabaseUnavailableError,
    settings: ["temp_file_limit = '0'", "work_mem = '64kB'"],
    provoke: ({ pool }) =>
      rejectionOf(
        pool.run((sql) => sql`select count(*) from (select i from generate_series(1, 100000) i order by -i) s`, NEVER),
      ),
  },
  "25006, a database that only reads": {
    kind: ReadOnlyServerError,
    settings: ["default_transaction_read_only = 'on'"],
    provoke: ({ pool }) => rejectionOf(pool.run((sql) => sql`update levels set on_hand = 3 where goods_id = 1`, NEVER)),
  },
  "42P01, a table that is not there": {
    kind: DatabaseUnavailableError,
    provoke: ({ pool }) => rejectionOf(pool.run((sql) => sql`select 1 from not_migrated`, NEVER)),
  },
  "23505, a second order under one id": {
    kind: FenceLostError,
    provoke: async ({ pool }) => {
      const insert = () =>
        pool.run(
          (sql) =>
            sql`insert into orders (order_id, state, goods_ids, nums, returned) values ('twice', 'sold', '{}', '{}', '{}')`,
          NEVER,
        );
      await insert();
      return await rejectionOf(insert());
    },
  },
};

for (const [what, { kind, settings = [], provoke }] of Object.entries(PROVOKED)) {
  Deno.test(`${what}: ends as ${kind.name}`, async () => {
    await using bench = await openBench(settings);
    const error = await within(provoke(bench), "the statement");
    assertInstanceOf(error, kind, `it ended as ${error}: ${(error as Error)?.cause}`);
    assertEquals((error as { cause?: { code?: string } }).cause?.code, what.slice(0, what.indexOf(",")));
  });
}

Deno.test("what PostgreSQL lacks, which its health need not show, is a warning with its own words, one for many", async () => {
  const warnings: Record<string, unknown>[] = [];
  const log = { ...TEST_LIMITS.log, warn: (fields: Record<string, unknown>) => void warnings.push(fields) };
  await using bench = await openBench([], { log });
  await bench.owner`
    create function fill_up(state text) returns int language plpgsql as
      $$ begin raise exception 'could not extend file: No space left on device' using errcode = state; end $$`;
  // Of the last nothing is to be said: its caller has the answer.
  for (const state of ["53100", "53100", "58030", "23514"]) {
    await rejectionOf(bench.pool.run((sql) => sql`select fill_up(${state}::text)`, NEVER));
  }
  const message = "could not extend file: No space left on device";
  assertEquals(warnings, [{ count: 1, error: { name: "PostgresError", message, code: "53100" } }]);
});

Deno.test("53300 and 3D000, a database that lets nobody in, and one that is not there: unavailable", async () => {
  await using bench = await openBench();
  const full = bench.database.name;
  await bench.owner.unsafe(`alter database ${full} connection limit 0`);
  const missing = new URL(bench.database.serverUrl);
  missing.pathname = "/not_there";
  for (const [url, code] of [[bench.database.serverUrl, "53300"], [missing.href, "3D000"]] as const) {
    const pool = new Pool({ ...TEST_LIMITS, address: parsePostgresAddress(url) });
    const error = await rejectionOf(pool.run((sql) => sql`select 1`, NEVER)) as {
      cause?: { cause?: { code?: string } };
    };
    assertInstanceOf(error, DatabaseUnavailableError);
    assertEquals(error.cause?.cause?.code ?? (error.cause as { code?: string })?.code, code);
    await pool.close();
  }
});

Deno.test("a database that can't say which rows are locked blames nobody", async () => {
  await using bench = await openBench();
  const { owner, database } = bench;
  // As an engine that spreads rows over servers refuses it: FOR UPDATE looks at this policy, a plain read does not.
  await owner`
    create function refuse() returns bool language plpgsql as
      $$ begin raise exception 'could not run distributed query with FOR UPDATE' using errcode = '0A000'; end $$`;
  await owner.unsafe(`
    alter table levels enable row level security;
    create policy readable on levels for select using (true);
    create policy lockable on levels for update using (refuse());`);
  const store = createStore({
    ...TEST_LIMITS,
    address: parsePostgresAddress(database.serverUrl),
    log: { ...TEST_LIMITS.log, warn: () => {} },
  });
  assertEquals(await store.readLocked([1, 2], NEVER), []);
  await store.close();
});

for (const level of ["off", "local"]) {
  Deno.test(`synchronous_commit = ${level} on database and role does not reach a session; in the address it is refused`, async () => {
    await using bench = await openBench([`synchronous_commit = '${level}'`]);
    const { database, owner } = bench;
    await owner.unsafe(`alter role holdfast_server in database ${database.name} set synchronous_commit = '${level}'`);
    const [row] = await bench.pool.run<{ level: string }[]>(
      (sql) => sql`select current_setting('synchronous_commit') as level`,
      NEVER,
    );
    assertEquals(row?.level, "on");
    const address = parsePostgresAddress(database.serverUrl);
    const store = createStore({ ...TEST_LIMITS, address });
    await store.ping(NEVER);
    await store.close();
    const loose = createStore({ ...TEST_LIMITS, address, session: { synchronous_commit: level } });
    await assertRejects(() => loose.ping(NEVER), DatabaseUnavailableError, `synchronous_commit is ${level}`);
    await loose.close();
  });
}

Deno.test("a write whose SQLSTATE says that its outcome is unknown ends so", async () => {
  await using bench = await openBench();
  const { owner, database } = bench;
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await owner.unsafe(`
    create function lose() returns trigger language plpgsql as
      $$ begin raise exception 'statement completion unknown' using errcode = '40003'; end $$;
    create trigger lose before insert on orders for each row execute function lose();`);
  const { changes } = await settleOn(store, sell("a", [1, 1]));
  assertInstanceOf(await rejectionOf(store.writeChanges(changes, NEVER)), OutcomeUnknownError);
  await store.close();
});

interface Bench extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly pool: Pool;
  readonly owner: postgres.Sql;
}

/** A pool on a database with two goods, and with those settings for who connects from now on. */
async function openBench(settings: readonly string[] = [], limits: Partial<PoolOptions> = {}): Promise<Bench> {
  const database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await applyTo(store, set("set-1", 1, 10), set("set-2", 2, 10));
  await store.close();
  const owner = postgres(database.ownerUrl, { max: 3, onnotice: () => {} });
  await Promise.all([owner`select 1`, owner`select 1`]);
  for (const setting of settings) await owner.unsafe(`alter database ${database.name} set ${setting}`);
  const pool = new Pool({
    ...TEST_LIMITS,
    statementTimeoutMs: 3000,
    lockTimeoutMs: 2000,
    ...limits,
    address: parsePostgresAddress(database.serverUrl),
  });
  return {
    database,
    pool,
    owner,
    async [Symbol.asyncDispose]() {
      await pool.close();
      await owner.end({ timeout: 1 });
      await database.drop();
    },
  };
}

/** Sessions of this database that wait for a lock; of the pool, where nothing else is asked. */
async function waiting(owner: postgres.Sql, name = "holdfast"): Promise<number> {
  const [row] = await owner<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock' and (${name} = '' or application_name = ${name})`;
  return row?.count ?? 0;
}
