/** What a run consists of, and how long that takes. Pure, so that a test keeps the sum under the limit. */
import { BASELINES } from "./scenarios/baselines.ts";
import { growth } from "./scenarios/growth.ts";
import { GRPC_UNARY } from "./scenarios/grpc.ts";
import { IN_PROCESS } from "./scenarios/in_process.ts";
import { LATENCY } from "./scenarios/latency.ts";
import { liveHolds } from "./scenarios/live_holds.ts";
import { roundOf, type Rounds, sideBySideOf } from "./rounds.ts";
import { PROCESSES, type Scenario } from "./scenarios/scenario.ts";
import { SELL_BATCH } from "./scenarios/sell_batch.ts";
import { MODE_SCENARIOS } from "./scenarios/modes.ts";
import { OPERATION_SCENARIOS } from "./scenarios/operations.ts";
import { FLEET_TURNS } from "./scenarios/fleet.ts";
import { TURNS } from "./scenarios/turns.ts";
import { sequenceOf, type Turns } from "./turn_sequence.ts";
import { SIZES, type Sizes, SMOKE_SIZES } from "./sizes.ts";

/** The whole of a run ends within this, or it is stopped and has failed. */
export const RUN_MS_MAX = 300_000;

/**
 * What a run spends beside its windows, in ms, as measured on two cores: PostgreSQL, Redis and the processes come up;
 * a million goods, five million movements and a million holds are loaded; the ledgers are checked, two at a time, and
 * everything is stopped; and what every measurement costs for its checks, its last calls and the path to its processes.
 * Where holds are to end, that is written before, and the rest of them after it.
 */
const FIXED_MS = {
  start: 5_000,
  load: 20_000,
  warm: 22_000,
  checks: 50_000,
  eachMeasurement: 125,
  eachEnding: 800,
  eachTurn: 55,
} as const;

/** Kept free at the end, for what takes longer than it was seen to. */
const MARGIN_MS = 10_000;

/** A scenario that is run to warm up, and the server that is its first. */
export interface WarmUp {
  readonly scenario: Scenario;
  readonly first: number;
}

/** A run. */
export interface Plan extends Rounds {
  /** Short, and about correctness only. */
  readonly smoke: boolean;
  /** Run once before the first round, and thrown away: code is compiled and connections are made. */
  readonly warmup: readonly WarmUp[];
  /** Measured between the warm-up and the first round. */
  readonly turns: Turns;
  readonly sizes: Sizes;
}

/** In every second of them everything. */
const ROUNDS = 6;
const NO_TURNS: Turns = { scenarios: [], warmup: 0, cycles: 0 };
const SMOKE_TURN_CYCLES = { warmup: 0, cycles: 2 } as const;
const PROCESSES_MAX = Math.max(...PROCESSES);
/** By turns, where nothing else is measured. Even numbers of cycles, as each has a way back. */
const ALONE = {
  // In fewer cycles before them code is still compiled: in one record a server got from 5,600 to 12,000 calls a second.
  turns: { scenarios: TURNS, warmup: 8, cycles: 42 },
  // As many cycles as there are servers, or twice as many: each of them is the one alone as often as any other.
  hosts: { scenarios: FLEET_TURNS, warmup: PROCESSES_MAX, cycles: 2 * PROCESSES_MAX },
} as const;

const SMOKE_TIMES = { warmupMs: 50, windowMs: 300 } as const;
/** One of each kind, and all that have several processes on one goods. */
const SMOKE_IDS = new Set([
  "article/one_goods/16",
  "pgbench/one_row",
  "redis/one_key",
  "grpc/noop",
  "grpc/noop_adapter",
  "in_process/one_goods/1",
  "in_process/one_goods/4",
  "in_process/zipf/2",
  "modes/row/one_goods/2",
  "modes/optimistic/one_goods/2",
  "in_process/three_lines/1",
  "operations/reserve_confirm/one_goods",
  "operations/reserve_confirm/uniform",
  "operations/adjust/one_goods",
  "grpc/inv_detail",
  "grpc/sell/one_goods/2",
  "grpc/sell/three_lines/1",
  "grpc/sell_batch/zipf/1",
  "latency/grpc/sell/uniform/1000",
]);

/** What is to be run. */
export interface Wanted {
  readonly smoke: boolean;
  readonly sellBatch: boolean;
  /** Only what is measured by turns, oftener: parts of a server, or several hosts. */
  readonly only?: "turns" | "hosts";
}

/**
 * What a run consists of: rounds, of everything and of what is compared side by side, and no turns, of which a few
 * would say nothing; for a smoke run one short round of some of it, and turns of all that have them.
 */
