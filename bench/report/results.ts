/** The record of a run, as it is kept in results.json. Pure. */
import type { Measurement } from "../measure.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { median, type Quantiles, quantiles, sum, together } from "../stats.ts";

/** What one scenario came to, over all rounds. Rates a second, latencies in ms. */
export interface ScenarioResult {
  readonly title: string;
  readonly unit: Scenario["unit"];
  /** Calls begun in a second, in an open loop. */
  readonly openLoopPerS?: number;
  readonly rounds: readonly number[];
  readonly median: number;
  /** Of the calls of all rounds together, from their (intended) start. */
  readonly latencyMs?: Quantiles;
  /** The article's approach: to its unlock, while `latencyMs` is to its COMMIT. */
  readonly untilUnlockMs?: Quantiles;
  /** Several processes in-process: the smallest share of one of them in the total, median of the rounds. */
  readonly smallestShare?: number;
  /** Longest call of all rounds, warm-up included. */
  readonly longestMs: number;
  /** Open loop: half of the calls of the worst round were begun later than this after their intended start. */
  readonly begunLateMs?: number;
  /** Answers that nothing was sold. */
  readonly refused?: Readonly<Record<string, number>>;
  /** Calls without an answer, which may have sold. */
  readonly unknown?: Readonly<Record<string, number>>;
  /** Memory (RSS) of the process that served, right after it: the largest of all rounds and processes. */
  readonly residentMiB?: number;
  /** CPU time of what served, in us for an order or a call, of all rounds together. */
  readonly cpuUs?: number;
  /** Holds that ended meanwhile and that sales took off, of all rounds. */
  readonly endedHolds?: number;
  /** What stock and ledger say against it. */
  readonly violations: readonly string[];
}

/** One comparison within a run: of medians, or the median of comparisons by turns. */
export interface Ratio {
  readonly claim: string;
  /** Undefined where this run did not measure it. */
  readonly value?: number;
  /** By turns: half of the pairs lie between these. */
  readonly spread?: readonly [low: number, high: number];
  readonly target: string;
  readonly isMet?: boolean;
}

/** What the machine can do at the most, whoever asks. */
export interface Limit {
  readonly title: string;
  readonly perSecond: number;
  /** Of one that is done after the other. */
  readonly p50Ms?: number;
  /** Where a server answers: its CPU time for one, in us. */
  readonly cpuUs?: number;
}

/** Where and on what a run was made; nothing that names the machine. */
export interface Setting {
  readonly cores: number;
  readonly platform: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly postgresql: Readonly<Record<string, string>>;
}

/** The whole record. */
export interface Results {
  readonly at: string;
  readonly seconds: number;
  readonly setting: Setting;
  readonly ratios: readonly Ratio[];
  /** Violations of each ledger at the end of the run. */
  readonly ledgers: Readonly<Record<string, readonly string[]>>;
  readonly scenarios: Readonly<Record<string, ScenarioResult>>;
}

/** Puts the measurements of one scenario together. */
export function scenarioResult(scenario: Scenario, measurements: readonly Measurement[]): ScenarioResult {
  const refused = together(measurements.map((each) => each.refused));
  const unknown = together(measurements.map((each) => each.unknown));
  const latency = quantilesMs(measurements.flatMap((each) => each.latenciesUs));
  const untilUnlock = quantilesMs(measurements.flatMap((each) => each.laterUs));
  const shares = measurements.filter(({ parts }) => parts.length > 0)
    .map(({ parts, rate }) => rate === 0 ? 0 : Math.min(...parts) / rate);
  const residents = measurements.flatMap(({ residentMiB }) => residentMiB ?? []);
  const cpus = measurements.flatMap(({ cpu }) => cpu ?? []);
  const cpuUs = 1000 * sum(cpus.map(({ ms }) => ms)) / sum(cpus.map(({ answered }) => answered));
  const ended = measurements.flatMap((each) => each.ended ?? []);
  const rounds = measurements.map((each) => rounded(each.rate));
  return {
    title: scenario.title,
    unit: scenario.unit,
    ...(scenario.ratePerS === undefined ? {} : { openLoopPerS: scenario.ratePerS }),
    rounds,
    median: rounded(median(rounds)),
    ...(latency === undefined ? {} : { latencyMs: latency }),
    ...(untilUnlock === undefined ? {} : { untilUnlockMs: untilUnlock }),
    ...(shares.length === 0 ? {} : { smallestShare: rounded(median(shares)) }),
    longestMs: rounded(Math.max(...measurements.map((each) => each.longestMs))),
    ...(scenario.ratePerS === undefined
      ? {}
      : { begunLateMs: rounded(Math.max(...measurements.map((each) => each.lateUs)) / 1000) }),
    ...(Object.keys(refused).length === 0 ? {} : { refused }),
    ...(Object.keys(unknown).length === 0 ? {} : { unknown }),
    ...(residents.length === 0 ? {} : { residentMiB: Math.round(Math.max(...residents)) }),
    ...(Number.isFinite(cpuUs) ? { cpuUs: rounded(cpuUs) } : {}),
    ...(ended.length === 0 ? {} : { endedHolds: sum(ended) }),
    violations: measurements.flatMap((each) => each.violations),
  };
}

/** The record as text: a line a scenario, so that two records can be compared by eye and by diff. */
export function resultsText(results: Results): string {
  const { scenarios, ratios, ...rest } = results;
  const body = [
    ...Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`),
    linesOf("ratios", ratios),
    `  "scenarios": {\n${
      Object.entries(scenarios).map(([id, value]) => `    ${JSON.stringify(id)}: ${JSON.stringify(value)}`).join(",\n")
    }\n  }`,
  ];
  return `{\n${body.join(",\n")}\n}\n`;
}

/** A list of the record, a line each. */
export function linesOf(key: string, rows: readonly unknown[]): string {
  return `  ${JSON.stringify(key)}: [\n${rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]`;
}

/** Three digits that matter, for reading. */
export function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

function quantilesMs(latenciesUs: readonly number[]): Quantiles | undefined {
  const us = quantiles(latenciesUs);
  if (us === undefined) return undefined;
  const ms = (value: number) => rounded(value / 1000);
  return { count: us.count, p50: ms(us.p50), p99: ms(us.p99), p999: ms(us.p999), max: ms(us.max) };
}
