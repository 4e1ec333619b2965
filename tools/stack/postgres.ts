/**
 * A private PostgreSQL: its own data directory, its own loopback port, its own passwords. It knows nothing of Holdfast
 * but the two roles: the owner, who may do everything, and `holdfast_server`, whom the migrations make.
 *
 * The port is kept in a file, so that it stays the same over restarts wherever nobody has it.
 */
import { join } from "node:path";
import postgres from "postgres";
import { setTimeout as delay } from "node:timers/promises";
import { SERVER_ROLE } from "../../src/config/settings.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { freePort, takePort } from "./ports.ts";
import { SERVER_ENVIRONMENT } from "../../src/process/child_environment.ts";
import { postgresPlace } from "./postgres_place.ts";
import { initializeDatabase, password } from "./postgres_init.ts";
import { stopStrays } from "./process_record.ts";
import { findPostgres } from "./programs.ts";
import { type ServerProcess, startServer } from "./server_process.ts";
import { databaseUser } from "./system_user.ts";
import { until } from "../../src/base/bounded_wait.ts";

const READY_MS_MAX = 30_000;
/** Or read-only ones: a standby. */
const READY_TEXT = "database system is ready to accept";
const STOP_MS_MAX = 15_000;
const START_TRIES_MAX = 20;
/** After a kill the old server's children need a moment to leave its shared memory. */
const SHARED_MEMORY_MS = 200;
const CONNECTIONS_MAX = 200;
const DUPLICATE_DATABASE = "42P04";
const OWNER_ROLE = "holdfast_owner";

/** `fast` ends the connections and writes everything out; `immediate` is a crash that the next start recovers from. */
export type StopMode = "fast" | "immediate";

export interface PostgresOptions {
  /** Has data, log, port and passwords; made where it is missing. As root, the data in it is the user `postgres`'s. */
  readonly dir: string;
  readonly log: Log;
  /** Directory with `initdb` and `postgres`; looked for where it is not given. */
  readonly binDir?: string;
  /** Off only where losing the data in a power cut does not matter. Default: on. */
  readonly fsync?: boolean;
}

/** A running private PostgreSQL. */
export interface PrivatePostgres {
  /** Where its files really are; differs from the asked directory when that one is closed to the user it runs as. */
  readonly dir: string;
  readonly port: number;
  /** Process id of the postmaster that runs, or ran last. */
  readonly pid: number;
  /** Resolves when the process that runs now has ended, for whatever reason. */
  readonly ended: Promise<unknown>;
  /** Address for the owner (superuser), with its password. */
  ownerUrl(database: string): string;
  /** Address for the role `holdfast_server`, with the password that the migrations give it. */
  serverUrl(database: string): string;
  stop(mode: StopMode): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  restart(mode: StopMode): Promise<void>;
  /** SIGKILL to the postmaster, as a crash or the kernel's memory killer does it. */
  kill(): Promise<void>;
  /** Makes a database, as a copy of `template` where one is given. */
  createDatabase(name: string, template?: string): Promise<void>;
  /** Makes an empty database where there is none of that name. */
  ensureDatabase(name: string): Promise<void>;
}

/**
 * Starts PostgreSQL on the data in `dir`, which is made the first time. Returns when it takes connections.
 *
 * @throws Error when it does not become ready within {@link READY_MS_MAX}; the message ends with its own last words
 */
