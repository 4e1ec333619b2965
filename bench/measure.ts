/** One measurement: a scenario's load, once, and the stock right before and after it. */
import { runPgbench } from "./baselines/pgbench.ts";
import { endHolds, settleEnds } from "./live_holds.ts";
import { type StockTotals, stockViolations } from "./stock_violations.ts";
import { articleTotals, stockTotals } from "./stock_totals.ts";
import type { Environment } from "./environment.ts";
import type { Tally } from "./load/protocol.ts";
import type { BenchProcess } from "./process.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { sum, together } from "./stats.ts";
import { turned } from "./turn_sequence.ts";

/** Between the request to begin and the beginning, for it to reach every process. */
const LEAD_MS = 30;
/** The same where holds are to end from the beginning on: to time them takes as long, or twice as long, and so on. */
const ENDING_LEAD_MS = 500;

/** What one measurement came to. */
export interface Measurement {
  /** Orders or calls a second. */
  readonly rate: number;
  /** The rate's parts, one a process, where several sell in-process. */
  readonly parts: readonly number[];
  readonly latenciesUs: readonly number[];
  /** To the later point, where the kind has one. */
  readonly laterUs: readonly number[];
  readonly longestMs: number;
  /** Open loop: how late half of the calls were begun. */
  readonly lateUs: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly unknown: Readonly<Record<string, number>>;
  /**
   * Memory right afterwards of the process that served, the largest of several, in MiB; undefined: none of ours did.
   */
  readonly residentMiB: number | undefined;
  /**
   * CPU time of the processes that served, and the orders or calls that were answered; absent where none of ours did,
   * or the system does not say.
   */
  readonly cpu?: { readonly ms: number; readonly answered: number };
  /** Holds whose time was up while it was measured, and that were taken off. */
  readonly ended?: number;
  /** What stock and ledger say against it; none if it is clean. */
  readonly violations: readonly string[];
}

/**
 * Measures a scenario once; `first`: as in {@link runLoad}.
 *
 * @throws Error when a process fails or meets what it did not expect
 */
export async function measure(scenario: Scenario, environment: Environment, first = 0): Promise<Measurement> {
  if (scenario.kind === "pgbench") return await measurePgbench(scenario, environment);
  const before = await totals(scenario, environment);
  const { startAtMs, ending } = await prepareEnds(scenario, environment);
  const servers = serversOf(scenario, environment, first);
  const cpuBeforeMs = servers.map((each) => each.cpuMs());
  const tallies = await runLoad(scenario, environment, startAtMs, first);
  const measured = measurementOf(scenario, tallies, { servers, cpuBeforeMs });
  const after = await totals(scenario, environment);
  const ended = ending - (ending > 0 ? await settleEnds(environment.sql(scenario.database)) : 0);
  const violations = before === undefined || after === undefined
    ? []
    : stockViolations(before, after, acknowledged(tallies, scenario), {
      operation: scenario.kind === "article" ? undefined : scenario.operation ?? "sell",
      ended,
    });
  if (ending > 0 && ended === 0) violations.push("not one hold ended");
  return {
    ...measured,
    ...(ending > 0 ? { ended } : {}),
    violations: [...violations, ...measured.violations],
  };
}

/** What callers had an answer for, and what they had none for: what the stock has to show. */
export function acknowledged(tallies: readonly Tally[], { workload }: Scenario) {
  return {
    orders: sum(tallies.map((tally) => tally.orders)),
    operations: sum(tallies.map((tally) => tally.operations)),
    units: sum(tallies.map((tally) => tally.units)),
    reserved: sum(tallies.map((tally) => tally.reserved)),
    unknown: sum(tallies.flatMap((tally) => Object.values(tally.unknown))),
    unitsPerOrderMax: workload.lines,
  };
}

/** Processes of ours that served, and the CPU time that they had taken before. */
interface Served {
  readonly servers: readonly BenchProcess[];
  readonly cpuBeforeMs: readonly (number | undefined)[];
}

/**
 * What the processes that made the load say, right after it, with the memory and the CPU time of those that served.
 *
 * @throws Error when one of them met what it did not expect
 */
export function measurementOf(
  scenario: Scenario,
  tallies: readonly Tally[],
  { servers, cpuBeforeMs }: Served,
): Measurement {
  const fault = tallies.find((tally) => tally.fault !== undefined)?.fault;
  if (fault !== undefined) throw new Error(`${scenario.id} failed: ${fault}`);
  const residents = servers.map((each) => each.residentMiB());
  const cpuMs = servers.length === 0
    ? NaN
    : sum(servers.map((each, i) => (each.cpuMs() ?? NaN) - (cpuBeforeMs[i] ?? NaN)));
  const answered = sum(tallies.map((tally) => tally.answered));
  const parts = tallies.map((tally) => tally.done / (scenario.windowMs / 1000));
  return {
    rate: sum(parts),
    parts: tallies.length > 1 ? parts : [],
    latenciesUs: tallies.flatMap((tally) => tally.latenciesUs),
    laterUs: tallies.flatMap((tally) => tally.laterUs),
    longestMs: Math.max(...tallies.map((tally) => tally.longestMs)),
    lateUs: Math.max(...tallies.map((tally) => tally.lateUs)),
    refused: together(tallies.map((tally) => tally.refused)),
    unknown: together(tallies.map((tally) => tally.unknown)),
    residentMiB: residents.length === 0 ? undefined : Math.max(...residents),
    ...(Number.isFinite(cpuMs) ? { cpu: { ms: cpuMs, answered } } : {}),
    // A stock to which nothing happened adds up, and says nothing.
    violations: answered === 0 ? ["not one call was done"] : [],
  };
}

