/**
 * What the supervisor does, as a pure state machine: an event in, the next plan and the actions to carry out.
 *
 * Starting works as a whole or not at all: until every worker has listened once, the end of any of them ends all. From
 * then on the supervisor lives until it is asked to stop, whatever becomes of its workers.
 *
 *     phase      worker     event    next
 *     starting   starting   listens  listening; the unstarted ones are started, on the port of the first
 *                                    when all listen: announce; serving
 *     starting   starting   ended    gone; the others are terminated; stopping, with exit code 78 for a 78, else 1
 *     starting   listening  ended    the same
 *     serving    starting   listens  listening
 *     serving    starting   ended    waiting, one failure more than before
 *     serving    listening  ended    waiting, one failure more than before, or the first if it had listened for a while
 *     serving    waiting    due      starting; started again, on the same port
 *     starting   any        stop     unstarted: gone; the others are terminated; stopping, with exit code 0
 *     serving    any        stop     waiting: gone; the others are terminated; stopping, with exit code 0
 *     stopping   starting   ended    gone; exit code 1 if it neither exited 0 nor fell to our SIGTERM
 *     stopping   listening  ended    gone; exit code 1 if it did not exit 0
 *     stopping   any        stop     what still runs is killed; exit 1
 *
 * A worker is `ended` however it came to that: by itself, or killed by us because it did not come to listen, or gave no
 * sign of life while it listened.
 *
 * When the last worker is gone in phase stopping, the supervisor exits. Every other event changes nothing: it was
 * under way when its reason was gone.
 */
import { EXIT_FAILED, EXIT_UNUSABLE } from "../process/exit_codes.ts";
import { restartDelayMs } from "./restart_delay.ts";

/** A worker that listened for so long had started well: its next death is the first of a new row. */
export const LIVED_MS_MIN = 30_000;

/** One worker. `failures` are its deaths in a row. */
export type WorkerState =
  | { readonly is: "unstarted" }
  | { readonly is: "starting"; readonly failures: number }
  | { readonly is: "listening"; readonly failures: number; readonly sinceMs: number }
  | { readonly is: "waiting"; readonly failures: number }
  | { readonly is: "gone" };

/** All workers. Worker 1 is the first of `workers`. */
export interface Plan {
  readonly phase: "starting" | "serving" | "stopping";
  readonly workers: readonly WorkerState[];
  /** Where the first worker listens, once it does. */
  readonly url: string | undefined;
  /** What the supervisor will exit with, as far as that is known. */
  readonly exitCode: number;
}

/** What happened. Times in ms of one clock; `random` is in [0, 1). */
export type PlanEvent =
  | { readonly is: "listens"; readonly worker: number; readonly url: string; readonly atMs: number }
  | {
    readonly is: "ended";
    readonly worker: number;
    readonly code: number;
    readonly signal: string | null;
    readonly atMs: number;
    readonly random: number;
  }
  | { readonly is: "due"; readonly worker: number }
  | { readonly is: "stop" };

/** What is to be done. */
export type PlanAction =
  /** Without `url` it is the first of all, which claims the port; else it joins the others there. */
  | { readonly do: "start"; readonly worker: number; readonly url: string | undefined }
  | { readonly do: "announce"; readonly url: string }
  /** `due` is to come after `delayMs`. */
  | { readonly do: "wait"; readonly worker: number; readonly delayMs: number; readonly failures: number }
  | { readonly do: "terminate"; readonly worker: number }
  | { readonly do: "kill"; readonly worker: number }
  | { readonly do: "exit"; readonly code: number };

/** The plan after an event, and what follows from it, in this sequence. */
export interface Step {
  readonly plan: Plan;
  readonly actions: readonly PlanAction[];
}

/** The beginning, for `count` workers: the first is started alone. */
export function begin(count: number): Step {
  const unstarted: WorkerState[] = Array.from({ length: count }, () => ({ is: "unstarted" }));
  return {
    plan: {
      phase: "starting",
      workers: replaced(unstarted, 1, { is: "starting", failures: 0 }),
      url: undefined,
      exitCode: 0,
    },
    actions: [{ do: "start", worker: 1, url: undefined }],
  };
}

