/** Entry of `deno task start`: the whole service as one process, which SIGTERM, SIGINT or SIGQUIT drains. */
import { callersOf, isAlive, watchCallers } from "./process/callers.ts";
import { EXIT_FAILED, refuse } from "./process/exit_codes.ts";
import { onHangUp } from "./process/hang_up.ts";
import { serve } from "./process/serve.ts";
import { startSettings } from "./process/start_settings.ts";
import { onStopSignal } from "./process/stop_signals.ts";
import { buildInfo, endIfVersionIsAsked } from "./process/version.ts";
import { createProcessLog, endProcess } from "./telemetry/process_log.ts";
import { openTracing } from "./telemetry/tracing.ts";

endIfVersionIsAsked(Deno.args);
const config = startSettings();
if (config.workers > 1) {
  refuse(
    `Cannot start: WORKERS is ${config.workers}, and this is the program for one process, which may start no other. ` +
      `Run \`deno task start:workers\``,
  );
}
const tracing = openTracing();
const log = await createProcessLog(config.logLevel, config.logFormat, undefined, tracing?.fields);
log.info(buildInfo(), "Holdfast starts");
for (const note of config.notes) log.warn({}, note);
const shutdown = Promise.withResolvers<void>();
const reloads = new EventTarget();
let asked = false;
const drain = (signal: string) => {
  if (asked) return;
  asked = true;
  log.info({ signal }, "shutting down; a second signal exits at once");
  shutdown.resolve();
};
onStopSignal((signal) => asked ? void endProcess(EXIT_FAILED) : drain(signal));
onHangUp({ reload: () => reloads.dispatchEvent(new Event("reload")), stop: drain });
watchCallers(callersOf(Deno.args), isAlive, () => drain("none: what started this process has ended"));
await serve(config, { log, tracing, shutdown: shutdown.promise, reloads });
