/**
 * Migrations: makes the server's role, then runs dbmate over `migrations/`. Also an entry:
 * `deno task migrate [up|down|status]`, with DATABASE_URL (the server's) and DATABASE_OWNER_URL (who may change the
 * schema; the same as DATABASE_URL where it is not set), each of which may stand in a file (DATABASE_URL_FILE), and
 * DATABASE_TLS_*.
 *
 * Several runs at once do no harm: each step is either repeatable or, when another run was first, tried again.
 * No password appears in a log, an error or a command line.
 */
import { resolveBinary } from "dbmate";
import { setTimeout as delay } from "node:timers/promises";
import type { PostgresAddress } from "../config/postgres_address.ts";
import { postgresTlsNotes } from "../config/store_tls.ts";
import { migrateAddresses } from "./addresses.ts";
import { ConfigError } from "../config/config.ts";
import { EXIT_FAILED, EXIT_UNUSABLE, EXIT_USAGE } from "../process/exit_codes.ts";
import { dbmateUrl, pinnedCertificate } from "./dbmate_address.ts";
import { migrationsDirectory } from "./known.ts";
import { ensureServerRole } from "./role.ts";
import { withSession } from "./session.ts";
import { databasePermissions, missingPermissions } from "../config/permissions.ts";
import { createLog } from "../telemetry/create_log.ts";
import type { Log } from "../telemetry/log.ts";

/** dbmate fails cleanly when another run applied the same migration first; of four at once one does. */
const RUNS_MAX = 8;
const RUN_AGAIN_MS = 250;
/**
 * Of dbmate, in ms: a migration that makes indexes of a large ledger is at it for as long as that takes. From 0.1.0 on
 * 2 million movements took 3 s, in memory.
 */
const RUN_MS_MAX = 24 * 3_600_000;

/** `down` takes back the newest migration, `status` only reports. */
export type Direction = "up" | "down" | "status";
const DIRECTIONS: readonly Direction[] = ["up", "down", "status"];

/** Whose schema is changed, and in which direction. */
export interface MigrateOptions {
  /** Address of a role that may change the schema. */
  readonly owner: PostgresAddress;
  /** Address that the server will use; its role and database must be the migrated ones. */
  readonly server: PostgresAddress;
  readonly direction: Direction;
  readonly log: Log;
  /** Instead of {@link RUN_MS_MAX}; for tests. */
  readonly runMsMax?: number;
}

/**
 * Brings the schema up or down, or reports how it stands.
 *
 * @returns what dbmate said
 * @throws ConfigError for files of an address that can't be read; Error with dbmate's or PostgreSQL's words, both of
 * which leave the password of an address out
 */
export async function migrate(
  { owner, server, direction, log, runMsMax = RUN_MS_MAX }: MigrateOptions,
): Promise<string> {
  const said = await withSession(owner, "DATABASE_OWNER_URL (or DATABASE_URL)", async (session) => {
    if (direction === "up") await ensureServerRole(session, server, log);
    const pinned = pinnedCertificate(session);
    const file = pinned === undefined ? undefined : await temporaryFile(pinned);
    try {
      return await runDbmate(dbmateUrl(session, file), direction, log, runMsMax);
    } finally {
      if (file !== undefined) await Deno.remove(file);
    }
  });
  if (direction !== "status") log.info({ direction }, "migrations done");
  return said;
}

/** Throws Error that says why one is needed. */
async function temporaryFile(text: string): Promise<string> {
  try {
    const path = await Deno.makeTempFile({ prefix: "holdfast-", suffix: ".pem" });
    await Deno.writeTextFile(path, text);
    return path;
  } catch (error) {
    const why =
      "channel_binding=require without sslmode=verify-full: dbmate is told the server's certificate by a file";
    throw new Error(`${why}, and none can be written (${(error as Error).name}); run it with --allow-write=/tmp`);
  }
}

async function runDbmate(url: string, direction: Direction, log: Log, runMsMax: number): Promise<string> {
  for (let attempt = 1;; attempt++) {
    const late = AbortSignal.timeout(runMsMax);
    const { success, stdout, stderr } = await new Deno.Command(resolveBinary(), {
      args: ["--no-dump-schema", "--env-file", "/dev/null", "--migrations-dir", migrationsDirectory(), direction],
      // By environment, because everybody on the machine can read a command line.
      env: { DATABASE_URL: url },
      clearEnv: true,
      stdin: "null",
      signal: late,
    }).output();
    const decoder = new TextDecoder();
    const said = `${decoder.decode(stdout)}${decoder.decode(stderr)}`.trim();
    if (success) return said;
    if (late.aborted) throw new Error(`Migrating ${direction} was given up: it has not ended within ${runMsMax} ms`);
    // Only `up` means the same when it is said twice; one more `down` would take back one more migration.
    if (direction !== "up" || attempt >= RUNS_MAX || !anotherRunWasFirst(said)) {
      const advice = said.includes("permission denied") ? ": set DATABASE_OWNER_URL to a role that may do this" : "";
      throw new Error(`Migrating ${direction} failed: ${said}${advice}`);
    }
    log.info({ attempt }, "another migration run was faster, looking again");
    await delay(RUN_AGAIN_MS * Math.random());
  }
}

/**
 * PostgreSQL's words for "somebody made this at the same moment", or has made of it what a later migration does. Each
 * migration and its row in schema_migrations are one transaction, so the loser has changed nothing.
 */
function anotherRunWasFirst(said: string): boolean {
  return /already exists|duplicate key value|tuple concurrently|deadlock detected|cannot be performed on relation/.test(
    said,
  );
}

async function main(): Promise<number> {
  const log = createLog("info", "pretty");
  const args = Deno.args.filter((arg) => arg !== "--");
  const direction = DIRECTIONS.find((known) => known === (args[0] ?? "up"));
  if (direction === undefined || args.length > 1) {
    console.error(`expected one of ${DIRECTIONS.join(", ")}, got ${args.join(" ")}`);
    console.error(`Usage: deno task migrate [${DIRECTIONS.join("|")}]`);
    return EXIT_USAGE;
  }
  try {
    const { owner, server } = migrateAddresses((name) => Deno.env.get(name));
    const missing = await missingPermissions(databasePermissions(owner));
    if (missing.length > 0) {
      console.error(`Cannot start without these permissions: ${missing.join(" ")}`);
      return EXIT_UNUSABLE;
    }
    for (const note of [...owner.notes, ...postgresTlsNotes(owner)]) log.warn({}, note);
    console.log(await migrate({ owner, server, direction, log }));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return error instanceof ConfigError ? EXIT_UNUSABLE : EXIT_FAILED;
  }
}

if (import.meta.main) Deno.exit(await main());