/** What an event leads to; the table is above. */
export function next(plan: Plan, event: PlanEvent): Step {
  switch (event.is) {
    case "listens":
      return listens(plan, event);
    case "ended":
      return ended(plan, event);
    case "due":
      return due(plan, event.worker);
    case "stop":
      return plan.phase === "stopping" ? cut(plan) : stopping(plan, 0);
  }
}

function listens(plan: Plan, { worker, url, atMs }: PlanEvent & { is: "listens" }): Step {
  const state = plan.workers[worker - 1];
  if (plan.phase === "stopping" || state?.is !== "starting") return { plan, actions: [] };
  const listening: WorkerState = { is: "listening", failures: state.failures, sinceMs: atMs };
  const known = { ...plan, url: plan.url ?? url, workers: replaced(plan.workers, worker, listening) };
  if (known.phase === "serving") return { plan: known, actions: [] };
  const unstarted = numbers(known, (other) => other.is === "unstarted");
  if (unstarted.length > 0) {
    return {
      plan: {
        ...known,
        workers: known.workers.map((other) => other.is === "unstarted" ? { is: "starting", failures: 0 } : other),
      },
      actions: unstarted.map((other) => ({ do: "start", worker: other, url: known.url })),
    };
  }
  if (!known.workers.every((other) => other.is === "listening")) return { plan: known, actions: [] };
  return { plan: { ...known, phase: "serving" }, actions: [{ do: "announce", url: known.url }] };
}

function ended(plan: Plan, event: PlanEvent & { is: "ended" }): Step {
  const { worker, code, signal, atMs, random } = event;
  const state = plan.workers[worker - 1];
  if (state?.is !== "starting" && state?.is !== "listening") return { plan, actions: [] };
  const without = { ...plan, workers: replaced(plan.workers, worker, { is: "gone" }) };
  if (plan.phase === "starting") return stopping(without, code === EXIT_UNUSABLE ? EXIT_UNUSABLE : EXIT_FAILED);
  if (plan.phase === "stopping") {
    // Before it has taken the signal over, a program simply ends by it.
    const clean = code === 0 || (state.is === "starting" && signal === "SIGTERM");
    return orExit({ ...without, exitCode: plan.exitCode || (clean ? 0 : EXIT_FAILED) }, []);
  }
  const livedWell = state.is === "listening" && atMs - state.sinceMs >= LIVED_MS_MIN;
  const failures = livedWell ? 1 : state.failures + 1;
  return {
    plan: { ...plan, workers: replaced(plan.workers, worker, { is: "waiting", failures }) },
    actions: [{ do: "wait", worker, delayMs: restartDelayMs(failures, random), failures }],
  };
}

function due(plan: Plan, worker: number): Step {
  const state = plan.workers[worker - 1];
  if (state?.is !== "waiting") return { plan, actions: [] };
  return {
    plan: { ...plan, workers: replaced(plan.workers, worker, { is: "starting", failures: state.failures }) },
    actions: [{ do: "start", worker, url: plan.url }],
  };
}

function stopping(plan: Plan, exitCode: number): Step {
  const running = numbers(plan, isRunning);
  const workers = plan.workers.map((state): WorkerState => isRunning(state) ? state : { is: "gone" });
  return orExit(
    { ...plan, phase: "stopping", workers, exitCode },
    running.map((worker) => ({ do: "terminate", worker })),
  );
}

function cut(plan: Plan): Step {
  const kills = numbers(plan, isRunning).map((worker): PlanAction => ({ do: "kill", worker }));
  return { plan: { ...plan, exitCode: EXIT_FAILED }, actions: [...kills, { do: "exit", code: EXIT_FAILED }] };
}

function orExit(plan: Plan, actions: readonly PlanAction[]): Step {
  if (plan.workers.some(isRunning)) return { plan, actions };
  return { plan, actions: [...actions, { do: "exit", code: plan.exitCode }] };
}

function isRunning(state: WorkerState): boolean {
  return state.is === "starting" || state.is === "listening";
}

function numbers(plan: Plan, which: (state: WorkerState) => boolean): number[] {
  return plan.workers.flatMap((state, index) => which(state) ? [index + 1] : []);
}

function replaced(workers: readonly WorkerState[], worker: number, state: WorkerState): WorkerState[] {
  return workers.map((other, index) => index === worker - 1 ? state : other);
}
