/** The servers that a run measures on: PostgreSQL and five Redis of its own, made from nothing and removed again. */
import { join } from "node:path";
import { dataDir } from "../tools/stack/own_directory.ts";
import type { PrivatePostgres } from "../tools/stack/postgres.ts";
import { stopStrays } from "../tools/stack/process_record.ts";
import { startStack } from "../tools/stack/stack.ts";
import { lockDirectory } from "../tools/stack/stack_lock.ts";
import { databaseUser, reachableDirectory } from "../tools/stack/system_user.ts";
import type { Log } from "../src/telemetry/log.ts";

const REDIS_NODES = 5;

/** What runs under a run. */
export interface BenchStack {
  /** For its files. */
  readonly dir: string;
  /** Outlives the run: for programs that are brought or built once. */
  readonly programsDir: string;
  readonly postgres: PrivatePostgres;
  /** Directory of PostgreSQL's programs, pgbench among them. */
  readonly postgresBin: string;
  /** Path of `redis-server` or `docker`. */
  readonly redisProgram: string;
  readonly redisUrls: readonly string[];
  /** Ends all of it at once, so that nobody waits for a statement that runs. */
  crash(): void;
}

/**
 * Starts it, runs `use`, and stops and removes it all. PostgreSQL writes to disk as it does in earnest.
 *
 * Where the data is: beside that of `task up`, because a directory for temporary files is often in memory, and then a
 * commit costs nothing.
 *
 * @throws Error when another run has the directory, or a server does not start
 */
export async function withBenchStack<T>(log: Log, use: (stack: BenchStack) => Promise<T>): Promise<T> {
  const root = join(dataDir(), "bench");
  using _lock = await lockDirectory(root, log);
  const strays = await stopStrays(root);
  if (strays.length > 0) log.warn({ strays }, "stopped servers that an earlier run left behind");
  const dir = join(root, "stack");
  await removeStack(dir);
  const stack = await startStack({
    dir,
    log,
    postgres: true,
    redisNodes: REDIS_NODES,
    durable: true,
    programsDir: root,
  });
  try {
    const { postgres, postgresBin, redisProgram } = stack;
    if (postgres === undefined || postgresBin === undefined || redisProgram === undefined) {
      throw new Error("The stack came up without a server that was asked for");
    }
    return await use({
      dir: stack.dir,
      programsDir: await Deno.realPath(root),
      postgres,
      postgresBin,
      redisProgram,
      redisUrls: stack.redis.map((node) => node.url),
      crash: () => void stack.stop("crash"),
    });
  } finally {
    await stack.stop();
    await removeStack(dir);
  }
}

/** The data may be elsewhere, where PostgreSQL's user can't reach `dir`. */
async function removeStack(dir: string): Promise<void> {
  const user = databaseUser();
  const data = join(dir, "postgres");
  if (user !== undefined) await Deno.remove(await reachableDirectory(data, user), { recursive: true });
  await Deno.remove(dir, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
