/**
 * Errors that nobody catches. Drivers throw some in events, ticks and timers of their own, as when a server sends what
 * it was not asked for. Such an error is a neighbour's doing and takes no process down: what it belonged to ends by its
 * own limits. An error that our own code throws there is a fault of this program, and ends it: nobody knows what is
 * half done.
 */
import { EXIT_FAILED } from "./exit_codes.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { endProcess } from "../telemetry/process_log.ts";
import { isOwnFault, LineBudget, LINES_PERIOD_MS } from "./uncaught_errors.ts";

/**
 * From now on errors that nobody catches are logged, and only those that our own code throws end the process. A promise
 * that is rejected and that nobody waits for ends nothing, whosever it is: drivers drop many, and some carry errors of
 * ours.
 */
export function guardProcess(log: Log): void {
  const budget = new LineBudget();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const note = (error: unknown, message: string) => {
    const { isWritten, leftOut } = budget.take(performance.now());
    if (isWritten) log.error({ error: errorFields(error), ...(leftOut > 0 ? { leftOut } : {}) }, message);
    else timer ??= setTimeout(reportLeftOut, LINES_PERIOD_MS);
  };
  const reportLeftOut = () => {
    timer = undefined;
    const leftOut = budget.takeLeftOut();
    if (leftOut > 0) log.error({ leftOut }, "more errors that nobody caught");
  };
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    note(event.reason, "unhandled rejection");
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    const error: unknown = event.error;
    if (!isOwnFault(error)) return note(error, "uncaught error of a driver");
    log.error({ error: errorFields(error) }, "uncaught error: this is a fault of the program, which ends");
    void endProcess(EXIT_FAILED);
  });
}
