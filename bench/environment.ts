/** Everything that a run measures on: its own PostgreSQL and Redis, and the processes over them. */
import type postgres from "postgres";
import { allocatorEnvironment } from "../src/process/allocator.ts";
import { keyHash, newKey } from "../src/auth/keys/key_text.ts";
import { addKey } from "../src/store/statements/keys.ts";
import { makeDatabases, owner } from "./databases.ts";
import type { Targets, Variant } from "./load/protocol.ts";
import { type BenchStack, withBenchStack } from "./bench_stack.ts";
import { BenchProcess } from "./process.ts";
import { startBalancers } from "./fleet.ts";
import { TraceSink } from "./trace_sink.ts";
import { PROCESSES } from "./scenarios/scenario.ts";
import type { RunContext } from "./run_context.ts";
import type { Sizes } from "./sizes.ts";

/** Of the calls of the variant `sampled`, those that are traced. */
const SAMPLED_SHARE = 0.01;

type Variants = Readonly<Partial<Record<Variant, BenchProcess>>>;

/** What scenarios are run with. */
export interface Environment {
  /** For scripts of a run. */
  readonly dir: string;
  /** Directory of PostgreSQL's programs, pgbench among them. */
  readonly postgresBin: string;
  readonly redisProgram: string;
  /** Address of a database for its owner. */
  ownerUrl(database: string): string;
  /** The owner's connection to a database, one for the whole run. */
  sql(database: string): postgres.Sql;
  /** Names of the databases that have a stock, and so a ledger. */
  readonly stocks: readonly string[];
  /** Processes with the stock in them: as many as any scenario needs. */
  readonly stockProcesses: readonly BenchProcess[];
  /** Holdfast's servers, in the sequence in which scenarios take them. */
  readonly servers: readonly BenchProcess[];
  /** Those that the run needs. */
  readonly variants: Variants;
  readonly article: BenchProcess;
  readonly redis: BenchProcess;
  readonly grpc: BenchProcess;
}

/** What a run needs. */
export interface EnvironmentNeeds {
  readonly sizes: Sizes;
  /** Balancers in front of the servers. */
  readonly needsFleet: boolean;
  /** Servers unlike the others; with `watched` come the streams of changes that are open there all the time. */
  readonly variants: readonly Variant[];
}

/**
 * Starts it all, runs `use`, and stops and removes it all.
 *
 * When the run is to stop everything is killed; what `use` waits for then fails.
 */
export async function withEnvironment<T>(
  needs: EnvironmentNeeds,
  context: RunContext,
  use: (environment: Environment) => Promise<T>,
): Promise<T> {
  return await withBenchStack(context.log, (stack) => withProcesses(stack, needs, context, use));
}

