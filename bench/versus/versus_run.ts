/**
 * `deno task bench --versus`: Holdfast and the article's service in Go over the same PostgreSQL and the same Redis,
 * with the same bytes, by turns. Writes bench/versus.json and bench/versus.svg; a smoke run writes nothing.
 */
import { allocatorEnvironment } from "../../src/process/allocator.ts";
import { fileURLToPath } from "node:url";
import { type BenchStack, withBenchStack } from "../bench_stack.ts";
import { owner } from "../databases.ts";
import { measureLimits } from "../limits.ts";
import { BenchProcess } from "../process.ts";
import { type Limit, rounded } from "../report/results.ts";
import { readSetting } from "../report/setting.ts";
import type { RunContext } from "../run_context.ts";
import { versusChart } from "./chart.ts";
import { type Loader, measureServer, type VersusMeasurement } from "./measure_server.ts";
import type { MeasuredServer } from "./measured_server.ts";
import { type OwnServer, startOwnServer } from "./own_server.ts";
import { buildPeer, startPeer } from "./peer.ts";
import { type Side, VERSUS_PLAN, VERSUS_SMOKE_PLAN, type VersusPlan, versusTurns } from "./plan.ts";
import { bringVersusPrograms, type VersusPrograms } from "./programs.ts";
import { type VersusMeasurements, type VersusRecord, versusRows, versusTable, versusText } from "./record.ts";
import { tryBoth, writeBodies } from "./requests.ts";
import { VERSUS_SCENARIOS } from "./scenarios.ts";

/** Windows of the machine's limits, in ms. */
const LIMIT_MS = { whole: 1_000, smoke: 50 } as const;

/**
 * Runs it, prints its table and writes its record.
 *
 * @returns whether Holdfast's ledger is whole
 */
export async function runVersus(smoke: boolean, context: RunContext): Promise<boolean> {
  const { log, report } = context;
  const record = await withBenchStack(log, async (stack) => {
    report("PostgreSQL and five Redis run; compiling the article's service");
    const programs = await bringVersusPrograms(log);
    const peer = await buildPeer(stack.programsDir, programs);
    report("starting both servers");
    const own = await startOwnServer(stack, log);
    // What waits for it fails then.
    const kill = () => own.kill();
    context.stop.addEventListener("abort", kill);
    try {
      const go = await startPeer(peer, stack);
      try {
        return await compare({ own, go, stack, programs, smoke }, context);
      } finally {
        await go.close();
      }
    } finally {
      context.stop.removeEventListener("abort", kill);
      await own.close();
    }
  });
  console.log(versusTable(record));
  for (const words of record.violations) console.log(`WRONG ${words}`);
  if (!smoke) {
    const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
    await Deno.writeTextFile(path("versus.json"), versusText(record));
    await Deno.writeTextFile(path("versus.svg"), versusChart(record));
    report("wrote bench/versus.json and bench/versus.svg");
  }
  return record.violations.length === 0;
}

interface Compared {
  readonly own: OwnServer;
  readonly go: MeasuredServer;
  readonly stack: BenchStack;
  readonly programs: VersusPrograms;
  readonly smoke: boolean;
}

async function compare({ own, go, stack, programs, smoke }: Compared, context: RunContext): Promise<VersusRecord> {
  const { stop, report } = context;
  for (const server of [own, go]) await tryBoth(server);
  const loader = { h2load: programs.h2load, bodies: await writeBodies(stack.dir), stop };
  const measured = await measureAll({ holdfast: own, go }, smoke ? VERSUS_SMOKE_PLAN : VERSUS_PLAN, loader, report);
  report("measuring what the machine can do at the most");
  const databaseUrl = stack.postgres.ownerUrl("postgres");
  const limits = [
    ...await measureLimits({ ...stack, databaseUrl }, smoke ? LIMIT_MS.smoke : LIMIT_MS.whole),
    ...await measureBareHttp2(loader, smoke ? VERSUS_SMOKE_PLAN : VERSUS_PLAN),
  ];
  report("checking Holdfast's ledger");
  const violations = await own.check();
  const sql = owner(stack.postgres, "postgres");
  const setting = await readSetting(sql, stack.redisProgram);
  await sql.end();
  return {
    at: new Date().toISOString(),
    seconds: Math.round(performance.now() / 1000),
    setting: { ...setting, versions: { ...setting.versions, ...await versionsOf(programs) } },
    limits,
    violations,
    scenarios: versusRows(measured),
  };
}

async function measureAll(
  servers: Readonly<Record<Side, MeasuredServer>>,
  plan: VersusPlan,
  loader: Loader,
  report: (progress: string) => void,
): Promise<VersusMeasurements> {
  const measured = new Map<string, Record<Side, VersusMeasurement[]>>(
    VERSUS_SCENARIOS.map(({ id }) => [id, { holdfast: [], go: [] }]),
  );
  for (const { round, scenario, side } of versusTurns(plan)) {
    loader.stop.throwIfAborted();
    const measurement = await measureServer(servers[side], scenario, plan, loader);
    measured.get(scenario.id)![side].push(measurement);
    const rate = rounded(measurement.perSecond).toLocaleString("en");
    report(`round ${round} of ${plan.rounds}, ${side}: ${scenario.title}: ${rate} a second`);
  }
  return measured;
}

/** What node:http2 answers with nothing behind it, to as many callers as ask for levels. */
async function measureBareHttp2(loader: Loader, plan: VersusPlan): Promise<Limit[]> {
  const server = new BenchProcess("servers/bare_http2.ts", { ...allocatorEnvironment() });
  try {
    const url = await server.open({
      stocks: {},
      articleUrl: "",
      redisUrls: [],
      serverUrls: [],
      variantUrls: {},
      key: "",
    });
    const bare = { url, cpuMs: () => server.cpuMs(), sold: () => Promise.resolve(0), close: () => server.stop() };
    const limits: Limit[] = [];
    // Most callers first: the others find its code compiled, as they do with both services.
    for (const scenario of VERSUS_SCENARIOS.filter(({ method }) => method === "InvDetail").reverse()) {
      const { perSecond, cpuMs, done } = await measureServer(bare, scenario, plan, loader);
      limits.push({
        title: `calls that a bare node:http2 answers, ${scenario.connections * scenario.streams} callers`,
        perSecond: rounded(perSecond),
        ...(cpuMs === undefined ? {} : { cpuUs: rounded(1000 * cpuMs / done) }),
      });
    }
    return limits;
  } finally {
    await server.stop();
  }
}

async function versionsOf({ go, h2load }: VersusPrograms): Promise<Record<string, string>> {
  const versionOf = async (program: string, arg: string) => {
    const { stdout } = await new Deno.Command(program, { args: [arg], stdin: "null", stderr: "null" }).output();
    return /\d+\.\d+(\.\d+)?/.exec(new TextDecoder().decode(stdout))?.[0] ?? "";
  };
  return { go: await versionOf(go, "version"), h2load: await versionOf(h2load, "--version") };
}
