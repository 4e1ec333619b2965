/** What is read off ops/dashboard.json: its rows and panels, and their expressions as Prometheus takes them. */

/** One line, or group of lines, of a panel. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
  /** The name of each series, with `{{label}}` in it. */
  readonly legendFormat: string;
}

/** A panel, as far as anybody here looks at it. */
export interface Panel {
  readonly id: number;
  readonly type: "timeseries" | "stat" | "row";
  readonly title: string;
  readonly description: string;
  /** In units of the dashboard's grid, which is 24 wide. */
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: {
    readonly defaults: { readonly unit: string; readonly custom?: { readonly stacking?: { readonly mode: string } } };
  };
  readonly options?: { readonly textMode?: string };
  readonly targets: readonly Target[];
}

/** The panels below one headline. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** The rows of a dashboard. Throws Error where it does not begin with one. */
export function rowsOf({ panels }: { readonly panels: readonly Panel[] }): readonly Row[] {
  const rows: { title: string; panels: Panel[] }[] = [];
  for (const panel of panels) {
    if (panel.type === "row") rows.push({ title: panel.title, panels: [] });
    else if (rows.length === 0) throw new Error(`the panel ${panel.title} stands in no row`);
    else rows.at(-1)!.panels.push(panel);
  }
  return rows;
}

/** An expression with Grafana's variables replaced: every job and instance, rates over `window`, such as `5m`. */
export function withoutVariables(expr: string, window: string): string {
  return expr.replaceAll("$__rate_interval", window).replaceAll(/\$(job|instance)\b/g, ".*");
}

/** The name of the file that has a row's picture. */
export function pictureName({ title }: Pick<Row, "title">): string {
  return `${title.toLowerCase().replaceAll(/[^a-z]+/g, "_")}.svg`;
}