async function withProcesses<T>(
  stack: BenchStack,
  { sizes, needsFleet, variants: wanted }: EnvironmentNeeds,
  { log, stop, report }: RunContext,
  use: (environment: Environment) => Promise<T>,
): Promise<T> {
  const { postgres: server, redisUrls } = stack;
  await using behind = new AsyncDisposableStack();
  const processes: BenchProcess[] = [];
  await using sink = new TraceSink();
  const connections = new Map<string, postgres.Sql>();
  const killAll = () => {
    for (const each of processes) each.kill();
    // Running statements fail by it, so that nobody waits for them.
    stack.crash();
  };
  stop.addEventListener("abort", killAll);
  try {
    report("PostgreSQL and five Redis run; filling the tables");
    const stocks = await makeDatabases(server, sizes, log);
    stop.throwIfAborted();
    report("the tables are full; starting the processes");
    const common = { HOST: "127.0.0.1", PORT: "0", CONSOLE: "off", REDIS_URLS: redisUrls.join(",") };
    const settings = (name: string) => ({ ...common, DATABASE_URL: server.serverUrl(name) });
    const targets: Targets = {
      stocks: Object.fromEntries(stocks.map((name) => [name, settings(name)])),
      articleUrl: server.ownerUrl("baselines"),
      redisUrls,
      serverUrls: [],
      variantUrls: {},
      key: await addSellersKey(owner(server, "wire")),
    };
    const start = (module: string, env?: Readonly<Record<string, string>>) => {
      processes.push(new BenchProcess(module, { ...allocatorEnvironment(), ...env }));
      return processes.at(-1)!;
    };
    const count = Math.max(...PROCESSES);
    const variants = startVariants(wanted, start, sink);
    const servers = Array.from({ length: count }, () => start("servers/holdfast.ts"));
    const variantUrls = await openVariants(variants, targets);
    const serverUrls = await Promise.all(servers.map((each) => each.open(targets)));
    const fleetUrls = needsFleet ? behind.use(await startBalancers(stack.dir, serverUrls, log)).urls : undefined;
    const startLoad = async (module: string) => {
      const started = start(module);
      await started.open({ ...targets, serverUrls, variantUrls, ...(fleetUrls === undefined ? {} : { fleetUrls }) });
      return started;
    };
    const watchers = variants.watched === undefined ? undefined : await startLoad("load/watchers.ts");
    const [article, redis, grpc, ...stockProcesses] = await Promise.all([
      startLoad("load/article.ts"),
      startLoad("load/redis.ts"),
      startLoad("load/grpc.ts"),
      ...Array.from({ length: count }, () => startLoad("load/stock.ts")),
    ]);
    const environment: Environment = {
      dir: stack.dir,
      postgresBin: stack.postgresBin,
      redisProgram: stack.redisProgram,
      stocks,
      ownerUrl: (database) => server.ownerUrl(database),
      sql(database) {
        if (!connections.has(database)) connections.set(database, owner(server, database));
        return connections.get(database)!;
      },
      stockProcesses,
      servers,
      variants,
      article,
      redis,
      grpc,
    };
    stop.throwIfAborted();
    return await beside(watchers, () => use(environment));
  } finally {
    stop.removeEventListener("abort", killAll);
    await Promise.all([...connections.values()].map((sql) => sql.end({ timeout: 1 })));
    // Those that make load first, so that servers have no call in progress.
    for (const each of processes.toReversed()) await each.stop();
  }
}

/** Fails where these are gone by the end: they end where one of their streams does, and a run without them is none. */
async function beside<T>(watchers: BenchProcess | undefined, use: () => Promise<T>): Promise<T> {
  const used = await use();
  await watchers?.memory("as it is");
  return used;
}

/** Adds a key for the servers that ask for one. */
async function addSellersKey(sql: postgres.Sql): Promise<string> {
  const { id, key } = newKey();
  const sha256 = keyHash(key).toString("hex");
  await addKey({ id, sha256, name: "bench", rights: ["seller"], expires: undefined })(sql);
  await sql.end();
  return key;
}

function startVariants(
  wanted: readonly Variant[],
  start: (module: string, env?: Readonly<Record<string, string>>) => BenchProcess,
  sink: TraceSink,
): Variants {
  return Object.fromEntries(wanted.map((name): [Variant, BenchProcess] => {
    const { module = "servers/holdfast.ts", tracedShare } = VARIANT_STARTS[name] ?? {};
    return [name, start(module, tracedShare === undefined ? undefined : sink.env(tracedShare))];
  }));
}

async function openVariants(variants: Variants, targets: Targets): Promise<Targets["variantUrls"]> {
  const opening = Object.entries(variants).map(async ([name, server]): Promise<[string, string]> => [
    name,
    await server.open(withSettings(targets, VARIANT_SETTINGS[name as Variant] ?? {})),
  ]);
  return Object.fromEntries(await Promise.all(opening));
}

function withSettings(targets: Targets, more: Readonly<Record<string, string>>): Targets {
  const stocks = Object.entries(targets.stocks).map(([name, settings]) => [name, { ...settings, ...more }]);
  return { ...targets, stocks: Object.fromEntries(stocks) };
}

/** How those are started that are not started like the others. */
const VARIANT_STARTS: Readonly<Partial<Record<Variant, { readonly module?: string; readonly tracedShare?: number }>>> =
  {
    adapter: { module: "servers/stock_adapter.ts" },
    keyed: { module: "servers/holdfast_keyed.ts" },
    traced: { tracedShare: 1 },
    sampled: { tracedShare: SAMPLED_SHARE },
  };
/** Streams from one address that last for a whole run. */
const WATCHED_SETTINGS = { ADDRESS_SHARE_MAX: "1", WATCH_AGE_MS_MAX: "86400000" };
const VARIANT_SETTINGS: Readonly<Partial<Record<Variant, Readonly<Record<string, string>>>>> = {
  unmeasured: { ADMIN_PORT: "off" },
  watched: WATCHED_SETTINGS,
};