export function planRun({ smoke, sellBatch, only }: Wanted): Plan {
  const sizes = smoke || only !== undefined ? SMOKE_SIZES : SIZES;
  if (only !== undefined) {
    const turns = { ...ALONE[only], ...(smoke ? SMOKE_TURN_CYCLES : {}) };
    return { smoke, rounds: 0, scenarios: [], warmup: [], turns, sizes };
  }
  const all = [
    ...BASELINES,
    ...IN_PROCESS,
    ...OPERATION_SCENARIOS,
    ...MODE_SCENARIOS,
    ...GRPC_UNARY,
    ...SELL_BATCH,
    ...LATENCY,
    ...growth(sizes),
    ...liveHolds(sizes.holds),
  ].filter(({ method }) => sellBatch || method !== "SellBatch");
  if (!smoke) return { smoke, rounds: ROUNDS, scenarios: all, warmup: warmupOf(all), turns: NO_TURNS, sizes };
  const some = all.filter(({ id, group }) => SMOKE_IDS.has(id) || group === "growth" || group === "holds")
    .map((scenario) => scenario.kind === "pgbench" ? scenario : { ...scenario, ...SMOKE_TIMES });
  return { smoke, rounds: 1, scenarios: some, warmup: [], turns: { scenarios: TURNS, ...SMOKE_TURN_CYCLES }, sizes };
}

/** How long the plan should take, in ms. */
export function plannedMs(plan: Plan): number {
  const { start, load, warm, checks } = FIXED_MS;
  return start + load + warm + checks + turnsMs(plan.turns) + roundsMs(plan, 1, roundOf);
}

/**
 * What of a plan this round should contain, so that the run ends in time on a slow machine too: what it is planned to,
 * unless later ones would then have no time for what is compared side by side; else only that, else nothing. Times in
 * ms: since the start, until the first round began, and of the last round of everything.
 */
export function nextRound(
  plan: Plan,
  round: number,
  times: { readonly elapsedMs: number; readonly setupMs: number; readonly wholeRoundMs: number },
): readonly Scenario[] {
  const { start, load, warm, checks } = FIXED_MS;
  const pace = times.wholeRoundMs / scenariosMs(roundOf(plan, 1));
  // The ledgers are checked as much slower than planned as they were filled, or as the round was.
  const slowness = Math.max(times.setupMs / (start + load + warm), pace, 1);
  const leftMs = RUN_MS_MAX - MARGIN_MS - times.elapsedMs - checks * slowness;
  const wanted = roundOf(plan, round);
  const laterMs = roundsMs(plan, round + 1, sideBySideOf);
  if ((scenariosMs(wanted) + laterMs) * pace <= leftMs) return wanted;
  const least = sideBySideOf(plan, round);
  return scenariosMs(least) * pace <= leftMs ? least : [];
}

function roundsMs(plan: Plan, from: number, contents: (plan: Plan, round: number) => readonly Scenario[]): number {
  let sum = 0;
  for (let round = from; round <= plan.rounds; round++) sum += scenariosMs(contents(plan, round));
  return sum;
}

function turnsMs(turns: Turns): number {
  const { eachMeasurement, eachTurn } = FIXED_MS;
  return sequenceOf(turns).reduce<number>(
    (sum, { scenario: { warmupMs, windowMs } }) => sum + warmupMs + windowMs + eachTurn,
    eachMeasurement,
  );
}

function scenariosMs(scenarios: readonly Scenario[]): number {
  const { eachMeasurement, eachEnding } = FIXED_MS;
  return scenarios.reduce(
    (sum, { warmupMs, windowMs, endingPerS }) =>
      sum + warmupMs + windowMs + eachMeasurement + (endingPerS === undefined ? 0 : eachEnding),
    0,
  );
}

/** Of a call that nothing else warms up: as long as until its code is compiled, see below. */
const COLD_WINDOW_MS = 1_200;

/**
 * What together reaches every process and every kind of call. Each server is the one that is measured alone once, so
 * each answers what is measured of one. `InvDetail` took sixteen new ones 35 to 65 µs of CPU time in the first 0.6 s of
 * calls, most of them 31 to 43 in the next, and 28 to 34 from then on.
 */
function warmupOf(scenarios: readonly Scenario[]): WarmUp[] {
  return scenarios.filter(isWarmup).flatMap((scenario) => {
    const { kind, processes, variant, method, windowMs } = scenario;
    const isOfOneServer = kind === "grpc" && processes === 1 && variant === undefined;
    const warming = { ...scenario, windowMs: isOfOneServer && method === "InvDetail" ? COLD_WINDOW_MS : windowMs };
    return Array.from({ length: isOfOneServer ? PROCESSES_MAX : 1 }, (_, first) => ({ scenario: warming, first }));
  });
}

function isWarmup({ id, group }: Scenario): boolean {
  return /^(article\/one_goods\/lone|grpc\/noop|in_process\/(one_goods|uniform)\/4|grpc\/inv_detail)/.test(id) ||
    /^grpc\/sell(_batch)?\/(one_goods\/[14]|uniform\/4)$/.test(id) || (group === "growth" && !id.includes("lines"));
}
