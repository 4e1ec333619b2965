/**
 * The private stack: one PostgreSQL and independent Redis nodes under one directory, started and stopped together.
 * Before it starts it takes the directory for itself and stops what an earlier, killed launcher left there.
 */
import { join } from "node:path";
import type { Log } from "../../src/telemetry/log.ts";
import { type PrivatePostgres, startPostgres } from "./postgres.ts";
import { dataMajor } from "./postgres_init.ts";
import { stopStrays } from "./process_record.ts";
import { bringPostgres, bringRedis } from "./programs.ts";
import { type PrivateRedis, startRedisNodes } from "./redis.ts";
import type { RedisRights } from "./redis_users.ts";
import { lockDirectory } from "./stack_lock.ts";

export interface StackOptions {
  readonly dir: string;
  readonly log: Log;
  /** False where the caller has a PostgreSQL already. */
  readonly postgres: boolean;
  /** 0 where the caller has Redis nodes already. */
  readonly redisNodes: number;
  /** What the nodes' user may do. Default: all. */
  readonly redisRights?: RedisRights;
  /** True: data outlives restarts and power cuts. False: fast, for tests. */
  readonly durable: boolean;
  /** Where npm's PostgreSQL is kept when it has to be fetched. Default: `dir`. */
  readonly programsDir?: string;
}

/** A running stack. */
export interface Stack {
  /** Its directory, as a path without links. */
  readonly dir: string;
  readonly postgres: PrivatePostgres | undefined;
  /** Directory of PostgreSQL's programs, where it was needed. */
  readonly postgresBin: string | undefined;
  readonly redis: readonly PrivateRedis[];
  /** Path of `redis-server` or `docker`, where it was needed. */
  readonly redisProgram: string | undefined;
  /**
   * Stops everything and gives the directory free; "crash" does not let the servers finish anything. Never throws
   * because a server is gone already.
   */
  stop(how?: "cleanly" | "crash"): Promise<void>;
}

/**
 * Brings the programs in, and starts what was asked for.
 *
 * @throws Error when another launcher has the directory, a program is missing, or a server does not start
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { log } = options;
  const lock = await lockDirectory(options.dir, log);
  const stops: ((how: "cleanly" | "crash") => Promise<void>)[] = [];
  let released = false;
  const stop = async (how: "cleanly" | "crash" = "cleanly") => {
    await Promise.allSettled(stops.map((each) => each(how)));
    if (!released) lock.close();
    released = true;
  };
  try {
    const dir = await Deno.realPath(options.dir);
    const strays = await stopStrays(dir);
    if (strays.length > 0) log.warn({ strays }, "stopped servers that an earlier run left behind");

    const bring = { dir: options.programsDir ?? dir, log };
    const major = await dataMajor(join(dir, "postgres"));
    const postgresPrograms = options.postgres ? await bringPostgres({ ...bring, major }) : undefined;
    const redisProgram = options.redisNodes > 0 ? await bringRedis(bring) : undefined;
    const { durable } = options;
    const startingRedis = redisProgram === undefined ? Promise.resolve([]) : startRedisNodes(options.redisNodes, {
      dir,
      log,
      program: redisProgram,
      rights: options.redisRights ?? "all",
    });
    // Both are waited for, so that a failure of one never leaves the other running unnoticed.
    const [database, nodes] = await Promise.allSettled([
      postgresPrograms === undefined
        ? undefined
        : startPostgres({ dir: join(dir, "postgres"), log, binDir: postgresPrograms.binDir, fsync: durable }),
      startingRedis,
    ]);
    if (database.status === "fulfilled" && database.value !== undefined) {
      const postgres = database.value;
      stops.push((how) => postgres.stop(how === "crash" ? "immediate" : "fast"));
    }
    if (nodes.status === "fulfilled") {
      stops.push(...nodes.value.map((node) => (how: string) => how === "crash" ? node.kill() : node.stop()));
    }
    if (database.status === "rejected") throw database.reason;
    if (nodes.status === "rejected") throw nodes.reason;
    if (nodes.value.length > 0) {
      log.info({ ports: nodes.value.map((node) => node.port) }, "the Redis nodes are ready");
    }
    return {
      dir,
      postgres: database.value,
      postgresBin: postgresPrograms?.binDir,
      redis: nodes.value,
      redisProgram: redisProgram?.path,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
