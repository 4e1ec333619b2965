/**
 * Whether the program can do its work: PostgreSQL answers, a lease could be had, and, where callers have keys, it is
 * known who has one. Looked at on a clock of its own, so that a health check costs nothing and an outage is seen
 * without traffic.
 */
import { pause } from "../base/bounded_wait.ts";
import { errorSummary, type Log } from "../telemetry/log.ts";
import type { DependencyState } from "./board.ts";

/** Pause between two looks. */
const READINESS_PAUSE_MS = 500;
/**
 * Pauses between the first looks of a start, as long as none was good: what is needed is being connected then, which
 * takes some milliseconds, and whoever waits for this process need not wait for a whole pause.
 */
const FIRST_PAUSES_MS = [25, 50, 100, 200] as const;
/** Longest that one look may take; no answer by then is a no. */
const LOOK_MS_MAX = 2000;

/** A look that failed may be a connection that was just being made; so many in a row are worth a line in the log. */
const FAILURES_TO_REPORT = 2;

/** Of a reason, for people. */
const REASON_CHARACTERS_MAX = 300;

/** Something that must answer; rejects if it does not. */
export interface Dependency {
  readonly name: string;
  ping(signal: AbortSignal): Promise<void>;
}

/**
 * Looks until `signal` aborts and reports each look, and what came of each dependency; never throws. Changes are
 * logged, a lasting state is not.
 */
export async function watchReadiness(
  dependencies: readonly Dependency[],
  report: (ready: boolean, dependencies: readonly DependencyState[]) => void,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const failures = new Map<string, number>();
  let isStarting = true;
  for (let number = 0; !signal.aborted; number++) {
    const firstPauseMs: number | undefined = isStarting ? FIRST_PAUSES_MS[number] : undefined;
    const looks: readonly DependencyState[] = await Promise.all(dependencies.map(async (dependency) => {
      const failure = await look(dependency, signal);
      const { name } = dependency;
      if (signal.aborted) return { name, ready: false, reason: undefined };
      const before = failures.get(name);
      // Failures of a start are as many as its pauses are long.
      const count = failure === undefined ? 0 : firstPauseMs === undefined ? (before ?? 0) + 1 : 1;
      failures.set(name, count);
      if (count === FAILURES_TO_REPORT) log.warn({ dependency: name, error: errorSummary(failure) }, "not ready");
      if (count === 0 && before !== 0) log.info({ dependency: name }, "ready");
      // One look that failed does not turn a service away that was ready a moment ago.
      const ready = count === 0 || (before === 0 && count < FAILURES_TO_REPORT);
      return { name, ready, reason: ready ? undefined : reasonOf(failure) };
    }));
    if (signal.aborted) return;
    const ready = looks.every(({ ready }) => ready);
    isStarting &&= !ready;
    report(ready, looks);
    await pause(isStarting && firstPauseMs !== undefined ? firstPauseMs : READINESS_PAUSE_MS, signal);
  }
}

/** One line, down to the word of whoever caused it: a server or the system, at the bottom of what was made of it. */
function reasonOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure).slice(0, REASON_CHARACTERS_MAX);
  const words = [failure.message];
  let cause = failure.cause;
  while (cause instanceof Error) {
    if (cause.message !== "") words.push(cause.message);
    cause = cause.cause;
  }
  return words.join(": ").replace(/\s+/g, " ").slice(0, REASON_CHARACTERS_MAX);
}

/** Undefined if the dependency answered, else why not. */
async function look(dependency: Dependency, signal: AbortSignal): Promise<unknown> {
  const limit = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    limit.abort(reason);
    reject(reason);
  };
  const timer = setTimeout(() => end(new Error(`no answer within ${LOOK_MS_MAX} ms`)), LOOK_MS_MAX);
  const stop = () => end(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.race([dependency.ping(limit.signal), over]);
    return undefined;
  } catch (error) {
    return error ?? new Error("failed without a reason");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
