/** The page docs/metrics.md: every metric that is scraped, read off the list that scrapes are made of. */
import { CHAPTERS } from "../../src/admin/catalogue.ts";
import { WORKERS_METRIC } from "../../src/admin/catalogue/workers.ts";
import type { LabelValues, Metric } from "../../src/admin/metric.ts";

const HEAD = `# Metrics

All that \`/metrics\` of the [admin port](operating.md#metrics-and-health) shows, by OpenTelemetry's names where it has
one. Counters and histograms begin at 0 when a process starts. With several workers each has its own, and the port that
sums them up shows one value for all, made as the last column says.

No label has anything that callers write: each has one of a few values, known before the first call.
`;

/** The whole page, not yet formatted. */
export function metricsPage(): string {
  return [
    HEAD,
    ...CHAPTERS.flatMap(({ title, metrics }) => [
      `## ${title}`,
      "",
      "| metric | type | meaning | labels | of workers |",
      "| --- | --- | --- | --- | --- |",
      ...metrics.map(row),
      "",
    ]),
    "## Several workers",
    "",
    "What only the port that sums them up shows:",
    "",
    "| metric | type | meaning | labels |",
    "| --- | --- | --- | --- |",
    `| \`${WORKERS_METRIC.name}\` | ${WORKERS_METRIC.type} | ${WORKERS_METRIC.help} | ${
      labelsText(WORKERS_METRIC.labels)
    } |`,
    "",
  ].join("\n");
}

function row(metric: Metric): string {
  const { name, type, help, labels = {}, across } = metric;
  const meaning = metric.type === "histogram" ? `${help}; buckets up to ${metric.bounds.join(", ")}` : help;
  return `| \`${name}\` | ${type} | ${meaning} | ${labelsText(labels)} | ${across} |`;
}

function labelsText(labels: Readonly<Record<string, LabelValues>>): string {
  return Object.entries(labels).map(([label, values]) => `\`${label}\`: ${valuesText(values)}`).join("; ");
}

function valuesText(values: LabelValues): string {
  return typeof values === "string" ? values : values.map((value) => `\`${value}\``).join(", ");
}
