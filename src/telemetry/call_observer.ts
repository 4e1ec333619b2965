/** Who sees the calls: the access log, and tracing where there is some. */
import { AccessLog } from "./access_log.ts";
import type { Log } from "./log.ts";
import { type CallObserver, joinCallObservers } from "./observer.ts";
import type { Tracing } from "./tracing.ts";

/** Both as one. @param sample of the calls, what part has a line in the log */
export function callObserver(
  sample: number,
  { log, tracing }: { readonly log: Log; readonly tracing?: Tracing | undefined },
): CallObserver | undefined {
  const lines = { log, sample, random: Math.random, nowMs: () => performance.now(), traceOf: tracing?.fieldsOf };
  return joinCallObservers([...(tracing === undefined ? [] : [tracing.calls]), new AccessLog(lines)]);
}