export async function startPostgres(options: PostgresOptions): Promise<PrivatePostgres> {
  const { log } = options;
  const user = databaseUser();
  const place = await postgresPlace(options.dir, user);
  const { dir } = place;
  if (dir !== await Deno.realPath(options.dir)) {
    log.info({ dir, user: user?.name }, "the directory is closed to PostgreSQL's user, its data is kept elsewhere");
  }
  const stopped = await stopStrays(place.private);
  if (stopped.length > 0) log.warn({ stopped }, "stopped a server that an earlier run left behind");

  const binDir = options.binDir ?? findPostgres()?.binDir;
  if (binDir === undefined) {
    throw new Error("PostgreSQL is not installed: `apt-get install postgresql`, then try again");
  }
  const fsync = options.fsync ?? true;
  await initializeDatabase({ place, binDir, user, ownerRole: OWNER_ROLE, fsync, log });
  const ownerPassword = await password(place, "owner");
  const serverPassword = await password(place, "server");
  const keptPort = Number(await Deno.readTextFile(join(place.private, "port")).catch(() => "0"));
  const port = takePort(keptPort) ? keptPort : freePort();
  let server: ServerProcess | undefined;

  const run = (): ServerProcess =>
    startServer({
      name: "postgres",
      program: join(binDir, "postgres"),
      args: ["-D", place.data, ...settings(port, fsync)],
      dir: place.private,
      cwd: place.data,
      env: SERVER_ENVIRONMENT,
      mark: place.data,
      readyText: READY_TEXT,
      user,
    });

  const start = async () => {
    for (let attempt = 1;; attempt++) {
      server = run();
      const started = server;
      await until(() => !started.isAlive() || started.isReady(), READY_MS_MAX);
      if (started.isAlive() && started.isReady()) break;
      await started.stop("SIGQUIT", STOP_MS_MAX);
      const words = started.tail();
      if (attempt >= START_TRIES_MAX || !words.includes("still in use")) {
        const path = join(place.private, "postgres.log");
        throw new Error(`PostgreSQL did not start on port ${port} (its log is ${path}): ${words}`);
      }
      await delay(SHARED_MEMORY_MS);
    }
  };
  const stop = (mode: StopMode) => server!.stop(mode === "fast" ? "SIGINT" : "SIGQUIT", STOP_MS_MAX);
  const url = (role: string, secret: string, database: string) =>
    `postgres://${role}:${secret}@127.0.0.1:${port}/${database}?sslmode=disable`;
  const asOwner = async (statement: string) => {
    const sql = postgres(url(OWNER_ROLE, ownerPassword, "postgres"), { max: 1, onnotice: () => {} });
    try {
      await sql.unsafe(statement);
    } finally {
      await sql.end();
    }
  };

  await start();
  await Deno.writeTextFile(join(place.private, "port"), `${port}\n`, { mode: 0o600 });
  log.info({ port, dir }, "PostgreSQL is ready");
  return {
    dir,
    port,
    get pid() {
      return server!.pid;
    },
    get ended() {
      return server!.ended;
    },
    ownerUrl: (database) => url(OWNER_ROLE, ownerPassword, database),
    serverUrl: (database) => url(SERVER_ROLE, serverPassword, database),
    stop,
    start,
    async restart(mode) {
      await stop(mode);
      await start();
    },
    async kill() {
      server!.signal("SIGKILL");
      await server!.ended;
    },
    createDatabase: (name, template) =>
      asOwner(
        `create database ${identifier(name)}${template === undefined ? "" : ` template ${identifier(template)}`}`,
      ),
    ensureDatabase: (name) =>
      asOwner(`create database ${identifier(name)}`).catch((error) => {
        if (error.code !== DUPLICATE_DATABASE) throw error;
      }),
  };
}

function settings(port: number, fsync: boolean): string[] {
  const values: Record<string, string | number> = {
    listen_addresses: "127.0.0.1",
    port,
    // Everything goes over loopback with a password; a socket file would need a directory that all can write.
    unix_socket_directories: "",
    max_connections: CONNECTIONS_MAX,
    fsync: fsync ? "on" : "off",
    // Commits stay synchronous in both cases: a killed PostgreSQL must lose nothing, only a power cut may.
    full_page_writes: fsync ? "on" : "off",
    // To drop a database is to go through all buffers: 30 made and dropped took 2.2 s of system time at 128 MB.
    ...(fsync ? {} : { shared_buffers: "32MB" }),
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
