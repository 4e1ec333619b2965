/** The servers that tests share, in a temporary directory of their own, and what the tests must know of them. */
import { delimiter, dirname, join } from "node:path";
import { randomBytes } from "node:crypto";
import { resolveBinary } from "dbmate";
import connect from "postgres";
import { migrate } from "../../src/migrate/main.ts";
import { preloaded } from "../../src/process/allocator.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { bufBinary } from "../gate/buf_binary.ts";
import { dataDir, isOursAlone } from "../stack/own_directory.ts";
import { stopStrays } from "../stack/process_record.ts";
import type { PrivatePostgres } from "../stack/postgres.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { lockDirectory, tryLockDirectory } from "../stack/stack_lock.ts";
import { keepInMemory, leaveMemory } from "./memory_directory.ts";
import type { ServerTestAccess } from "./test_groups.ts";
import { parsePostgresAddress, type PostgresAddress } from "../../src/config/postgres_address.ts";
import { scramVerifier } from "../../src/store/postgres/scram.ts";
import { type DatabaseMaker, startDatabaseMaker, TEMPLATE_DATABASE } from "./database_maker.ts";

const DIRECTORY_PREFIX = "holdfast-test-";
const REDIS_NODES = 5;

/** What the tests that run one after another in one place must know: nodes and a directory that are theirs alone. */
export interface TestPlace {
  readonly env: Record<string, string>;
  readonly access: ServerTestAccess;
}

/** The servers of a run: one PostgreSQL, in which each test has databases of its own, and five Redis for each place. */
export interface TestServers {
  readonly places: readonly TestPlace[];
  stop(): Promise<void>;
}

