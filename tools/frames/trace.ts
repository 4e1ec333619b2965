/** What a trace of Chromium says of the page's main thread. Pure. */

/** The categories that are traced. */
export const CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "__metadata"];

/** Tasks of the thread that runs the page, in ms. */
export interface MainThread {
  readonly tasks: number;
  readonly longestMs: number;
  /** CPU time of the task that took the most of it, which does not grow with what else the machine does. */
  readonly longestCpuMs: number;
  /** The share of the time for which it worked. */
  readonly busy: number;
  /** Of that time, in ms: scripts, styles and layout, painting. */
  readonly scriptMs: number;
  readonly layoutMs: number;
  readonly paintMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  /** In microseconds. */
  readonly dur?: number;
  /** The same of CPU time. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string; readonly data?: { readonly url?: string } };
}

const SCRIPT = new Set(["FunctionCall", "EvaluateScript", "FireAnimationFrame", "EventDispatch", "RunMicrotasks"]);
const LAYOUT = new Set(["Layout", "UpdateLayoutTree", "RecalculateStyles", "PrePaint"]);
const PAINT = new Set(["Paint", "Layerize", "Commit"]);

/**
 * The main thread that did the most, which is the page's.
 *
 * @throws Error where the trace has none
 */
export function readTrace(text: string): MainThread {
  const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] };
  const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
  const threads = mains.map(({ pid, tid }) =>
    traceEvents.filter((event) => event.pid === pid && event.tid === tid && event.ph === "X")
  );
  const [events] = threads.sort((a, b) => b.length - a.length);
  if (events === undefined || events.length === 0) throw new Error("the trace has no thread of a page");
  const tasks = events.filter(({ name }) => /RunTask$/.test(name));
  const from = Math.min(...events.slice(0, 1).map(({ ts }) => ts), tasks[0]?.ts ?? Infinity);
  const until = events.reduce((latest, { ts, dur = 0 }) => Math.max(latest, ts + dur), from);
  const sum = (some: readonly TraceEvent[]) => some.reduce((ms, { dur = 0 }) => ms + dur / 1000, 0);
  const of = (names: ReadonlySet<string>) => Math.round(sum(outermost(events.filter(({ name }) => names.has(name)))));
  return {
    tasks: tasks.length,
    longestMs: Math.round(tasks.reduce((longest, { dur = 0 }) => Math.max(longest, dur), 0) / 100) / 10,
    longestCpuMs: Math.round(tasks.reduce((longest, { tdur = 0 }) => Math.max(longest, tdur), 0) / 100) / 10,
    busy: Math.round(100 * sum(outermost(tasks)) / ((until - from) / 1000)) / 100,
    scriptMs: of(SCRIPT),
    layoutMs: of(LAYOUT),
    paintMs: of(PAINT),
  };
}

/** Events that are in no other of them, so that no time is counted twice. */
function outermost(events: readonly TraceEvent[]): TraceEvent[] {
  let until = -Infinity;
  return events.toSorted((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0)).filter(({ ts, dur = 0 }) => {
    if (ts < until) return false;
    until = ts + dur;
    return true;
  });
}
