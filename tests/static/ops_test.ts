/**
 * ops/: what Prometheus and Grafana are given asks for metrics that the program has, by labels that they have, and
 * whoever is woken up finds what to do.
 */
import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { type Panel, pictureName, rowsOf, withoutVariables } from "../../tools/dashboard/dashboard.ts";
import type { Metric } from "../../src/admin/metric.ts";
import { METRICS } from "../../src/admin/catalogue.ts";
import { WORKERS_METRIC } from "../../src/admin/catalogue/workers.ts";
import { anchors, prose } from "../support/markdown.ts";
import { parseQuery, type Selector } from "../support/promql.ts";
import { sourceText } from "../support/source_files.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const RULES: readonly Rule[] = parse(sourceText("ops/alerts.yaml")).groups.flatMap((group: { rules: Rule[] }) =>
  group.rules
);
const DASHBOARD = JSON.parse(sourceText("ops/dashboard.json"));
const ROWS = rowsOf(DASHBOARD);
const PANELS: readonly Panel[] = ROWS.flatMap(({ panels }) => panels);
const RUNBOOK = "docs/runbook.md";

/** What Prometheus adds to all that it scrapes. */
const TARGET_LABELS = ["job", "instance"];
/** What Prometheus itself says of who is scraped. */
const OF_PROMETHEUS = new Set(["up"]);
/** Metrics that nobody needs to look at, each with the reason. */
const NOT_SHOWN = new Set<string>([]);
/** An expression in which everything that can be asked for is asked for. */
const BROKEN =
  "sum by (nobody) (rate(holdfast_nothing[5m])) / holdfast_ready{nobody='x'} > process_heap_bytes{part='away'}";

/** What is known of a metric here. */
type Described = Pick<Metric, "name" | "type" | "labels">;
/** All that a scrape may show, of a process or of a supervisor. */
const ALL: readonly Described[] = [...METRICS, WORKERS_METRIC];
const BY_SERIES = new Map(ALL.flatMap((metric) => seriesOf(metric).map((name) => [name, metric] as const)));

const EXPRESSIONS = [
  ...RULES.map(({ alert, expr }) => ({ where: `the alert ${alert}`, expr })),
  ...PANELS.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ where: `the panel ${title}`, expr: withoutVariables(expr, "5m") }))
  ),
];

Deno.test("every expression of ops/ is PromQL, and asks for metrics, labels and values of labels that there are", () => {
  assert(EXPRESSIONS.length > 70, `${EXPRESSIONS.length} expressions`);
  assertEquals(EXPRESSIONS.flatMap(({ where, expr }) => problemsOf(expr).map((problem) => `${where}: ${problem}`)), []);
});

Deno.test("the check of expressions finds what there is not", () => {
  assertEquals(problemsOf(BROKEN), [
    "there is no metric holdfast_nothing",
    "holdfast_ready has no label nobody",
    'process_heap_bytes{part="away"}: it is one of reserved, used',
    "nothing that is aggregated has the label nobody",
  ]);
  assert(problemsOf("rate(holdfast_ready[5m").length > 0);
});

Deno.test("every metric is shown on the dashboard or watched by an alert", () => {
  const asked = new Set(EXPRESSIONS.flatMap(({ expr }) => parseQuery(expr).selectors.map(({ metric }) => metric)));
  const unseen = ALL.filter((metric) => !seriesOf(metric).some((name) => asked.has(name))).map(({ name }) => name);
  assertEquals(unseen.toSorted(), [...NOT_SHOWN].sort());
});

Deno.test("an alert says how bad it is, what it means, and where it is written what to do", () => {
  const names = RULES.map(({ alert }) => alert);
  assertEquals(names.length, new Set(names).size);
  for (const { alert, labels, annotations } of RULES) {
    assert(["critical", "warning"].includes(labels["severity"] ?? ""), `${alert}: severity`);
    assertEquals(Object.keys(annotations), ["summary", "description", "runbook"], alert);
    assertEquals(annotations["runbook"], `${RUNBOOK}#${alert.toLowerCase()}`);
    assert(anchors(RUNBOOK).has(alert.toLowerCase()), `${RUNBOOK} has no heading ${alert}`);
  }
  const headings = [...prose(RUNBOOK).matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => heading);
  assertEquals(headings, names, "the entries of the runbook, one for each alert, in their sequence");
});

