/**
 * Requests to stop a launcher: SIGINT, SIGTERM, SIGQUIT, SIGHUP of a terminal that closes, or the end of what started it. The
 * first is kind, the second is not.
 */
import { watchCallers } from "../src/process/callers.ts";
import { callers, exists } from "../src/process/find_callers.ts";

/** Ctrl-C goes to the whole group, and `deno task` hands it on once more: within this time it is the same request. */
const SAME_REQUEST_MS = 500;

export interface StopRequests {
  /** Resolves with the reason of the first request. */
  readonly first: Promise<string>;
  /** Resolves at the second request. */
  readonly second: Promise<void>;
  /** True from the first request on. */
  isAsked(): boolean;
}

/** Starts listening; from now on these signals end this process only as the caller decides. */
export function listenForStop(): StopRequests {
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  const request = (reason: string) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      first.resolve(reason);
    } else if (performance.now() - firstAt > SAME_REQUEST_MS) {
      second.resolve();
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => request(signal));
  }
  // What one signal has ended may be seen late: no second request.
  watchCallers(callers(), exists, () => {
    if (firstAt === undefined) request("the program that started this one has ended");
  });
  return { first: first.promise, second: second.promise, isAsked: () => firstAt !== undefined };
}
