/**
 * The role that the server works as. It is the same in every database of a PostgreSQL, so it is no part of the
 * migrations, which belong to one database; they only grant it its rights.
 */
import { randomBytes } from "node:crypto";
import type postgres from "postgres";
import { setTimeout as delay } from "node:timers/promises";
import type { PostgresAddress } from "../config/postgres_address.ts";
import { SERVER_ROLE } from "../config/settings.ts";
import { ROW_LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS } from "../config/config.ts";
import { type OpenSession, withSession } from "./session.ts";
import { sessionSettings } from "../store/postgres/sessions.ts";
import { scramVerifier } from "../store/postgres/scram.ts";
import type { Log } from "../telemetry/log.ts";

/** Two runs that change the same role at once: one gets an error and looks again. */
const TRIES_MAX = 10;
const TRY_AGAIN_MS = 100;
/** As PostgreSQL itself makes its verifiers. */
const SCRAM_ITERATIONS = 4096;
const SCRAM_SALT_BYTES = 16;
/** duplicate_object, unique_violation, serialization_failure, and "tuple concurrently updated" (internal_error). */
const ANOTHER_RUN_CODES = new Set(["42710", "23505", "40001", "XX000"]);

/**
 * What sessions of the role begin with: defaults, which a session replaces by what it asks for at log-in or sets later,
 * so they bound nobody who asks for more. The server's sessions ask for the first ones at log-in, with the same values;
 * behind a pooler, where they can ask for nothing, all that they have is from here, and `ping` looks at it.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  ...sessionSettings({ statementTimeoutMs: STATEMENT_TIMEOUT_MS, lockTimeoutMs: ROW_LOCK_TIMEOUT_MS }),
  // A client that vanished is noticed after 10 s + 3 x 5 s without a sign of it, or 15 s after what it did not take.
  tcp_keepalives_idle: "10s",
  tcp_keepalives_interval: "5s",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "15s",
};

/**
 * Known from PostgreSQL 17 on. The only limit of PostgreSQL's own for a session that waits for its client in
 * mid-statement.
 */
const SETTINGS_FROM_17: Readonly<Record<string, string>> = { transaction_timeout: "10s" };

/** What the role is set to on a PostgreSQL of this version, such as 150019. */
export function roleSettings(postgres: number): Readonly<Record<string, string>> {
  return postgres >= 170_000 ? { ...SETTINGS, ...SETTINGS_FROM_17 } : SETTINGS;
}

/**
 * Makes sure that the role exists, is nothing more than a login, has its timeouts, and, when `server` logs in as it,
 * that the password of that address is its password. What is right already is not touched, so that an owner without
 * the right to change roles can migrate a database that somebody has prepared.
 *
 * @throws Error that says what to run by hand when the owner may not do it
 */
export async function ensureServerRole({ sql }: OpenSession, server: PostgresAddress, log: Log): Promise<void> {
  const [postgresql] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
  const settings = roleSettings(postgresql?.version ?? 0);
  for (let attempt = 1;; attempt++) {
    try {
      return await bringUpToDate(sql, settings, server, log);
    } catch (error) {
      const code = (error as { code?: string }).code ?? "";
      if (code === "42501") throw new Error(byHand(settings));
      if (!ANOTHER_RUN_CODES.has(code) || attempt >= TRIES_MAX) throw error;
      await delay(TRY_AGAIN_MS * Math.random());
    }
  }
}

async function bringUpToDate(
  sql: postgres.Sql,
  settings: RoleSettings,
  server: PostgresAddress,
  log: Log,
): Promise<void> {
  const [found] = await sql<RoleRow[]>`
    select rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, coalesce(rolconfig, '{}') as rolconfig
    from pg_roles where rolname = ${SERVER_ROLE}`;
  if (found === undefined) {
    await sql.unsafe(`create role ${SERVER_ROLE} login nosuperuser nocreatedb nocreaterole`);
    log.info({ role: SERVER_ROLE }, "made the server's role");
  } else if (!found.rolcanlogin || found.rolsuper || found.rolcreatedb || found.rolcreaterole) {
    await sql.unsafe(`alter role ${SERVER_ROLE} login nosuperuser nocreatedb nocreaterole`);
  }
  for (const [name, value] of Object.entries(settings)) {
    if (found?.rolconfig.includes(`${name}=${value}`)) continue;
    await sql.unsafe(`alter role ${SERVER_ROLE} set ${name} = '${value}'`);
  }
  const { user, password } = server;
  if (user !== SERVER_ROLE || password === undefined) return;
  if (await canLogIn(server)) return;
  // Not the password: a statement that fails goes to PostgreSQL's log with all its text.
  const verifier = scramVerifier(password, randomBytes(SCRAM_SALT_BYTES), SCRAM_ITERATIONS);
  await sql.unsafe(`alter role ${SERVER_ROLE} password '${verifier}'`);
  log.info({ role: SERVER_ROLE }, "set the password of the server's role to the one of DATABASE_URL");
}

/** What the role is set to, by name. */
type RoleSettings = ReturnType<typeof roleSettings>;

interface RoleRow {
  readonly rolcanlogin: boolean;
  readonly rolsuper: boolean;
  readonly rolcreatedb: boolean;
  readonly rolcreaterole: boolean;
  readonly rolconfig: string[];
}

async function canLogIn(server: PostgresAddress): Promise<boolean> {
  try {
    return await withSession(server, "DATABASE_URL", () => Promise.resolve(true));
  } catch {
    return false;
  }
}

function byHand(settings: RoleSettings): string {
  const statements = Object.entries(settings).map(([name, value]) =>
    `alter role ${SERVER_ROLE} set ${name} = '${value}'`
  );
  return `The owner may not change roles. Let a superuser run: create role ${SERVER_ROLE} login password '...'; ` +
    `${statements.join("; ")}`;
}
