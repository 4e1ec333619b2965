/** Panels of horizontal bars, one below the other, as one picture. */
import * as echarts from "echarts";
import { sum } from "../stats.ts";

const WIDTH = 1_100;
const ROW_HEIGHT = 22;
/** Space above each panel, for its title and legend, and below it, for its axis. */
const ABOVE = 70;
const BELOW = 50;
const NAMES_WIDTH = 410;
const RIGHT = 90;

/** Rows with a bar of each series. */
export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly scale: "log" | "value";
  readonly names: readonly string[];
  readonly series: readonly Series[];
}

/** Bars of one kind, one a row. */
export interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** One for all its bars, or one each. */
  readonly colours: readonly string[];
}

/** The picture, as SVG text. */
export function drawPanels(panels: readonly Panel[]): string {
  const heights = panels.map(({ names, series }) => names.length * ROW_HEIGHT * (series.length > 1 ? 2 : 1));
  const tops = heights.map((_, index) => ABOVE + sum(heights.slice(0, index)) + index * (ABOVE + BELOW));
  const height = sum(heights) + panels.length * (ABOVE + BELOW);
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
