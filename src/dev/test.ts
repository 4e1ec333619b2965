/**
 * `deno task test [-- paths and flags of deno test]`: starts servers of its own in a temporary directory, migrates one
 * template database, runs the tests, and stops everything. The last line says `N passed, N failed`.
 *
 * Safe beside a running `up` and beside another `test`: nothing of it has a fixed place or port.
 */
import { delimiter, dirname, join } from "node:path";
import { resolveBinary } from "dbmate";
import { migrate } from "../migrate.ts";
import { createLog } from "../telemetry/create_log.ts";
import type { Log } from "../telemetry/log.ts";
import { bufBinary } from "./buf_binary.ts";
import { stopStrays } from "./process_record.ts";
import { isForReader, message } from "./reader_errors.ts";
import { type Stack, startStack } from "./stack.ts";
import { lockDirectory, tryLockDirectory } from "./stack_lock.ts";
import { listenForStop } from "./stop_requests.ts";
import { permissions, planTests, type ServerTestAccess } from "./test_groups.ts";
import { type Counts, runTests, type TestRun } from "./test_run.ts";

const DIRECTORY_PREFIX = "holdfast-test-";
const TEMPLATE_DATABASE = "holdfast_template";
const REDIS_NODES = 5;
const INTERRUPTED_EXIT_CODE = 130;

/** The servers of a run and what the tests must know of them. */
interface Servers {
  readonly env: Record<string, string>;
  readonly access: ServerTestAccess;
  stop(): Promise<void>;
}

async function main(): Promise<number> {
  const log = createLog("info", "pretty");
  let servers: Servers | undefined;
  let running: TestRun | undefined;
  const requests = listenForStop();
  requests.first.then(() => running?.stop());
  // What still runs then is found and stopped by the next run.
  requests.second.then(() => Deno.exit(INTERRUPTED_EXIT_CODE));

  const total = { passed: 0, failed: 0 };
  try {
    const { groups, flags } = planTests(Deno.args);
    for (const group of groups) {
      if (group.name === "servers" && !requests.isAsked()) servers ??= await startServers(log);
      if (requests.isAsked()) break;
      const { name, paths, concurrency } = group;
      log.info({ paths, concurrency }, `running the tests of group ${name}`);
      const way = concurrency === undefined ? {} : { TEST_CONCURRENCY: concurrency };
      running = runTests([...permissions(name, servers?.access), ...flags, ...paths], { ...servers?.env, ...way });
      add(total, await running.done);
    }
  } catch (error) {
    log.error(isForReader(error) ? {} : { error }, `the tests could not run: ${message(error)}`);
    add(total, { passed: 0, failed: 1 });
  }
  try {
    await servers?.stop();
  } catch (error) {
    log.error({ error }, "the servers of the tests could not be stopped");
    add(total, { passed: 0, failed: 1 });
  }
  // A test that was interrupted has left its line open.
  if (requests.isAsked()) console.log();
  console.log(`${total.passed} passed, ${total.failed} failed`);
  if (requests.isAsked()) return INTERRUPTED_EXIT_CODE;
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

async function startServers(log: Log): Promise<Servers> {
  const root = await Deno.makeTempDir({ prefix: DIRECTORY_PREFIX });
  // PostgreSQL runs as another user when we are root, and must get through to its data.
  await Deno.chmod(root, 0o755);
  const lock = await lockDirectory(root, log);
  await clearAbandoned(root, log);
  const temporaryDir = join(root, "tmp");
  await Deno.mkdir(temporaryDir);
  let stack: Stack | undefined;
  const stop = async () => {
    // Tests stop what they start; a test that was interrupted may not have come to it.
    const strays = await stopStrays(temporaryDir);
    if (strays.length > 0) log.warn({ strays }, "stopped servers that tests left behind");
    await stack?.stop();
    if (stack?.postgres?.dir.startsWith(root) === false) await Deno.remove(stack.postgres.dir, { recursive: true });
    lock.close();
    await Deno.remove(root, { recursive: true });
  };
  try {
    const kept = { dir: join(root, "stack"), programsDir: Deno.env.get("DATA_DIR") ?? ".holdfast" };
    stack = await startStack({ ...kept, log, postgres: true, redisNodes: REDIS_NODES, durable: false });
    const { postgres, postgresBin, redisProgram } = stack;
    if (postgres === undefined || postgresBin === undefined || redisProgram === undefined) {
      throw new Error("The stack came up without a server that was asked for");
    }
    await postgres.createDatabase(TEMPLATE_DATABASE);
    await migrate({
      ownerUrl: postgres.ownerUrl(TEMPLATE_DATABASE),
      serverUrl: postgres.serverUrl(TEMPLATE_DATABASE),
      direction: "up",
      log,
    });
    return {
      env: {
        TEST_DATABASE_OWNER_URL: postgres.ownerUrl("postgres"),
        TEST_DATABASE_SERVER_URL: postgres.serverUrl("postgres"),
        TEST_DATABASE_TEMPLATE: TEMPLATE_DATABASE,
        TEST_REDIS_URLS: stack.redis.map((node) => node.url).join(","),
        TEST_POSTGRES_BIN: postgresBin,
        TEST_REDIS_SERVER: redisProgram,
        TEST_BUF: bufBinary(),
        TMPDIR: temporaryDir,
        // Tests that start a PostgreSQL of their own find this one first, wherever it is.
        PATH: `${postgresBin}${delimiter}${Deno.env.get("PATH") ?? ""}`,
      },
      access: {
        programs: [
          join(postgresBin, "initdb"),
          join(postgresBin, "postgres"),
          redisProgram,
          Deno.execPath(),
          resolveBinary(),
          bufBinary(),
          // The script of buf's package, as its users run it.
          join("node_modules", ".bin", "buf"),
          // What is known of a process (its start time, memory and open files) is read by other programs: Deno opens
          // /proc to nobody but a program with every permission.
          ...(Deno.build.os === "linux" ? ["cat", "ls"] : ["ps"]),
        ],
        temporaryDir,
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A run that was killed left its directory, and perhaps servers. Its lock ended with it. */
async function clearAbandoned(ownRoot: string, log: Log): Promise<void> {
  for await (const entry of Deno.readDir(dirname(ownRoot))) {
    const root = join(dirname(ownRoot), entry.name);
    if (!entry.name.startsWith(DIRECTORY_PREFIX) || root === ownRoot) continue;
    try {
      // Without a process id in its lock file it may be a run that is just about to take the lock.
      if ((await Deno.readTextFile(join(root, "launcher.lock"))).trim() === "") continue;
      using lock = await tryLockDirectory(root);
      if (lock === undefined) continue;
      const strays = await stopStrays(root);
      await Deno.remove(root, { recursive: true });
      log.warn({ root, strays }, "cleared what a killed test run left behind");
    } catch {
      // Another run clears it right now.
    }
  }
}

function add(total: { passed: number; failed: number }, counts: Counts): void {
  total.passed += counts.passed;
  total.failed += counts.failed;
}

if (import.meta.main) Deno.exit(await main());
