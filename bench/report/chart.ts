/**
 * A run as a picture: rates, how they change with more processes, latencies at fixed rates, and growth. The axes are
 * logarithmic, because what is compared is some thousandfold apart; but that of growth is not, where a fall of a
 * quarter must be seen.
 */
import type { Scenario } from "../scenarios/scenario.ts";
import { drawPanels, type Panel } from "./panels.ts";
import type { Results, ScenarioResult } from "./results.ts";

const COLOURS: Readonly<Record<Scenario["group"], string>> = {
  "baselines": "#8a8f98",
  "in-process": "#2f6fb2",
  "gRPC": "#2a9d74",
  "SellBatch": "#8a5fbf",
  "latency": "#c77d2e",
  "growth": "#b23a48",
  "modes": "#5b7f3a",
  "holds": "#a0522d",
  "in turns": "#4a7a8c",
  "several hosts": "#7a6a4a",
};
const QUANTILES = [["p50", "#9cc4e4"], ["p99", "#3a7ca5"], ["p999", "#16425b"]] as const;

type Measured = readonly (readonly [Scenario, ScenarioResult])[];

/** The picture, as SVG text. */
export function chart(results: Results, scenarios: readonly Scenario[]): string {
  const measured: Measured = scenarios.flatMap((scenario) => {
    const result = results.scenarios[scenario.id];
    return result === undefined ? [] : [[scenario, result] as const];
  });
  const panels = [
    rates(
      "Rate, medians of the rounds",
      "log",
      measured.filter(([{ group, processes }]) => isRate(group) && processes === 1),
    ),
    rates("More processes", "log", measured.filter(([{ group, processes }]) => isRate(group) && processes > 1)),
    latencies(measured.filter(([{ group }]) => group === "latency")),
    rates("Growth", "value", measured.filter(([{ group }]) => group === "growth")),
  ].filter(({ names }) => names.length > 0);

  return drawPanels(panels);
}

function rates(title: string, scale: Panel["scale"], measured: Measured): Panel {
  return {
    title,
    scale,
    unit: "orders or calls a second",
    names: measured.map(([, result]) => result.title),
    series: [{
      name: "median",
      // A logarithm has no zero.
      values: measured.map(([, { median }]) => median > 0 ? median : null),
      colours: measured.map(([{ group }]) => COLOURS[group]),
    }],
  };
}

function latencies(measured: Measured): Panel {
  return {
    title: "Latency at a fixed rate, from the intended start",
    unit: "ms",
    scale: "log",
    names: measured.map(([, result]) => result.title),
    series: QUANTILES.map(([quantile, colour]) => ({
      name: quantile === "p999" ? "p99.9" : quantile,
      values: measured.map(([, { latencyMs }]) => latencyMs?.[quantile] ?? null),
      colours: [colour],
    })),
  };
}

function isRate(group: Scenario["group"]): boolean {
  return group !== "latency" && group !== "growth";
}
