/** The page docs/measured.md: what the records of the bench say. */
import type { MemoryRecord } from "../../bench/memory/memory_record.ts";
import type { Ratio, Results, Setting } from "../../bench/report/results.ts";
import type { SideResult, VersusRecord } from "../../bench/versus/record.ts";

/** The records, each absent until there is one. */
export interface Records {
  readonly results: Results;
  readonly before: Before;
  readonly versus: VersusRecord | undefined;
  readonly turns: Results | undefined;
  readonly hosts: Results | undefined;
  readonly memory: MemoryRecord | undefined;
}

/** CPU time in an earlier record, by scenario. */
export interface Before {
  readonly at: string;
  readonly cpuUs: Readonly<Record<string, number>>;
}

const HEAD = `# What was measured

The records of the bench as tables; how each is made is in [benchmarks.md](benchmarks.md), and so is why some of them
[miss their targets](benchmarks.md#what-misses-its-target). Rates are a second, CPU time is user and system time of the
server's process in microseconds, for a call that was answered or a unit that was sold.
`;

/** The whole page, not yet formatted. */
export function measuredPage({ results, before, versus, turns, hosts, memory }: Records): string {
  return [
    HEAD,
    ...versus === undefined ? [] : versusPart(versus),
    ...turns === undefined ? [] : turnsPart(turns, TURNS_PART),
    ...hosts === undefined ? [] : turnsPart(hosts, HOSTS_PART),
    ...memory === undefined ? [] : memoryPart(memory),
    "## The whole bench",
    "",
    `${
      on(results)
    } [What is compared](benchmarks.md#how-to-read-the-table-and-the-record), [the record](../bench/results.json).`,
    "",
    ...ratioTable(results),
    "## CPU time of a sale",
    "",
    `Every scenario of [the record](../bench/results.json) in which a server of ours answered. ${
      on(results)
    } Before is ` +
    `[the record of ${before.at.slice(0, 10)}, ${before.at.slice(11, 16)} UTC](../bench/cpu_before.json).`,
    "",
    ...table(
      ["what", "a second", "CPU time, µs", "before, µs"],
      Object.entries(results.scenarios).flatMap(([id, { title, median, cpuUs }]) =>
        cpuUs === undefined ? [] : [[title, number(median), number(cpuUs), shown(before.cpuUs[id])]]
      ),
    ),
  ].join("\n");
}

function versusPart(record: VersusRecord): string[] {
  const side = ({ median, cpuUs }: SideResult) => [number(median), shown(cpuUs)];
  return [
    "## Beside the article's service in Go",
    "",
    `${
      on(record)
    } [How it is measured](benchmarks.md#beside-the-articles-service-in-go), [the record](../bench/versus.json).`,
    "",
    ...table(
      ["what", "Holdfast", "CPU, µs", "Go", "CPU, µs", "ratio", "target"],
      Object.values(record.scenarios).map(({ title, holdfast, go, ratio, target, isMet }) => [
        title,
        ...side(holdfast),
        ...side(go),
        `${number(ratio)}${isMet ? "" : ", missed"}`,
        target,
      ]),
    ),
    "![Rates and CPU time of both](../bench/versus.svg)",
    "",
    "What this machine can do at the most:",
    "",
    ...table(
      ["what", "a second", "median, ms", "CPU, µs"],
      record.limits.map(({ title, perSecond, p50Ms, cpuUs }) => [
        title,
        number(perSecond),
        shown(p50Ms),
        shown(cpuUs),
      ]),
    ),
  ];
}

const TURNS_PART = {
  heading: "What is beside a sale",
  anchor: "what-is-beside-a-sale",
  file: "turns.json",
  cpu: "CPU time, µs",
} as const;
const HOSTS_PART = {
  heading: "Several hosts",
  anchor: "several-hosts",
  file: "hosts.json",
  cpu: "CPU of all servers, µs",
} as const;

/** What was measured by turns. */
function turnsPart(
  record: Results,
  { heading, anchor, file, cpu }: typeof TURNS_PART | typeof HOSTS_PART,
): string[] {
  return [
    `## ${heading}`,
    "",
    `${on(record)} [How it is measured](benchmarks.md#${anchor}), [the record](../bench/${file}).`,
    "",
    ...table(
      ["what", "a second", "median, ms", cpu],
      Object.values(record.scenarios).map(({ title, median, latencyMs, cpuUs }) => [
        title,
        number(median),
        shown(latencyMs?.p50),
        shown(cpuUs),
      ]),
    ),
    ...ratioTable(record),
  ];
}

function memoryPart({ at, minutes, scenarios }: MemoryRecord): string[] {
  return [
    "## Memory",
    "",
    `${minutes} minutes of each, all at once, each on a server of its own, ${at.slice(0, 10)}. ` +
    "[How it is measured](benchmarks.md#memory), [the record](../bench/memory.json).",
    "",
    ...table(
      ["what", "calls", "in RAM, MiB", "at the end", "a minute", "live heap, MiB", "at the end"],
      scenarios.map((row) => [
        row.title,
        number(row.calls),
        number(row.firstMiB),
        number(row.lastMiB),
        number(row.slopeMiBPerMinute),
        number(row.liveBeforeMiB),
        number(row.liveAfterMiB),
      ]),
    ),
  ];
}

function ratioTable({ ratios }: Results): string[] {
  return table(["ratio", "value", "middle half", "target"], ratios.filter(isComparison).map(ratioRow));
}

/** The last ratio of a run says whether the stock adds up. */
function isComparison({ target }: Ratio): boolean {
  return target !== "= 0";
}

function ratioRow({ claim, value, spread, target, isMet }: Ratio): string[] {
  const words = shown(value);
  return [claim, isMet === false ? `${words}, missed` : words, spread?.map(number).join(" to ") ?? "", target];
}

function on({ at, setting: { cores, versions } }: { readonly at: string; readonly setting: Setting }): string {
  const names = Object.entries(versions).filter(([name]) => name !== "v8").map(([name, version]) =>
    `${name} ${version}`
  );
  return `${at.slice(0, 10)}, ${cores} cores, ${names.join(", ")}.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i === 0 ? "---" : "--:")), ...rows.map(line), ""];
}

function shown(value: number | undefined): string {
  return value === undefined ? "" : number(value);
}

function number(value: number): string {
  return value.toLocaleString("en");
}
