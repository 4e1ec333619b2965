/**
 * Entry of one worker, for `supervisor.ts` and nobody else: `worker.ts <number> claimed|joined`. It serves as `main.ts`
 * does, on a port that it shares and with its share of the connections to PostgreSQL, and gives signs of life on its
 * standard output. It drains when it is asked to or when its standard input ends, which is when the supervisor has
 * ended.
 */
import { refuse } from "./process/exit_codes.ts";
import { onHangUp } from "./process/hang_up.ts";
import { serve } from "./process/serve.ts";
import { startSettings } from "./process/start_settings.ts";
import { onStopSignal } from "./process/stop_signals.ts";
import { buildInfo } from "./process/version.ts";
import { errorFields } from "./telemetry/log.ts";
import { createProcessLog } from "./telemetry/process_log.ts";
import { openTracing } from "./telemetry/tracing.ts";
import { giveSignsOfLife } from "./workers/heartbeat.ts";
import { workerAdmin } from "./config/admin_address.ts";
import { poolShare } from "./config/pool_share.ts";

const [worker = "", port = ""] = Deno.args;
if (!/^\d+$/.test(worker) || (port !== "claimed" && port !== "joined")) {
  refuse("This program is started by `deno task start:workers`");
}
const config = startSettings();
const tracing = openTracing();
const log = await createProcessLog(config.logLevel, config.logFormat, { worker: Number(worker) }, tracing?.fields);
log.info(buildInfo(), "a worker of Holdfast starts");
const shutdown = Promise.withResolvers<void>();
let asked = false;
const drain = (why: string) => {
  // Further requests are the supervisor's matter: it kills what does not drain in time.
  if (asked) return;
  asked = true;
  log.info({ why }, "shutting down");
  shutdown.resolve();
};
onStopSignal(drain);
const reloads = new EventTarget();
onHangUp({ reload: () => reloads.dispatchEvent(new Event("reload")), stop: drain });
inputEnd().then(
  () => drain("the supervisor has ended"),
  (error) => {
    log.error({ error: errorFields(error) }, "the supervisor can't be watched");
    drain("the supervisor can't be watched");
  },
);
giveSignsOfLife(log);
const own = {
  ...config,
  databasePoolMax: poolShare(config.databasePoolMax, config.workers),
  admin: workerAdmin(config.admin, Number(worker)),
};
await serve(own, {
  log,
  tracing,
  shutdown: shutdown.promise,
  reloads,
  port,
});

/** Resolves when there is nothing more to read. */
async function inputEnd(): Promise<void> {
  const buffer = new Uint8Array(64);
  while (await Deno.stdin.read(buffer) !== null);
}
