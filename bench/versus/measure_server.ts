/** One measurement of one server: load, the units that left its tables meanwhile, and the CPU time that it took. */
import { setTimeout as delay } from "node:timers/promises";
import { runH2load } from "./h2load.ts";
import type { MeasuredServer } from "./measured_server.ts";
import { type Bodies, pathOf } from "./requests.ts";
import type { VersusScenario } from "./scenarios.ts";

/** Load goes on for so long after what counts, so that what counts is all under load. */
const AFTER_MS = 250;

/** What load is made with. */
export interface Loader {
  /** Path of h2load. */
  readonly h2load: string;
  readonly bodies: Bodies;
  readonly stop: AbortSignal;
}

/** What it came to. */
export interface VersusMeasurement {
  /** Calls answered, or units sold, a second. */
  readonly perSecond: number;
  /** How many there were in what counts, and the CPU time of the server for them; absent where nobody says it. */
  readonly done: number;
  readonly cpuMs?: number;
}

/**
 * Measures it once. What counts of sales is what left the tables, whatever was answered.
 *
 * @throws Error where load can't be made
 */
export async function measureServer(
  server: MeasuredServer,
  scenario: VersusScenario,
  { warmupMs, windowMs }: { readonly warmupMs: number; readonly windowMs: number },
  loader: Loader,
): Promise<VersusMeasurement> {
  if (scenario.method === "InvDetail") {
    await load(server, scenario, warmupMs, loader);
    const before = server.cpuMs();
    const { answered, perSecond } = await load(server, scenario, windowMs, loader);
    return { perSecond, done: answered, ...cpuBetween(before, server.cpuMs()) };
  }
  const loading = load(server, scenario, warmupMs + windowMs + AFTER_MS, loader);
  // It is waited for below, and may fail before.
  loading.catch(() => {});
  await delay(warmupMs);
  const before = await look(server);
  await delay(windowMs);
  const after = await look(server);
  await loading;
  const done = after.sold - before.sold;
  return { perSecond: done * 1000 / (after.atMs - before.atMs), done, ...cpuBetween(before.cpuMs, after.cpuMs) };
}

async function look(server: MeasuredServer) {
  const askedMs = performance.now();
  const sold = await server.sold();
  // Tables are read at some moment in between.
  return { sold, atMs: (askedMs + performance.now()) / 2, cpuMs: server.cpuMs() };
}

function cpuBetween(before: number | undefined, after: number | undefined): { readonly cpuMs?: number } {
  return before === undefined || after === undefined ? {} : { cpuMs: after - before };
}

/** All callers of a scenario, for so long. */
export async function load(
  { url }: MeasuredServer,
  { method, goods, connections, streams }: VersusScenario,
  durationMs: number,
  { h2load, bodies, stop }: Loader,
): Promise<{ readonly answered: number; readonly perSecond: number }> {
  const ends = await Promise.all(Array.from({ length: goods }, (_, i) =>
    runH2load({
      program: h2load,
      url: url + pathOf(method),
      bodyFile: bodies.file(method, i + 1),
      connections,
      streams,
      durationMs,
    }, stop)));
  const sum = (of: "answered" | "perSecond") => ends.reduce((total, end) => total + end[of], 0);
  return { answered: sum("answered"), perSecond: sum("perSecond") };
}
