/** A PostgreSQL of a test's own, to be killed, stalled and set as none may be that others use too. */
import { join } from "node:path";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { type PrivatePostgres, startPostgres } from "../../tools/stack/postgres.ts";
import { migrate } from "../../src/migrate/main.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
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
  const log = createLog("error", "pretty");
  const dir = await Deno.makeTempDir();
  // PostgreSQL runs as another user when we are root, and must get through to its data.
  await Deno.chmod(dir, 0o755);
  const binDir = testEnvironment().postgresBin;
  const server = await startPostgres({ dir: join(dir, "postgres"), binDir, fsync, log });
  return {
    server,
    async database(name) {
      await server.createDatabase(name);
      const [ownerUrl, serverUrl] = [server.ownerUrl(name), server.serverUrl(name)];
      await migrate({
        owner: parsePostgresAddress(ownerUrl),
        server: parsePostgresAddress(serverUrl),
        direction: "up",
        log,
      });
      return lastingDatabase(name, ownerUrl, serverUrl);
    },
    async [Symbol.asyncDispose]() {
      await server.stop("immediate");
      await Deno.remove(dir, { recursive: true });
    },
  };
}
