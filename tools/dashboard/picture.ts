/** A row of the dashboard as SVG: each panel where the dashboard has it, its lines as Prometheus answered them. */
import * as echarts from "echarts";
import type { Panel, Row } from "./dashboard.ts";
import type { Series } from "./prometheus.ts";

/** Pixels of a unit of the grid, across and down. */
const UNIT_WIDTH = 50;
const UNIT_HEIGHT = 32;
const COLOURS = ["#2f6fb2", "#c77d2e", "#2a9d74", "#b23a48", "#8a5fbf", "#5b7f3a", "#a0522d", "#8a8f98"];
const LEGEND_LINES_MAX = 12;
/** Pixels of a legend: a row of it, the icon of a name with the space around, and a character. */
const LEGEND_ROW = 22;
const LEGEND_ICON = 32;
const LEGEND_CHARACTER = 6.2;

/** One line of a panel. */
export interface Line {
  readonly name: string;
  readonly values: Series["values"];
}

/** A picture of some panels, by the ids of whose lines are in `lines`. Times are shown in seconds since `fromS`. */
export function picture({ panels }: Row, lines: ReadonlyMap<number, readonly Line[]>, fromS: number): string {
  const top = Math.min(...panels.map(({ gridPos }) => gridPos.y));
  const right = Math.max(...panels.map(({ gridPos }) => gridPos.x + gridPos.w));
  const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const [width, height] = [right * UNIT_WIDTH, (bottom - top) * UNIT_HEIGHT];
  const drawn = panels.map((panel) => {
    const { x, y } = panel.gridPos;
    const svg = panelPicture(panel, lines.get(panel.id) ?? [], fromS);
    return svg.replace("<svg ", `<svg x="${x * UNIT_WIDTH}" y="${(y - top) * UNIT_HEIGHT}" `);
  });
  const head =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`;
  return withShortNumbers(`${head}\n${drawn.join("\n")}\n</svg>\n`);
}

function panelPicture(panel: Panel, lines: readonly Line[], fromS: number): string {
  const { w, h } = panel.gridPos;
  const [width, height] = [w * UNIT_WIDTH, h * UNIT_HEIGHT];
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    const { unit, custom } = panel.fieldConfig.defaults;
    const isStacked = (custom?.stacking?.mode ?? "none") !== "none";
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      color: COLOURS,
      textStyle: { fontFamily: "sans-serif" },
      title: { text: panel.title, left: 8, top: 4, textStyle: { fontSize: 13 } },
      ...(panel.type === "stat"
        ? ofNumber(lines, unit, panel.options?.textMode ?? "value")
        : ofLines(lines, { unit, isStacked, fromS, width })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function ofNumber(lines: readonly Line[], unit: string, textMode: string): echarts.EChartsOption {
  const texts = lines.map(({ name, values }) => {
    const last = inUnit(Number(values.at(-1)?.[1] ?? NaN), unit);
    return textMode === "name" ? name : textMode === "value" ? last : `${name}: ${last}`;
  });
  return {
    graphic: {
      type: "text",
      left: "center",
      top: "middle",
      style: { text: texts.join("\n") || "no data", fontSize: 22, fill: COLOURS[0]!, y: 10 },
    },
  };
}

interface Look {
  readonly unit: string;
  readonly isStacked: boolean;
  readonly fromS: number;
  readonly width: number;
}

function ofLines(given: readonly Line[], { unit, isStacked, fromS, width }: Look): echarts.EChartsOption {
  const lines = given.map(({ name, values }) => ({ name: name.replace("inventory.v1.", ""), values }));
  const legendRows = Math.ceil(
    sum(lines.map(({ name }) => LEGEND_ICON + LEGEND_CHARACTER * name.length)) / (width - 80),
  );
  // The library stacks the values of categories alone, and times are none.
  const below = isStacked ? new Map<number, number>() : undefined;
  const times = [...new Set(lines.flatMap(({ values }) => values.map(([at]) => at)))].sort((a, b) => a - b);
  return {
    legend: {
      type: "plain",
      bottom: 2,
      itemHeight: 8,
      itemGap: 12,
      itemWidth: 14,
      textStyle: { fontSize: 10 },
      data: lines.slice(0, LEGEND_LINES_MAX).map(({ name }) => name),
    },
    grid: { left: 64, right: 16, top: 34, bottom: 24 + LEGEND_ROW * Math.max(legendRows, 1) },
    xAxis: { type: "value", min: 0, axisLabel: { formatter: "{value} s", fontSize: 10 }, splitLine: { show: false } },
    yAxis: {
      type: "value",
      min: 0,
      axisLabel: { fontSize: 10, formatter: (value: number) => inUnit(value, unit) },
    },
    series: lines.map(({ name, values }) => ({
      name,
      type: "line",
      showSymbol: false,
      lineStyle: { width: 1.5 },
      ...(isStacked ? { areaStyle: { opacity: 0.12 } } : {}),
      data: pointsOf(values, times, below).map(([at, value]) => [Math.round(at - fromS), value]),
    })),
  };
}

/** At each time a value, on top of those in `below`, to which it is added; without it gaps stay gaps. */
function pointsOf(
  values: Line["values"],
  times: readonly number[],
  below: Map<number, number> | undefined,
): [number, number | null][] {
  const byTime = new Map(values.map(([at, value]) => [at, Number(value)]));
  return times.map((at) => {
    const value = byTime.get(at);
    const known = value !== undefined && Number.isFinite(value) ? value : undefined;
    if (below === undefined) return [at, known ?? null];
    below.set(at, (below.get(at) ?? 0) + (known ?? 0));
    return [at, below.get(at)!];
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** As Grafana writes values of its units, as far as the dashboard has them. */
export function inUnit(value: number, unit: string): string {
  if (!Number.isFinite(value)) return "-";
  if (unit === "percentunit") return `${short(100 * value)} %`;
  if (unit === "decbytes") return scaled(value, 1000, ["B", "kB", "MB", "GB"]);
  if (unit === "s") return inTime(value);
  if (unit === "reqps" || unit === "ops") return `${scaled(value, 1000, ["", "k", "M"])}/s`;
  return scaled(value, 1000, ["", "k", "M"]);
}

function inTime(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (Math.abs(seconds) < 0.001) return `${short(1e6 * seconds)} µs`;
  if (Math.abs(seconds) < 1) return `${short(1000 * seconds)} ms`;
  if (Math.abs(seconds) < 3600) return `${short(seconds)} s`;
  return Math.abs(seconds) < 172_800 ? `${short(seconds / 3600)} h` : `${short(seconds / 86_400)} d`;
}

function scaled(value: number, step: number, names: readonly string[]): string {
  let [left, i] = [value, 0];
  while (Math.abs(left) >= step && i < names.length - 1) [left, i] = [left / step, i + 1];
  const name = names[i]!;
  return name.length > 1 || name === "B" ? `${short(left)} ${name}` : `${short(left)}${name}`;
}

function short(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}

/** Tenths of a pixel are enough, and half of the bytes. What is written in the picture stays as it is. */
function withShortNumbers(svg: string): string {
  return svg.replaceAll(
    /"[^"]*"/g,
    (attribute) => attribute.replaceAll(/\d+\.\d{2,}/g, (number) => `${Number(Number(number).toFixed(1))}`),
  );
}
