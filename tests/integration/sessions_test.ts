/** What PostgreSQL has of our sessions: their own settings and statements by name, or, for a pooler, neither. */
import { assertEquals, assertNotEquals } from "@std/assert";
import type { Statement } from "../../src/store/postgres/transaction_block.ts";
import { Pool } from "../../src/store/postgres/pool.ts";
import { type SessionKind, Sessions } from "../../src/store/postgres/sessions.ts";
import { createTestDatabase } from "../support/database.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

const LIMITS = { ...TEST_LIMITS, max: 1, statementTimeoutMs: 777, lockTimeoutMs: 333 };

Deno.test("sessions of our own ask for their settings, and their statements have names", async () => {
  assertEquals(await sessionOf("own"), { statement: "777ms", lock: "333ms", seqscan: "off", isNamed: true });
});

Deno.test("sessions for a pooler have the settings of the role, and their statements have no names", async () => {
  assertEquals(await sessionOf("pooled"), { statement: "1s", lock: "250ms", seqscan: "off", isNamed: false });
});

Deno.test("a pool whose sessions are begun otherwise from now on keeps none of the others", async () => {
  await using database = await createTestDatabase();
  for (const found of ["while it is idle", "while it is used and waited for"]) {
    const sessions = new Sessions(TEST_LIMITS.log);
    const pool = new Pool({ ...LIMITS, address: parsePostgresAddress(database.serverUrl) }, sessions);
    const pid = async () => (await pool.run(pidStatement, NEVER))[0]?.pid;
    const first = await pid();
    assertEquals(await pid(), first, found);
    const used = found === "while it is idle" ? undefined : pool.block(({ run }) => run(pidStatement), NEVER);
    const waiting = used === undefined ? undefined : pid();
    sessions.foundPooler("a test");
    assertEquals((await used)?.[0]?.pid ?? first, first, found);
    assertNotEquals(await (waiting ?? pid()), first, found);
    await pool.close();
  }
});

const pidStatement: Statement<{ pid: number }[]> = (sql) => sql`select pg_backend_pid() as pid`;

/** What a session of that kind looks like after a statement with a parameter. */
async function sessionOf(kind: SessionKind) {
  await using database = await createTestDatabase();
  const sessions = new Sessions(TEST_LIMITS.log);
  if (kind === "pooled") sessions.foundPooler("a test");
  const pool = new Pool({ ...LIMITS, address: parsePostgresAddress(database.serverUrl) }, sessions);
  await pool.run((sql) => sql`select ${1}::int as number`, NEVER);
  const [row] = await pool.run<Record<string, unknown>[]>(
    (sql) =>
      sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
                 current_setting('enable_seqscan') as seqscan,
                 exists (select from pg_prepared_statements where not from_sql and statement like '%as number%')
                   as "isNamed"`,
    NEVER,
  );
  await pool.close();
  return { ...row };
}
