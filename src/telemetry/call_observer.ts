/** Who sees the calls: the access log, and tracing and what measures them where there is some. */
import { AccessLog } from "./access_log.ts";
import type { Log } from "./log.ts";
import { type CallObserver, joinCallObservers } from "./observer.ts";
import type { Tracing } from "./tracing.ts";

/** All as one. @param sample of the calls, what part has a line in the log */
export function callObserver(
  sample: number,
  { log, tracing, measures }: {
    readonly log: Log;
    readonly tracing?: Tracing | undefined;
    readonly measures?: { readonly calls: CallObserver } | undefined;
  },
): CallObserver | undefined {
  const lines = { log, sample, random: Math.random, nowMs: () => performance.now(), traceOf: tracing?.fieldsOf };
  const observers = [tracing?.calls, measures?.calls, new AccessLog(lines)];
  return joinCallObservers(observers.filter((observer) => observer !== undefined));
}
