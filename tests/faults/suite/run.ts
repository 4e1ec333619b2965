/** One run of the suite: fleets under load, faults in rounds, and in the end the checker. */
import { until } from "../../../src/base/bounded_wait.ts";
import { checkLedger } from "../../support/ledger_check.ts";
import { check } from "./checker/check.ts";
import { readTables } from "./checker/tables.ts";
import { type Fault, membersOf } from "./faults/fault.ts";
import type { Fleet } from "./fleet.ts";
import type { Call } from "./history.ts";
import { Lookout } from "./lookout.ts";
import { Random } from "./random.ts";
import { type Round, Schedule } from "./schedule.ts";
import { leaks, measureSizes, type Sizes } from "./sizes.ts";
import { SessionWatch } from "./sessions.ts";
import type { Stage } from "./stage.ts";
import { Workload } from "./workload.ts";

/** How to run. */
export interface RunOptions {
  readonly seed: number;
  readonly ms: number;
  /** Of all fleets together. */
  readonly callsPerSecond: number;
  /** Faults to choose from; all of them by default. */
  readonly faults?: readonly Fault[];
  readonly report: (progress: string) => void;
  /** Ends the run before its time, at the next round. */
  readonly stop: AbortSignal;
}

/** How a run ended. */
export interface RunResult {
  readonly seed: number;
  readonly fleets: readonly {
    readonly name: string;
    readonly calls: readonly Call[];
    readonly violations: readonly string[];
  }[];
  readonly rounds: readonly Round[];
  readonly counts: ReadonlyMap<string, number>;
  /** After the first minute, or half of a shorter run, and at the end. */
  readonly sizes: { readonly first: Sizes; readonly last: Sizes };
  readonly leaks: readonly string[];
  /**
   * Of the service's sessions: the oldest transaction that was seen after a round, and a sentence for each that was too
   * old.
   */
  readonly sessions: { readonly oldestMs: number; readonly violations: readonly string[] };
  /** Why requests stay undecided, fleet by fleet; none: all are decided. */
  readonly undecided: readonly string[];
}

/** Packets that are late come within this. */
const LATE_MS_MAX = 10_000;
/** A transaction in its own work is younger, once nobody asks for anything any more. */
const AT_REST_MS = 1000;
const CALM_AFTER_MS = 60_000;

/** Runs on a stage that is open. Throws where processes do not come to rest. */
export async function runSuite(stage: Stage, options: RunOptions): Promise<RunResult> {
  const { seed, ms, callsPerSecond, faults, report: say, stop } = options;
  const random = new Random(seed);
  await allServe(stage.fleets);
  const each = callsPerSecond / stage.fleets.length;
  const workloads = stage.fleets.map((fleet) => new Workload(fleet, each, random.fork()));
  await Promise.all(workloads.map((workload) => workload.start()));
  const lookouts = stage.fleets.map((fleet) => new Lookout(fleet, random.fork()));
  for (const lookout of lookouts) lookout.start();
  const schedule = new Schedule(stage, random.fork(), faults);
  const startedMs = performance.now();
  const calmMs = Math.min(CALM_AFTER_MS, ms / 2);
  const watch = new SessionWatch(stage.postgres.ownerUrl("postgres"));
  let first: Sizes | undefined;
  for (let elapsedMs = 0; elapsedMs < ms && !stop.aborted; elapsedMs = performance.now() - startedMs) {
    if (first === undefined && elapsedMs >= calmMs) first = await calm(stage, workloads);
    const round = await schedule.round(() => watch.look());
    const calls = stage.fleets.reduce((sum, fleet) => sum + fleet.calls.length, 0);
    say(`${Math.round(elapsedMs / 1000)} s, ${calls} calls: ${round.faults.map(({ name }) => name).join(" and ")}`);
  }
  say("healed; what is undecided is sent until it is decided");
  await allServe(stage.fleets);
  const undecided = (await Promise.all(workloads.map((workload) => workload.finish()))).flatMap((why) => why ?? []);
  // What is late is not written yet, and what does not move any more is known by its age.
  await until(() => membersOf(stage).every(({ postgres }) => postgres.lateNow === 0), LATE_MS_MAX);
  await watch.rest(AT_REST_MS);
  const last = await measureSizes(stage);
  say("checking");
  const checked = [];
  for (const [i, { name, calls, ownerUrl }] of stage.fleets.entries()) {
    const watched = await lookouts[i]!.finish(await readTables(ownerUrl));
    const violations = [...check({ calls, watched }, await readTables(ownerUrl)), ...await checkLedger(ownerUrl)];
    checked.push({ name, calls, violations });
  }
  return {
    seed,
    fleets: checked,
    rounds: schedule.rounds,
    counts: schedule.counts,
    sizes: { first: first ?? last, last },
    leaks: leaks(first ?? last, last),
    sessions: { oldestMs: watch.oldestMs, violations: watch.violations },
    undecided,
  };
}

/** Everything at rest, for a moment. */
async function calm(stage: Stage, workloads: readonly Workload[]): Promise<Sizes> {
  await allServe(stage.fleets);
  await Promise.all(workloads.map((workload) => workload.pause()));
  const sizes = await measureSizes(stage);
  for (const workload of workloads) workload.resume();
  return sizes;
}

async function allServe(fleets: readonly Fleet[]): Promise<void> {
  await Promise.all(fleets.map((fleet) => fleet.allServe()));
}

/** Everything that a run found wrong, in the checker's words or the watch's. */
export function violationsOf({ fleets, sessions, undecided, leaks }: RunResult): string[] {
  return [
    ...fleets.flatMap(({ name, violations }) => violations.map((words) => `${name}: ${words}`)),
    ...sessions.violations,
    ...undecided,
    ...leaks.map((words) => `leak: ${words}`),
  ];
}
