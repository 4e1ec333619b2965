/** The page docs/metrics.md: every metric that is scraped, read off the list that scrapes are made of. */
import { CHAPTERS } from "../../src/admin/catalogue.ts";
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
  ].join("\n");
}

function row(metric: Metric): string {
  const { name, type, help, labels = {}, across } = metric;
  const words = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${valuesText(values)}`);
  const meaning = metric.type === "histogram" ? `${help}; buckets up to ${metric.bounds.join(", ")}` : help;
  return `| \`${name}\` | ${type} | ${meaning} | ${words.join("; ")} | ${across} |`;
}

function valuesText(values: LabelValues): string {
  return typeof values === "string" ? values : values.map((value) => `\`${value}\``).join(", ");
}
