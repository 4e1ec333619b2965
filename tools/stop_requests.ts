/**
 * Requests to stop a launcher: SIGINT, SIGTERM, SIGQUIT, SIGHUP of a terminal that closes, or the end of what started
 * it. The first is kind, the second is not.
 */
import { watchCallers } from "../src/process/callers.ts";
import { requestFilter } from "../src/process/stop_signals.ts";
import { callers, exists } from "../src/process/find_callers.ts";

/** What a program exits with that was asked to stop before it was done, as a shell says it of SIGINT. */
export const EXIT_INTERRUPTED = 130;

/** The requests that come. */
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
  let asked = false;
  const isRequest = requestFilter();
  const request = (reason: string) => {
    // Whatever the reason: SIGHUP and SIGINT of one terminal are one request.
    if (!isRequest("stop", performance.now())) return;
    if (asked) second.resolve();
    asked = true;
    first.resolve(reason);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => request(signal));
  }
  // What one signal has ended may be seen late: no second request.
  watchCallers(callers(), exists, () => {
    if (!asked) request("the program that started this one has ended");
  });
  return { first: first.promise, second: second.promise, isAsked: () => asked };
}
