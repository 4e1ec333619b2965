/** A PostgreSQL of a test's own, to be killed, stalled and set as none may be that others use too. */
import { join } from "node:path";
import { createLog } from "../../src/telemetry/create_log.ts";
import { type PrivatePostgres, startPostgres } from "../../tools/stack/postgres.ts";
import { TEMPLATE_DATABASE } from "../../tools/test/database_maker.ts";
import { lastingDatabase, type TestDatabase } from "./database.ts";
import { testEnvironment } from "./env.ts";

/** The server. `await using` stops it, and removes what it left. */
export interface OwnPostgres extends AsyncDisposable {
  readonly server: PrivatePostgres;
  /** Makes a database with the whole schema and no rows. */
  database(name: string): Promise<TestDatabase>;
}

/** Starts it. Where nobody loses more than its processes, `fsync: false` spares the disk. */
export async function startOwnPostgres({ fsync = true }: { readonly fsync?: boolean } = {}): Promise<OwnPostgres> {
  const dir = await Deno.makeTempDir();
  // PostgreSQL runs as another user when we are root, and must get through to its data.
  await Deno.chmod(dir, 0o755);
  const server = await startCopiedPostgres(join(dir, "postgres"), { fsync });
  return {
    server,
    async database(name) {
      await makeDatabase(server, name);
      return lastingDatabase(name, server.ownerUrl(name), server.serverUrl(name));
    },
    async [Symbol.asyncDispose]() {
      await server.stop("immediate");
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/**
 * Starts one in `dir`, where there is none yet, on a copy of the files of the run's own: with its passwords, and with
 * what {@link makeDatabase} copies.
 */
export async function startCopiedPostgres(
  dir: string,
  { fsync = false }: { readonly fsync?: boolean } = {},
): Promise<PrivatePostgres> {
  const { postgresBin: binDir, postgresCopy } = testEnvironment();
  const line = 'mkdir -p "$2" && cp -a "$1"/. "$2"';
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", line, "sh", postgresCopy, dir] }).output();
  if (!success) throw new Error(`PostgreSQL could not be copied: ${new TextDecoder().decode(stderr)}`);
  return await startPostgres({ dir, binDir, fsync, log: createLog("error", "pretty") });
}

/** Makes a database with the whole schema and no rows on one of {@link startCopiedPostgres}. */
export async function makeDatabase(server: PrivatePostgres, name: string): Promise<void> {
  await server.createDatabase(name, TEMPLATE_DATABASE);
}
