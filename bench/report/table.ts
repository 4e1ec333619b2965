/** A run for the eye: one line a scenario, then the ratios. Pure. */
import type { Scenario } from "../scenarios/scenario.ts";
import type { Ratio, Results, ScenarioResult } from "./results.ts";

/** Of those that have more, the others are in the record. */
const ROUNDS_SHOWN_MAX = 6;

/** The table of a run. */
export function table(results: Results, scenarios: readonly Scenario[]): string {
  const groups = [...new Set(scenarios.map(({ group }) => group))];
  const rows = groups.flatMap((group) => [
    [group, "median", "rounds", "p50 ms", "p99 ms", "p99.9 ms", "longest", "CPU us", "RSS MiB", "not sold", "stock"],
    ...scenarios.filter((each) => each.group === group).flatMap(({ id }) => {
      const result = results.scenarios[id];
      return result === undefined ? [] : [row(result)];
    }),
    [],
  ]);
  const ratioRows = [["ratio", "value", "middle half", "target", "met"], ...results.ratios.map(ratioRow)];
  return [...aligned(rows), ...aligned(ratioRows)].join("\n");
}

function row(result: ScenarioResult): string[] {
  const { latencyMs, refused, unknown } = result;
  const counts = [...Object.entries(refused ?? {}), ...Object.entries(unknown ?? {})];
  return [
    `  ${result.title}`,
    `${number(result.median)} ${result.unit}`,
    result.rounds.slice(0, ROUNDS_SHOWN_MAX).map(number).join(" "),
    ...(latencyMs === undefined ? ["", "", ""] : [latencyMs.p50, latencyMs.p99, latencyMs.p999].map(String)),
    result.longestMs === 0 ? "" : `${number(result.longestMs)} ms`,
    result.cpuUs === undefined ? "" : number(result.cpuUs),
    result.residentMiB === undefined ? "" : number(result.residentMiB),
    counts.map(([reason, count]) => `${number(count)} ${reason}`).join(", "),
    result.violations.length === 0 ? "clean" : `${result.violations.length} WRONG`,
  ];
}

function ratioRow({ claim, value, spread, target, isMet }: Ratio): string[] {
  const words = isMet === undefined ? "not measured" : isMet ? "yes" : "NO";
  return [
    `  ${claim}`,
    value === undefined ? "" : number(value),
    spread?.map(number).join(" to ") ?? "",
    target,
    words,
  ];
}

/** Lines of cells: columns as wide as their widest cell; all but the first lean right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const cells of rows) {
    cells.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length));
  }
  return rows.map((cells) =>
    cells.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join("  ")
      .trimEnd()
  );
}

/** A number with its thousands apart. */
export function number(value: number): string {
  return value.toLocaleString("en");
}
