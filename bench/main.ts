/**
 * `deno task bench`: measures Holdfast beside what it is compared with, on servers of its own, and checks the stock
 * meanwhile. Progress is on standard error; standard output gets a table at the end. What kinds of run there are is in
 * docs/benchmarks.md.
 *
 * A run fails when the stock does not add up; a ratio that misses its target is shown and fails nothing.
 */
import { isForReader, message } from "../tools/reader_errors.ts";
import { EXIT_INTERRUPTED, listenForStop } from "../tools/stop_requests.ts";
import { EXIT_FAILED, EXIT_USAGE } from "../src/process/exit_codes.ts";
import { createLog } from "../src/telemetry/create_log.ts";
import { memoryRunMs, runMemory } from "./memory/memory_run.ts";
import { type Asked, askedOf, USAGE } from "./options.ts";
import { RUN_MS_MAX } from "./plan.ts";
import type { RunContext } from "./run_context.ts";
import { VERSUS_MS_MAX } from "./versus/plan.ts";
import { runVersus } from "./versus/versus_run.ts";
import { runWhole } from "./whole_run.ts";

async function main(): Promise<number> {
  const asked = askedOf(Deno.args);
  if (asked === undefined) {
    console.error(USAGE);
    return EXIT_USAGE;
  }
  const log = createLog("warn", "pretty");
  const stop = new AbortController();
  const requests = listenForStop();
  requests.first.then((why) => stop.abort(new Error(`stopped: ${why}`)));
  requests.second.then(() => Deno.exit(EXIT_INTERRUPTED));
  const { msMax, run } = runOf(asked);
  const timer = setTimeout(
    () => stop.abort(new Error(`The run was not over after ${msMax / 1000} s, and was stopped`)),
    msMax,
  );
  try {
    const isClean = await run({ log, stop: stop.signal, report });
    report(isClean ? "done, and the stock adds up" : "FAILED: the stock does not add up, see above");
    return isClean ? 0 : EXIT_FAILED;
  } catch (error) {
    const cause = stop.signal.aborted ? stop.signal.reason : error;
    log.error(isForReader(cause) ? {} : { error: cause }, `the bench could not finish: ${message(cause)}`);
    return requests.isAsked() ? EXIT_INTERRUPTED : EXIT_FAILED;
  } finally {
    clearTimeout(timer);
  }
}

/** The run that is asked for, which answers whether the stock adds up, and how long it may take. */
function runOf(
  { kind, smoke, minutes }: Asked,
): { readonly msMax: number; run(context: RunContext): Promise<boolean> } {
  switch (kind) {
    case "versus":
      return { msMax: VERSUS_MS_MAX, run: (context) => runVersus(smoke, context) };
    case "memory":
      return { msMax: memoryRunMs(minutes), run: (context) => runMemory(minutes, context) };
    case "whole":
      return { msMax: RUN_MS_MAX, run: (context) => runWhole({ smoke }, context) };
    default:
      return { msMax: RUN_MS_MAX, run: (context) => runWhole({ smoke, only: kind }, context) };
  }
}

function report(progress: string): void {
  const seconds = Math.round(performance.now() / 1000).toString().padStart(3);
  console.error(`[${seconds} s] ${progress}`);
}

if (import.meta.main) Deno.exit(await main());
