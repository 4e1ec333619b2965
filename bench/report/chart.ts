/**
 * A run as a picture: rates, how they change with more processes, latencies at fixed rates, and growth. The axes are
 * logarithmic, because what is compared is some thousandfold apart; but that of growth is not, where a fall of a
 * quarter must be seen.
 */
import * as echarts from "echarts";
import type { Scenario } from "../scenarios/scenario.ts";
import type { Results, ScenarioResult } from "./results.ts";

const WIDTH = 1_100;
const ROW_HEIGHT = 22;
/** Space above each panel, for its title and legend, and below it, for its axis. */
const ABOVE = 70;
const BELOW = 50;
const NAMES_WIDTH = 410;
const RIGHT = 90;
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
};
const QUANTILES = [["p50", "#9cc4e4"], ["p99", "#3a7ca5"], ["p999", "#16425b"]] as const;

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly scale: "log" | "value";
  readonly names: readonly string[];
  readonly series: readonly Series[];
}

interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** One for all its bars, or one each. */
  readonly colours: readonly string[];
}

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

  const heights = panels.map(({ names, series }) => names.length * ROW_HEIGHT * (series.length > 1 ? 2 : 1));
  const tops = heights.map((_, index) => ABOVE + total(heights.slice(0, index)) + index * (ABOVE + BELOW));
  const height = total(heights) + panels.length * (ABOVE + BELOW);
  const picture = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    picture.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { fontFamily: "sans-serif" },
      title: panels.map(({ title, unit, series }, index) => ({
        text: title,
        subtext: series.length > 1 ? `${unit}: ${series.map(({ name }) => name).join(", ")}` : unit,
        left: 10,
        top: tops[index]! - ABOVE + 10,
        textStyle: { fontSize: 15 },
      })),
      grid: panels.map((_, index) => ({
        left: NAMES_WIDTH,
        right: RIGHT,
        top: tops[index],
        height: heights[index],
      })),
      xAxis: panels.map(({ scale }, gridIndex) => ({ type: scale, gridIndex, axisLabel: { hideOverlap: true } })),
      yAxis: panels.map(({ names }, gridIndex) => ({
        type: "category",
        gridIndex,
        data: [...names],
        inverse: true,
        axisTick: { show: false },
        axisLabel: { width: NAMES_WIDTH - 20, overflow: "truncate", interval: 0 },
      })),
      series: panels.flatMap(({ series }, index) =>
        series.map(({ name, values, colours }) => ({
          name,
          type: "bar",
          xAxisIndex: index,
          yAxisIndex: index,
          data: values.map((value, row) => ({ value, itemStyle: { color: colours[row] ?? colours[0] } })),
          label: {
            show: true,
            position: "right",
            formatter: ({ value }: { value: unknown }) => typeof value === "number" ? value.toLocaleString("en") : "",
          },
        }))
      ),
    });
    return picture.renderToSVGString() + "\n";
  } finally {
    picture.dispose();
  }
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

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
