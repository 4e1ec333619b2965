/**
 * `deno task bench --memory [--minutes N]`: whether a server's memory grows, over minutes of each scenario of
 * `--versus`, all at once, each on a server and a database of its own. Writes bench/memory.json.
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
/** Load before what counts: code is compiled, and pools and caches are filled. */
const WARMUP_MS = 30_000;
/** Between the end of a load and a look at what is left. */
const SETTLE_MS = 2_000;
/** Beside the scenarios: databases and servers are made, and warm up. */
const FIXED_MS = 150_000;
const MINUTE_MS = 60_000;

/** How long a run may take, in ms. */
export function memoryRunMs(minutes: number): number {
  return minutes * MINUTE_MS * 1.1 + FIXED_MS;
}

/**
 * Runs it, prints its table and writes its record.
 *
 * @returns whether the ledger is whole
 */
export async function runMemory(minutes: number, context: RunContext): Promise<boolean> {
  const { log, stop, report } = context;
  const { rows, violations } = await withBenchStack(log, async (stack) => {
    const servers: OwnServer[] = [];
    // What waits for them fails then.
    const kill = () => servers.forEach((server) => server.kill());
    stop.addEventListener("abort", kill);
    try {
      for (const i of VERSUS_SCENARIOS.keys()) servers.push(await startOwnServer(stack, log, `memory_${i}`));
      const loader = { h2load: await bringH2load(log), bodies: await writeBodies(stack.dir), stop };
      report(`${servers.length} servers, each with a scenario for ${minutes} minutes`);
      const rows = await Promise.all(
        VERSUS_SCENARIOS.map((scenario, i) => watch(servers[i]!, scenario, minutes, loader)),
      );
      const found = await Promise.all(servers.map((server) => server.check()));
      return { rows, violations: found.flat() };
    } finally {
      stop.removeEventListener("abort", kill);
      await Promise.all(servers.map((server) => server.close()));
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
  await load(own, scenario, WARMUP_MS, loader);
  await delay(SETTLE_MS);
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
