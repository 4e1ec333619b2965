/**
 * `deno task bench --memory [--minutes N]`: whether the server's memory grows, over minutes of each scenario of
 * `--versus`, one after the other in one process. Writes bench/memory.json.
 */
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { withBenchStack } from "../bench_stack.ts";
import { linesOf, rounded } from "../report/results.ts";
import { aligned, number } from "../report/table.ts";
import type { RunContext } from "../run_context.ts";
import { load, type Loader } from "../versus/measure_server.ts";
import { type OwnServer, startOwnServer } from "../versus/own_server.ts";
import { bringH2load } from "../versus/programs.ts";
import { writeBodies } from "../versus/requests.ts";
import { VERSUS_SCENARIOS, type VersusScenario } from "../versus/scenarios.ts";
import type { MemoryRow } from "./memory_record.ts";
import { type MemorySample, memoryTrend } from "./slope.ts";

/** Samples of a scenario, however long it is. */
const SAMPLES = 120;
/** Between the end of a load and a look at what is left. */
const SETTLE_MS = 2_000;
/** Beside the scenarios. */
const FIXED_MS = 60_000;
const MINUTE_MS = 60_000;

/** How long a run may take, in ms. */
export function memoryRunMs(minutes: number): number {
  return VERSUS_SCENARIOS.length * minutes * MINUTE_MS * 1.1 + FIXED_MS;
}

/**
 * Runs it, prints its table and writes its record.
 *
 * @returns whether the ledger is whole
 */
export async function runMemory(minutes: number, context: RunContext): Promise<boolean> {
  const { log, stop, report } = context;
  const { rows, violations } = await withBenchStack(log, async (stack) => {
    const own = await startOwnServer(stack, log);
    // What waits for it fails then.
    const kill = () => own.kill();
    stop.addEventListener("abort", kill);
    try {
      const loader = { h2load: await bringH2load(log), bodies: await writeBodies(stack.dir), stop };
      const rows: MemoryRow[] = [];
      for (const scenario of VERSUS_SCENARIOS) {
        report(`${scenario.title}, ${minutes} minutes`);
        rows.push(await watch(own, scenario, minutes, loader));
      }
      return { rows, violations: await own.check() };
    } finally {
      stop.removeEventListener("abort", kill);
      await own.close();
    }
  });
  console.log(tableOf(rows));
  for (const words of violations) console.log(`WRONG ${words}`);
  const text = [`  "at": "${new Date().toISOString()}"`, `  "minutes": ${minutes}`, linesOf("scenarios", rows)];
  await Deno.writeTextFile(fileURLToPath(new URL("../memory.json", import.meta.url)), `{\n${text.join(",\n")}\n}\n`);
  report("wrote bench/memory.json");
  return violations.length === 0;
}

/** Loads the server with a scenario for its minutes, and looks at it meanwhile. */
async function watch(own: OwnServer, scenario: VersusScenario, minutes: number, loader: Loader): Promise<MemoryRow> {
  const durationMs = Math.round(minutes * MINUTE_MS);
  const before = await own.memory("collected");
  const startedMs = performance.now();
  const samples: MemorySample[] = [];
  const loading = load(own, scenario, durationMs, loader);
  let isOver = false;
  const over = loading.finally(() => isOver = true).catch(() => {});
  while (!isOver) {
    const { residentMiB } = await own.memory("as it is");
    samples.push({ minutes: (performance.now() - startedMs) / MINUTE_MS, residentMiB });
    await Promise.race([delay(durationMs / SAMPLES), over]);
  }
  const { answered } = await loading;
  // What the last calls leave is cleaned up.
  await delay(SETTLE_MS);
  const after = await own.memory("collected");
  const { firstMiB, lastMiB, slopeMiBPerMinute, ...trend } = memoryTrend(samples);
  return {
    title: scenario.title,
    calls: answered,
    ...trend,
    firstMiB: rounded(firstMiB),
    lastMiB: rounded(lastMiB),
    slopeMiBPerMinute: rounded(slopeMiBPerMinute),
    liveBeforeMiB: rounded(before.heapMiB),
    liveAfterMiB: rounded(after.heapMiB),
  };
}

function tableOf(rows: readonly MemoryRow[]): string {
  return aligned([
    ["memory of the server", "calls", "RSS MiB", "at the end", "a minute", "live heap", "at the end"],
    ...rows.map((row) => [
      `  ${row.title}`,
      number(row.calls),
      number(row.firstMiB),
      number(row.lastMiB),
      String(row.slopeMiBPerMinute),
      number(row.liveBeforeMiB),
      number(row.liveAfterMiB),
    ]),
  ]).join("\n");
}
