/** PgBouncer in front of the PostgreSQL of the tests, as docs/clients.md has it. */
import { join } from "node:path";
import postgres from "postgres";
import { PASSAGE_MODE } from "../../tools/stack/own_directory.ts";
import { freePort } from "../../tools/stack/ports.ts";
import { type ServerProcess, startServer } from "../../tools/stack/server_process.ts";
import { SERVER_ENVIRONMENT } from "../../src/process/child_environment.ts";
import { databaseUser } from "../../tools/stack/system_user.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { clientProgram } from "./client_programs.ts";
import { docBlock } from "./clients_doc.ts";
import { atPort } from "./env.ts";

/** What Debian's package comes with. Read first, where we may; what it sets is its defaults. */
const DEBIANS = "/etc/pgbouncer/pgbouncer.ini";
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 5_000;

/** A running PgBouncer. `await using` stops it. */
export interface PgBouncer extends AsyncDisposable {
  /** Where `url`, an address of the role `holdfast_server`, leads to through it. */
  through(url: string): string;
  /** A word of its administrator's, such as RECONNECT. */
  say(word: string): Promise<void>;
}

/**
 * Starts one for whatever database it is asked for, as the role `holdfast_server` of `serverUrl`.
 *
 * @param settings lines behind those of the documentation, such as `pool_mode = session`
 */
export async function startPgBouncer(serverUrl: string, settings: readonly string[] = []): Promise<PgBouncer> {
  const ownPort = freePort();
  const program = clientProgram("pgbouncer");
  const user = databaseUser();
  const dir = await Deno.makeTempDir();
  await Deno.chmod(dir, PASSAGE_MODE);
  const write = async (name: string, text: string) => {
    const path = join(dir, name);
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    if (user !== undefined) await Deno.chown(path, user.uid, user.gid);
    return path;
  };
  const { hostname, port, username, password } = new URL(serverUrl);
  const users = await write("userlist.txt", `"${username}" "${password}"\n`);
  const own = docBlock("pgbouncer.ini", {
    "holdfast = host=127.0.0.1 port=5432 dbname=holdfast": `* = host=${hostname} port=${port}`,
    "6432": `${ownPort}`,
    "/etc/pgbouncer/userlist.txt": users,
  });
  const ini = await write(
    "pgbouncer.ini",
    [
      await readable(DEBIANS) ? `%include ${DEBIANS}` : "",
      own,
      ...settings,
      `admin_users = ${username}`,
      "logfile =",
      "pidfile =",
      "unix_socket_dir =",
    ].join("\n"),
  );
  const server: ServerProcess = startServer({
    name: "pgbouncer",
    program,
    args: [ini],
    dir,
    cwd: dir,
    env: SERVER_ENVIRONMENT,
    mark: ini,
    readyText: "process up",
    user,
  });
  await until(() => !server.isAlive() || server.isReady(), START_MS_MAX);
  if (!server.isReady()) {
    await server.stop("SIGTERM", STOP_MS_MAX);
    throw new Error(`PgBouncer does not start: ${server.tail()}`);
  }
  const through = (url: string) => atPort(url, ownPort);
  return {
    through,
    async say(word) {
      const admin = new URL(through(serverUrl));
      admin.pathname = "/pgbouncer";
      const sql = postgres(admin.href, { max: 1, fetch_types: false, onnotice: () => {} });
      await sql.unsafe(word).simple();
      await sql.end();
    },
    async [Symbol.asyncDispose]() {
      await server.stop("SIGTERM", STOP_MS_MAX);
    },
  };
}

async function readable(path: string): Promise<boolean> {
  return await Deno.open(path).then((file) => (file.close(), true), () => false);
}
