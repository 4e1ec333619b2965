/**
 * Migrations: makes the server's role, then runs dbmate over `migrations/`. Also an entry:
 * `deno task migrate [up|down|status]`, with DATABASE_URL (the server's) and DATABASE_OWNER_URL (who may change the
 * schema; the same as DATABASE_URL where it is not set).
 *
 * Several runs at once do no harm: each step is either repeatable or, when another run was first, tried again.
 * No password appears in a log, an error or a command line.
 */
import { fileURLToPath } from "node:url";
import { resolveBinary } from "dbmate";
import { ensureServerRole } from "./migrate_role.ts";
import { createLog } from "./telemetry/create_log.ts";
import type { Log } from "./telemetry/log.ts";

/** dbmate fails cleanly when another run applied the same migration first; of four at once one does. */
const RUNS_MAX = 8;
const RUN_AGAIN_MS = 250;
const RUN_MS_MAX = 120_000;
const LOOPBACK_HOSTS = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** `down` takes back the newest migration, `status` only tells. */
export type Direction = "up" | "down" | "status";
const DIRECTIONS: readonly Direction[] = ["up", "down", "status"];

/** Whose schema goes which way. */
export interface MigrateOptions {
  /** postgres:// address of a role that may change the schema. */
  readonly ownerUrl: string;
  /** postgres:// address that the server will use; its role and database must be the migrated ones. */
  readonly serverUrl: string;
  readonly direction: Direction;
  readonly log: Log;
}

/**
 * Brings the schema one way, or tells how it stands.
 *
 * @returns what dbmate said
 * @throws Error with dbmate's or PostgreSQL's words; both leave the password of an address out
 */
export async function migrate({ ownerUrl, serverUrl, direction, log }: MigrateOptions): Promise<string> {
  const url = withSslMode(ownerUrl);
  if (direction === "up") await ensureServerRole(url, withSslMode(serverUrl), log);
  const said = await runDbmate(url, direction, log);
  if (direction !== "status") log.info({ direction }, "migrations done");
  return said;
}

/**
 * The address with `sslmode=disable` where it says nothing about TLS and the host is this machine: dbmate insists on
 * TLS unless told, and a local PostgreSQL seldom has it. Any other host keeps the caller's choice.
 *
 * @throws Error when the text is no postgres:// address; it does not repeat the text, which may hold a password
 */
export function withSslMode(url: string): string {
  const parsed = parse(url);
  if (parsed.searchParams.has("sslmode") || !LOOPBACK_HOSTS.has(parsed.hostname)) return url;
  return `${url}${url.includes("?") ? "&" : "?"}sslmode=disable`;
}

async function runDbmate(url: string, direction: Direction, log: Log): Promise<string> {
  for (let attempt = 1;; attempt++) {
    const { success, stdout, stderr } = await new Deno.Command(resolveBinary(), {
      args: ["--no-dump-schema", "--env-file", "/dev/null", "--migrations-dir", migrationsDirectory(), direction],
      // By environment, because everybody on the machine can read a command line.
      env: { DATABASE_URL: url },
      clearEnv: true,
      stdin: "null",
      signal: AbortSignal.timeout(RUN_MS_MAX),
    }).output();
    const decoder = new TextDecoder();
    const said = `${decoder.decode(stdout)}${decoder.decode(stderr)}`.trim();
    if (success) return said;
    // Only `up` means the same when it is said twice; one more `down` would take back one more migration.
    if (direction !== "up" || attempt >= RUNS_MAX || !anotherRunWasFirst(said)) {
      const advice = said.includes("permission denied") ? ": set DATABASE_OWNER_URL to a role that may do this" : "";
      throw new Error(`Migrating ${direction} failed: ${said}${advice}`);
    }
    log.info({ attempt }, "another migration run was faster, looking again");
    await new Promise((resolve) => setTimeout(resolve, RUN_AGAIN_MS * Math.random()));
  }
}

/**
 * PostgreSQL's words for "somebody made this at the same moment". Each migration and its row in schema_migrations are
 * one transaction, so the loser has changed nothing.
 */
function anotherRunWasFirst(said: string): boolean {
  return /already exists|duplicate key value|tuple concurrently|deadlock detected/.test(said);
}

function migrationsDirectory(): string {
  return fileURLToPath(new URL("../migrations", import.meta.url));
}

function parse(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new Error("The database address must look like postgres://user:password@host:5432/database");
  }
  return parsed;
}

async function main(): Promise<number> {
  const log = createLog("info", "pretty");
  const args = Deno.args.filter((arg) => arg !== "--");
  const direction = DIRECTIONS.find((known) => known === (args[0] ?? "up"));
  const ownerUrl = Deno.env.get("DATABASE_OWNER_URL") || Deno.env.get("DATABASE_URL");
  if (direction === undefined || args.length > 1) {
    console.error(`Usage: deno task migrate [${DIRECTIONS.join("|")}]`);
    return 2;
  }
  if (ownerUrl === undefined || ownerUrl === "") {
    console.error("DATABASE_URL is not set: give it the address of the database, postgres://user:password@host/name");
    return 2;
  }
  try {
    const serverUrl = Deno.env.get("DATABASE_URL") || ownerUrl;
    console.log(await migrate({ ownerUrl, serverUrl, direction, log }));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
