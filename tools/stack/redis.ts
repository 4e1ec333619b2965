/**
 * Private Redis nodes: independent of each other, on loopback, each with its own directory, port and password. It never
 * speaks to them: that they are up is read off their own output, and everything else about Redis is src/lock's.
 */
import { join } from "node:path";
import type { Log } from "../../src/telemetry/log.ts";
import { ignoreMissing } from "./missing_files.ts";
import { freePort, takePort } from "./ports.ts";
import { ownDirectory, PRIVATE_MODE } from "./own_directory.ts";
import { keptPassword } from "./passwords.ts";
import { stopStrays } from "./process_record.ts";
import { findRedis, type RedisProgram } from "./programs.ts";
import { redisCommand, removeStrayContainer, signalRedis } from "./redis_command.ts";
import { type RedisRights, redisUserLines, redisUserName } from "./redis_users.ts";
import { type ServerProcess, startServer } from "./server_process.ts";
import { redisUser } from "./system_user.ts";
import { until } from "../../src/base/bounded_wait.ts";

const READY_MS_MAX = 20_000;
const STOP_MS_MAX = 5_000;

export interface RedisOptions {
  /** Has log, port and password, closed to all others; made where it is missing. Redis itself keeps nothing. */
  readonly dir: string;
  readonly log: Log;
  /** What to run; looked for where it is not given. */
  readonly program?: RedisProgram;
  /** What its user may do. Default: all. */
  readonly rights?: RedisRights;
}

/** A running private Redis node. */
export interface PrivateRedis {
  /** With its user and password. */
  readonly url: string;
  readonly port: number;
  /** Process id of the server that runs, or ran last. */
  readonly pid: number;
  /** Resolves when the process that runs now has ended, for whatever reason. */
  readonly ended: Promise<unknown>;
  /** Ends it as an operator does; waits until it is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port; waits until it takes connections. */
  start(): Promise<void>;
  /** SIGKILL; waits until it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: the port stays open and nothing answers, as with a frozen machine. */
  pause(): void;
  /** SIGCONT, after {@link pause}. */
  resume(): void;
}

/**
 * Starts one node, on the port of its last run where nobody has that, and returns when it takes connections.
 *
 * @throws Error when it does not within {@link READY_MS_MAX}; the message ends with its own last words
 */
export async function startRedisNode(options: RedisOptions): Promise<PrivateRedis> {
  const { log } = options;
  const dir = await ownDirectory(options.dir, PRIVATE_MODE);
  const stopped = await stopStrays(dir);
  if (stopped.length > 0) log.warn({ stopped }, "stopped a server that an earlier run left behind");
  const program = options.program ?? findRedis();
  if (program === undefined) throw new Error("redis-server is not installed: `apt-get install redis-server`");
  // Earlier versions had Redis keep leases here.
  await Deno.remove(join(dir, "appendonlydir"), { recursive: true }).catch(ignoreMissing);
  const rights = options.rights ?? "all";
  const password = await keptPassword(join(dir, "password"));
  const input = redisUserLines(password, rights);
  const user = program.kind === "program" ? redisUser() : undefined;
  const port = await keptPort(dir) ?? freePort();
  let server: ServerProcess | undefined;

  const start = async () => {
    removeStrayContainer(program, port);
    const started = startServer(redisCommand({ program, dir, port, input, user }));
    server = started;
    await until(() => !started.isAlive() || started.isReady(), READY_MS_MAX);
    if (!started.isAlive() || !started.isReady()) {
      await started.stop("SIGTERM", STOP_MS_MAX);
      throw new Error(`redis-server did not start on port ${port} (its log is in ${dir}): ${started.tail()}`);
    }
  };

  await start();
  await Deno.writeTextFile(join(dir, "port"), `${port}\n`, { mode: 0o600 });
  log.debug({ port, dir }, "Redis is ready");
  return {
    url: `redis://${redisUserName(rights)}:${password}@127.0.0.1:${port}`,
    port,
    get pid() {
      return server!.pid;
    },
    get ended() {
      return server!.ended;
    },
    async stop() {
      // A paused container takes no signal, as a paused process does not.
      signalRedis(program, port, server!, "SIGCONT");
      await server!.stop("SIGTERM", STOP_MS_MAX);
    },
    start,
    async kill() {
      signalRedis(program, port, server!, "SIGKILL");
      await server!.ended;
    },
    pause: () => signalRedis(program, port, server!, "SIGSTOP"),
    resume: () => signalRedis(program, port, server!, "SIGCONT"),
  };
}

/**
 * Starts `count` independent nodes at the same time, in `dir/redis-1` and on. When one fails the others are stopped.
 *
 * @throws Error of the first node that did not start
 */
export async function startRedisNodes(
  count: number,
  options: RedisOptions,
): Promise<PrivateRedis[]> {
  const starts = await Promise.allSettled(
    Array.from({ length: count }, (_, i) => startRedisNode({ ...options, dir: join(options.dir, `redis-${i + 1}`) })),
  );
  const nodes = starts.flatMap((start) => start.status === "fulfilled" ? [start.value] : []);
  const failed = starts.find((start) => start.status === "rejected");
  if (failed === undefined) return nodes;
  await Promise.all(nodes.map((node) => node.stop()));
  throw failed.reason;
}

async function keptPort(dir: string): Promise<number | undefined> {
  const port = Number(await Deno.readTextFile(join(dir, "port")).catch(() => "0"));
  return takePort(port) ? port : undefined;
}