/** When a measurement begins that is asked for now, in ms since 1970. */
export function soonMs(): number {
  return performance.timeOrigin + performance.now() + LEAD_MS;
}

/** Has as many holds end as the scenario wants, from its beginning to its end, and says when that is. */
async function prepareEnds(
  { endingPerS: perS, warmupMs, windowMs, workload: { goods }, database }: Scenario,
  environment: Environment,
): Promise<{ readonly startAtMs: number; readonly ending: number }> {
  if (perS === undefined) return { startAtMs: soonMs(), ending: 0 };
  const sql = environment.sql(database);
  const count = Math.ceil(perS * (warmupMs + windowMs) / 1000);
  for (let leadMs = ENDING_LEAD_MS;; leadMs *= 2) {
    const fromMs = Math.ceil(soonMs() + leadMs);
    await endHolds(sql, { goods, fromMs, perS, count });
    if (soonMs() <= fromMs) return { startAtMs: fromMs, ending: count };
    // Some would have ended before anybody sells.
    await settleEnds(sql);
  }
}

/**
 * Has the processes of the scenario make its load; `first`: which of the servers is the first, counted round, and of
 * the processes in which the service runs which of two is the one alone.
 */
export async function runLoad(
  scenario: Scenario,
  environment: Environment,
  startAtMs: number,
  first: number,
): Promise<Tally[]> {
  const processes = processesOf(scenario, environment, first);
  const { kind, method, variant, fleet, namesGoods, orders, database, concurrency, operation, endingPerS, workload } =
    scenario;
  const load = {
    work: {
      kind: kind as Exclude<Scenario["kind"], "pgbench">,
      ...(method === undefined ? {} : { method }),
      ...(variant === undefined ? {} : { variant }),
      ...(fleet === undefined ? {} : { fleet }),
      ...(namesGoods === undefined ? {} : { namesGoods }),
      ...(orders === undefined ? {} : { orders }),
      database,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(operation === undefined ? {} : { operation }),
      ...(endingPerS === undefined ? {} : { endsHolds: true }),
      workload,
    },
    startAtMs,
    warmupMs: scenario.warmupMs,
    windowMs: scenario.windowMs,
    callers: scenario.callers / processes.length,
    servers: scenario.processes,
    firstServer: first,
    ratePerS: scenario.ratePerS,
  };
  return await Promise.all(processes.map((each) => each.run(load)));
}

function processesOf(
  { kind, processes }: Scenario,
  environment: Environment,
  first: number,
): readonly BenchProcess[] {
  switch (kind) {
    case "stock":
      return stockProcesses(environment, processes, first);
    case "article":
      return [environment.article];
    case "redis":
      return [environment.redis];
    default:
      return [environment.grpc];
  }
}

/**
 * One alone is each of the two that are two together: what ran oftener is compiled further. Where it was always the
 * same, two came to 0.7 of one, and to 0.93 where both had run as long.
 */
function stockProcesses({ stockProcesses }: Environment, processes: number, first: number): readonly BenchProcess[] {
  const two = stockProcesses.slice(0, 2);
  return processes === 1 ? turned(two, first).slice(0, 1) : stockProcesses.slice(0, processes);
}

/** The processes of ours in which the service ran; `first`: as in {@link runLoad}. */
export function serversOf(
  { kind, processes, variant }: Scenario,
  environment: Environment,
  first: number,
): readonly BenchProcess[] {
  switch (kind) {
    case "stock":
      return stockProcesses(environment, processes, first);
    case "article":
      return [environment.article];
    case "redis":
    case "pgbench":
      return [];
    default:
      return variant === undefined
        ? turned(environment.servers, first).slice(0, processes)
        : [environment.variants[variant] ?? missing(variant)];
  }
}

/** What is in the stock that the scenario is about; undefined: it has none. */
export async function totals({ kind, database }: Scenario, environment: Environment): Promise<StockTotals | undefined> {
  if (kind === "redis") return undefined;
  if (kind === "article") return await articleTotals(environment.sql(database));
  return await stockTotals(environment.sql(database));
}

async function measurePgbench(scenario: Scenario, environment: Environment): Promise<Measurement> {
  const { database, workload, windowMs } = scenario;
  const { dir, postgresBin: binDir } = environment;
  const rows = workload.goods;
  const units = async () => {
    const [row] = await environment.sql(database).unsafe<{ units: string }[]>(
      `select sum(num) as units from pgbench_${rows}`,
    );
    return Number(row?.units);
  };
  const before = await units();
  const seconds = Math.round(windowMs / 1000);
  const ran = await runPgbench({ binDir, dir, url: environment.ownerUrl(database), rows, seconds });
  const left = before - await units();
  return {
    rate: ran.perSecond,
    parts: [],
    latenciesUs: [],
    laterUs: [],
    longestMs: 0,
    lateUs: 0,
    refused: {},
    unknown: {},
    residentMiB: undefined,
    violations: left === ran.transactions ? [] : [`${left} units left the table in ${ran.transactions} transactions`],
  };
}

function missing(variant: string): never {
  throw new Error(`The run was begun without the server ${variant}`);
}
