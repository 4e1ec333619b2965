/** A comparison as it is kept in versus.json, and as a table. Pure. */
import { type Limit, linesOf, rounded, type Setting } from "../report/results.ts";
import { aligned, number } from "../report/table.ts";
import { median } from "../stats.ts";
import type { VersusMeasurement } from "./measure_server.ts";
import { type Side, SIDES } from "./plan.ts";
import { VERSUS_SCENARIOS, type VersusScenario } from "./scenarios.ts";

/** One server in one scenario. */
export interface SideResult {
  /** Calls answered or units sold a second, one a round. */
  readonly rounds: readonly number[];
  readonly median: number;
  /** CPU time of the server, user and system, for one of them in us, of all rounds together. */
  readonly cpuUs?: number;
}

/** Both servers in one scenario. */
export interface VersusRow extends Readonly<Record<Side, SideResult>> {
  readonly title: string;
  /** Holdfast's median by the other's, or by the other's best of those that it is compared with. */
  readonly ratio: number;
  readonly target: string;
  readonly isMet: boolean;
}

/** The whole record. */
export interface VersusRecord {
  readonly at: string;
  readonly seconds: number;
  readonly setting: Setting;
  /** What the machine can do at the most. */
  readonly limits: readonly Limit[];
  /** What is wrong with Holdfast's ledger at the end. */
  readonly violations: readonly string[];
  readonly scenarios: Readonly<Record<string, VersusRow>>;
}

/** Measurements of a run: by scenario and side, one a round. */
export type VersusMeasurements = ReadonlyMap<string, Readonly<Record<Side, readonly VersusMeasurement[]>>>;

/** The rows, in their sequence. */
export function versusRows(measured: VersusMeasurements): Record<string, VersusRow> {
  const results = new Map([...measured].map(([id, sides]) => [id, bothSides(sides)]));
  return Object.fromEntries(VERSUS_SCENARIOS.map((scenario) => [scenario.id, row(scenario, results)]));
}

type Both = Readonly<Record<Side, SideResult>>;

function bothSides(sides: Readonly<Record<Side, readonly VersusMeasurement[]>>): Both {
  const [holdfast, go] = SIDES.map((side) => sideResult(sides[side]));
  return { holdfast: holdfast!, go: go! };
}

function sideResult(measurements: readonly VersusMeasurement[]): SideResult {
  const rounds = measurements.map(({ perSecond }) => rounded(perSecond));
  const sum = (of: (each: VersusMeasurement) => number) => measurements.reduce((total, each) => total + of(each), 0);
  const cpuUs = 1000 * sum(({ cpuMs }) => cpuMs ?? NaN) / sum(({ done }) => done);
  return {
    rounds,
    median: rounded(median(rounds)),
    ...(Number.isFinite(cpuUs) ? { cpuUs: rounded(cpuUs) } : {}),
  };
}

function row({ id, title, against, target }: VersusScenario, results: ReadonlyMap<string, Both>): VersusRow {
  const own = results.get(id);
  if (own === undefined) throw new Error(`${id} was not measured`);
  const other = Math.max(...against.map((each) => results.get(each)?.go.median ?? NaN));
  const ratio = own.holdfast.median / other;
  return { title, ...own, ratio: rounded(ratio), target: `>= ${target}`, isMet: ratio >= target };
}

/** The record as text: a line a scenario. */
export function versusText({ scenarios, limits, ...rest }: VersusRecord): string {
  const body = [
    ...Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`),
    linesOf("limits", limits),
    `  "scenarios": {\n${
      Object.entries(scenarios).map(([id, value]) => `    ${JSON.stringify(id)}: ${JSON.stringify(value)}`).join(",\n")
    }\n  }`,
  ];
  return `{\n${body.join(",\n")}\n}\n`;
}

/** The record for the eye. */
export function versusTable({ scenarios, limits }: VersusRecord): string {
  const us = ({ cpuUs }: SideResult) => cpuUs === undefined ? "" : number(cpuUs);
  const rows = Object.values(scenarios).map(({ title, holdfast, go, ratio, target, isMet }) => [
    `  ${title}`,
    ...[holdfast, go].flatMap((side) => [number(side.median), us(side)]),
    number(ratio),
    target,
    isMet ? "yes" : "NO",
  ]);
  return aligned([
    ["a second", "Holdfast", "CPU us", "Go", "CPU us", "ratio", "target", "met"],
    ...rows,
    [],
    ...limitRows(limits),
  ]).join("\n");
}

/** What the machine can do at the most. */
function limitRows(limits: readonly Limit[]): string[][] {
  const shown = (value: number | undefined) => value === undefined ? "" : number(value);
  return [
    ["limits of the machine", "a second", "p50 ms", "CPU us"],
    ...limits.map(({ title, perSecond, p50Ms, cpuUs }) => [
      `  ${title}`,
      number(perSecond),
      shown(p50Ms),
      shown(cpuUs),
    ]),
  ];
}