/** Starts them, with one migrated database to copy. Throws what does not start. */
export async function startTestServers(log: Log, placeCount: number): Promise<TestServers> {
  const root = await Deno.makeTempDir({ prefix: DIRECTORY_PREFIX });
  const isInMemory = await keepInMemory(root);
  // PostgreSQL runs as another user when we are root, and must get through to its data.
  await Deno.chmod(root, 0o755);
  const lock = await lockDirectory(root, log);
  await clearAbandoned(root, log);
  const temporaryDirs = Array.from({ length: placeCount }, (_, place) => join(root, `tmp-${place + 1}`));
  for (const dir of temporaryDirs) await Deno.mkdir(dir);
  let stack: Stack | undefined;
  let maker: DatabaseMaker | undefined;
  const stop = async () => {
    // Tests stop what they start; a test that was interrupted may not have come to it.
    const strays = (await Promise.all(temporaryDirs.map(stopStrays))).flat();
    if (strays.length > 0) log.warn({ strays }, "stopped servers that tests left behind");
    await maker?.[Symbol.asyncDispose]();
    await stack?.stop();
    if (stack?.postgres?.dir.startsWith(root) === false) await Deno.remove(stack.postgres.dir, { recursive: true });
    lock.close();
    if (isInMemory) await leaveMemory(root);
    await Deno.remove(root, { recursive: true });
  };
  try {
    const kept = { dir: join(root, "stack"), programsDir: dataDir() };
    stack = await startStack({ ...kept, log, postgres: true, redisNodes: placeCount * REDIS_NODES, durable: false });
    const { postgres, postgresBin, redisProgram } = stack;
    if (postgres === undefined || postgresBin === undefined || redisProgram === undefined) {
      throw new Error("The stack came up without a server that was asked for");
    }
    await postgres.createDatabase(TEMPLATE_DATABASE);
    await migrate({
      owner: parsePostgresAddress(postgres.ownerUrl(TEMPLATE_DATABASE)),
      server: parsePostgresAddress(postgres.serverUrl(TEMPLATE_DATABASE)),
      direction: "up",
      log,
    });
    await spareWork(postgres.ownerUrl("postgres"), parsePostgresAddress(postgres.serverUrl("postgres")));
    const copy = join(root, "postgres-copy");
    await copyPostgres(postgres, copy);
    maker = startDatabaseMaker(postgres.ownerUrl("postgres"));
    const env = {
      TEST_DATABASE_OWNER_URL: postgres.ownerUrl("postgres"),
      TEST_DATABASE_SERVER_URL: postgres.serverUrl("postgres"),
      TEST_DATABASE_MAKER: maker.url,
      TEST_POSTGRES_BIN: postgresBin,
      TEST_POSTGRES_COPY: copy,
      TEST_REDIS_SERVER: redisProgram,
      TEST_BUF: bufBinary(),
      TEST_ALLOCATOR: preloaded(),
      // Tests that start a PostgreSQL of their own find this one first, wherever it is.
      PATH: `${postgresBin}${delimiter}${Deno.env.get("PATH") ?? ""}`,
    };
    const programs = [
      join(postgresBin, "initdb"),
      join(postgresBin, "postgres"),
      join(postgresBin, "pg_basebackup"),
      redisProgram,
      Deno.execPath(),
      resolveBinary(),
      bufBinary(),
      // The script of buf's package, as its users run it.
      join("node_modules", ".bin", "buf"),
      // What is known of a process (its start time, memory and open files) is read by other programs: Deno opens
      // /proc to nobody but a program with every permission. Its limits are set by another one, too.
      ...(Deno.build.os === "linux" ? ["cat", "ls", "prlimit"] : ["ps"]),
      // Repositories of a test's own.
      "git",
      // Certificates of `up --tls`.
      "openssl",
      // What another user can do to us is tried as that user.
      "sh",
    ];
    const urls = stack.redis.map((node) => node.url);
    return {
      places: temporaryDirs.map((temporaryDir, place) => ({
        env: {
          ...env,
          TEST_REDIS_URLS: urls.slice(place * REDIS_NODES, (place + 1) * REDIS_NODES).join(","),
          TMPDIR: temporaryDir,
        },
        access: { programs, temporaryDir },
      })),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Keeps the password of the server's role with one round of hashing in place of 4,096, which take a client 5 ms of CPU
 * at each log-in, thousands of times in a run. Not that of the owner, for whom dbmate takes no fewer. What the owner
 * asks is not compiled, which takes longer than it runs on the few rows of a test; the server's role says so itself.
 */
async function spareWork(ownerUrl: string, { user, password }: PostgresAddress): Promise<void> {
  const sql = connect(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(`alter role ${user} password '${scramVerifier(password!, randomBytes(16), 1)}'`);
    await sql.unsafe("alter role current_user set jit = off");
  } finally {
    await sql.end();
  }
}

/**
 * Copies the files as they are now, and the passwords, for tests that start a PostgreSQL of their own: to make them
 * anew takes a second of CPU, and another third to migrate a database in it.
 */
async function copyPostgres(postgres: PrivatePostgres, to: string): Promise<void> {
  await postgres.stop("fast");
  const line = 'mkdir -p "$2/private" && cp -a "$1/data" "$2" && cp -a "$1"/private/*_password "$2/private"';
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", line, "sh", postgres.dir, to] }).output();
  if (!success) throw new Error(`PostgreSQL could not be copied: ${new TextDecoder().decode(stderr)}`);
  await postgres.start();
}

/** A run that was killed left its directory, and perhaps servers. Its lock ended with it. */
async function clearAbandoned(ownRoot: string, log: Log): Promise<void> {
  for await (const entry of Deno.readDir(dirname(ownRoot))) {
    const root = join(dirname(ownRoot), entry.name);
    if (!entry.name.startsWith(DIRECTORY_PREFIX) || root === ownRoot) continue;
    try {
      // Without a process id in its lock file it may be a run that is just about to take the lock.
      // Anybody may make a directory here: with links in it, or with records of processes that are none of ours.
      if (!isOursAlone(await Deno.lstat(root))) continue;
      if ((await Deno.readTextFile(join(root, "launcher.lock"))).trim() === "") continue;
      using lock = await tryLockDirectory(root);
      if (lock === undefined) continue;
      const strays = await stopStrays(root);
      await leaveMemory(root);
      await Deno.remove(root, { recursive: true });
      log.warn({ root, strays }, "cleared what a killed test run left behind");
    } catch {
      // Another run clears it right now.
    }
  }
}
