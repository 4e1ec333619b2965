/** Carries the plan out: starts workers, hears of them, waits, signals. What follows from what is in `plan.ts`. */
import { EXIT_FAILED } from "../process/exit_codes.ts";
import { adminUrl, listenUrl } from "../process/listen_line.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { HEARTBEAT_EVERY_MS, HEARTBEAT_LINE, Silence } from "./heartbeat.ts";
import { begin, next, type PlanAction, type PlanEvent, type Step } from "./plan.ts";
import type { WorkerProcess } from "./worker_process.ts";

/** What the supervision is given. */
export interface SuperviseOptions {
  /** How many workers; 1 or more. */
  readonly count: number;
  /** A worker that does not listen so many ms after its start is killed. */
  readonly startMsMax: number;
  /** A worker still running so many ms after it was asked to drain is killed. */
  readonly stopMsMax: number;
  /**
   * A listening worker of which nothing was heard for so many ms is killed, counted in whole
   * {@link HEARTBEAT_EVERY_MS}.
   */
  readonly heartbeatMsMax: number;
  /** Starts a worker (1 to `count`) where the others listen, or as the first of all without `url`. */
  start(worker: number, url: string | undefined, onLine: (line: string) => void): WorkerProcess;
  /** Called with where a worker shows its metrics, each time that one says so. */
  showsAt?(worker: number, url: string): void;
  /** Called once, when all workers listen for the first time. */
  announce(url: string): void;
  readonly log: Log;
}

/** Workers under supervision. */
export interface Supervision {
  /** Asks all workers to drain; the second time what still runs is killed. */
  stop(): void;
  /** Has all workers that listen take up renewed files; the others will read them. */
  reload(): void;
  /** Resolves with the exit code, when no worker runs any more or the rest was killed. */
  readonly exitCode: Promise<number>;
}

/** Starts the workers and keeps them running until `stop` is called. */
export function supervise(
  { count, startMsMax, stopMsMax, heartbeatMsMax, start, showsAt, announce, log }: SuperviseOptions,
): Supervision {
  const running = new Map<number, WorkerProcess>();
  /** For each worker, what ends it if it does not listen in time. */
  const starting = new Map<number, ReturnType<typeof setTimeout>>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const silence = new Silence(Math.ceil(heartbeatMsMax / HEARTBEAT_EVERY_MS));
  const looks = setInterval(look, HEARTBEAT_EVERY_MS);
  const { promise: exitCode, resolve: exit } = Promise.withResolvers<number>();
  let plan = take(begin(count));

  function take(step: Step) {
    // Queued: an action may bring the next event at once, and what follows from that comes after the whole step.
    queueMicrotask(() => step.actions.forEach(act));
    return step.plan;
  }

  function happen(event: PlanEvent): void {
    plan = take(next(plan, event));
  }

  function act(action: PlanAction): void {
    switch (action.do) {
      case "start":
        return run(action.worker, action.url);
      case "announce":
        return announce(action.url);
      case "wait":
        return wait(action.worker, action.delayMs);
      case "terminate":
        // From now on its time to drain is its limit.
        silence.forget(action.worker);
        return running.get(action.worker)?.terminate(stopMsMax);
      case "kill":
        return running.get(action.worker)?.kill();
      case "exit":
        for (const timer of timers) clearTimeout(timer);
        clearInterval(looks);
        return exit(action.code);
    }
  }

  function run(worker: number, url: string | undefined): void {
    let process: WorkerProcess;
    try {
      process = start(worker, url, (line) => hear(worker, line));
    } catch (error) {
      log.error({ worker, error: errorFields(error) }, "a worker could not be started");
      return happen(endOf(worker, EXIT_FAILED, null));
    }
    running.set(worker, process);
    const late = setTimeout(() => {
      log.warn({ worker, pid: process.pid, startMsMax }, "the worker does not come to listen and is killed");
      process.kill();
    }, startMsMax);
    starting.set(worker, late);
    log.info({ worker, pid: process.pid }, "worker started");
    process.ended.then(({ code, signal }) => {
      running.delete(worker);
      silence.forget(worker);
      clearTimeout(late);
      const level = code === 0 ? "info" : "warn";
      log[level]({ worker, pid: process.pid, code, signal }, "worker ended");
      happen(endOf(worker, code, signal));
    });
  }

  function hear(worker: number, line: string): void {
    silence.heard(worker);
    if (line === HEARTBEAT_LINE) return;
    const admin = adminUrl(line);
    if (admin !== undefined) return admin === null ? undefined : showsAt?.(worker, admin);
    const url = listenUrl(line);
    if (url === undefined) return log.warn({ worker, line }, "a worker wrote to standard output");
    clearTimeout(starting.get(worker));
    starting.delete(worker);
    silence.watch(worker);
    log.info({ worker }, "worker listens");
    happen({ is: "listens", worker, url, atMs: performance.now() });
  }

  /** What falls silent ends, and what follows from that is the plan's. */
  function look(): void {
    for (const worker of silence.look()) {
      const process = running.get(worker);
      log.warn({ worker, pid: process?.pid, heartbeatMsMax }, "the worker gives no sign of life and is killed");
      process?.kill();
    }
  }

  function wait(worker: number, delayMs: number): void {
    log.info({ worker, delayMs }, "the worker is started again after the delay");
    const timer = setTimeout(() => {
      timers.delete(timer);
      happen({ is: "due", worker });
    }, delayMs);
    timers.add(timer);
  }

  /** Not to one that starts, which may not have taken the signal over yet and would end by it. */
  function reload(): void {
    for (const [worker, process] of running) if (!starting.has(worker)) process.reload();
  }

  return { stop: () => happen({ is: "stop" }), reload, exitCode };
}

function endOf(worker: number, code: number, signal: string | null): PlanEvent {
  return { is: "ended", worker, code, signal, atMs: performance.now(), random: Math.random() };
}