Deno.test("every alert has its case among those that promtool runs, behind that of a service that is well", () => {
  const cases = parse(sourceText("ops/alerts_test.yaml")).tests.map(({ name }: { name: string }) => name);
  assertEquals(cases.slice(1), RULES.map(({ alert }) => alert));
});

Deno.test("an entry of the runbook says what it means, where to look and what to do", () => {
  for (const entry of sourceText(RUNBOOK).split(/^## /m).slice(1)) {
    const [heading = ""] = entry.split("\n");
    assertEquals(
      [...entry.matchAll(/^\*\*(\w+ ?\w*)[.*]/gm)].map(([, word]) => word),
      ["Means", "Look at", "Do"],
      heading,
    );
  }
});

Deno.test("the words of an alert name only labels that its expression leaves", () => {
  for (const { alert, expr, annotations } of RULES) {
    const { resultLabels, selectors } = parseQuery(expr);
    const all = selectors.flatMap(({ metric }) => [...labelsOf(metric)?.keys() ?? [], ...TARGET_LABELS]);
    for (const [, label = ""] of JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)) {
      assert((resultLabels ?? all).includes(label), `${alert}: ${label}`);
    }
  }
});

Deno.test("the dashboard's panels have each a place, a name, an explanation and lines that can be distinguished", () => {
  const ids = DASHBOARD.panels.map(({ id }: Panel) => id);
  assertEquals(ids, [...new Set(ids)]);
  const taken = new Set<string>();
  for (const { title, description, gridPos: { x, y, w, h }, targets } of PANELS) {
    assert(description.length > 20, title);
    assert(x + w <= 24 && targets.length > 0, title);
    assertEquals(targets.map(({ refId }) => refId), targets.map((_, i) => String.fromCharCode(65 + i)), title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert(!taken.has(`${column},${line}`), `${title} stands where another panel stands`);
        taken.add(`${column},${line}`);
      }
    }
  }
});

Deno.test("every row of the dashboard has its picture on the operating page, and no picture is of none", () => {
  const shown = [...sourceText("docs/operating.md").matchAll(/^!\[.+\]\(pictures\/(.+)\)$/gm)].map(([, name]) => name);
  assertEquals(shown, ROWS.map(pictureName));
  const files = [...Deno.readDirSync(new URL("../../docs/pictures/", import.meta.url))].map(({ name }) => name);
  assertEquals(files.sort(), ROWS.map(pictureName).sort());
});

/** What Prometheus knows a metric by. */
function seriesOf({ name, type }: Described): string[] {
  return type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

/** The labels of a series, each with its values where they are known; undefined: there is no such series. */
function labelsOf(series: string): ReadonlyMap<string, readonly string[] | string> | undefined {
  const metric = BY_SERIES.get(series);
  if (metric === undefined) return OF_PROMETHEUS.has(series) ? new Map() : undefined;
  return new Map([
    ...Object.entries(metric.labels ?? {}),
    ...(series.endsWith("_bucket") ? [["le", "upper end"] as const] : []),
  ]);
}

function problemsOf(expr: string): string[] {
  const { problems, selectors, groupings } = parseQuery(expr);
  const has = (selector: Selector, label: string) =>
    TARGET_LABELS.includes(label) || labelsOf(selector.metric)?.has(label) === true;
  return [
    ...problems,
    ...selectors.flatMap((selector) => problemsOfSelector(selector)),
    ...groupings.filter(({ label, selectors: below }) =>
      !(below.length === 0 ? selectors : below).some((selector) => has(selector, label))
    )
      .map(({ label }) => `nothing that is aggregated has the label ${label}`),
  ];
}

function problemsOfSelector({ metric, matchers }: Selector): string[] {
  const labels = labelsOf(metric);
  if (labels === undefined) return [`there is no metric ${metric}`];
  return matchers.filter(({ label }) => !TARGET_LABELS.includes(label)).flatMap(({ label, operator, value }) => {
    const values = labels.get(label);
    if (values === undefined) return [`${metric} has no label ${label}`];
    if (typeof values === "string") return [];
    // Of an alternative each has to be one; of another pattern some.
    const asked = operator.endsWith("~") && /^[\w|]+$/.test(value) ? value.split("|") : [value];
    const isThere = (text: string) =>
      operator.endsWith("~") ? values.some((each) => new RegExp(`^(?:${text})$`).test(each)) : values.includes(text);
    return asked.every(isThere) ? [] : [`${metric}{${label}="${value}"}: it is one of ${values.join(", ")}`];
  });
}
