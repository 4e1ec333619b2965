/** A comparison as a picture: rates, and what a call costs each server. Logarithmic, as the largest are far apart. */
import { drawPanels, type Panel } from "../report/panels.ts";
import type { SideResult, VersusRecord } from "./record.ts";

const NAMES = { holdfast: "Holdfast", go: "the article's service in Go" } as const;
const COLOURS = { holdfast: "#2a9d74", go: "#8a8f98" } as const;

/** The picture, as SVG text. */
export function versusChart({ scenarios }: VersusRecord): string {
  const rows = Object.values(scenarios);
  const panel = (title: string, unit: string, value: (side: SideResult) => number | undefined): Panel => ({
    title,
    unit,
    scale: "log",
    names: rows.map((row) => row.title),
    series: (["holdfast", "go"] as const).map((side) => ({
      name: NAMES[side],
      // A logarithm has no zero.
      values: rows.map((row) => value(row[side]) || null),
      colours: [COLOURS[side]],
    })),
  });
  return drawPanels([
    panel("Calls answered, or units sold, a second", "medians of the rounds", ({ median }) => median),
    panel("CPU time of the server for each", "us", ({ cpuUs }) => cpuUs),
  ]);
}
