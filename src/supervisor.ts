/**
 * Entry of `deno task start:workers`: starts WORKERS processes of the service behind one port and keeps them running.
 *
 * It may run `deno` (any program, where a library is in front of it: `supervisorFlags`) and read the settings, and
 * nothing else: it opens no socket. The workers, which talk to the network, get the permissions that the settings need
 * and may run nothing. What they count is summed up by a process of its own, which may ask them at their admin ports
 * and nobody else.
 */
import { fileURLToPath } from "node:url";
import { callersOf, isAlive, watchCallers } from "./process/callers.ts";
import { EXIT_FAILED, refuse } from "./process/exit_codes.ts";
import { onHangUp } from "./process/hang_up.ts";
import { listenLine } from "./process/listen_line.ts";
import { workerAdmin } from "./config/admin_address.ts";
import { gathererFlags, serverFlags } from "./config/flags.ts";
import { SETTING_NAMES } from "./config/settings.ts";
import { START_MS_MAX, stopMsMax } from "./config/stop_times.ts";
import { startSettings } from "./process/start_settings.ts";
import { onStopSignal } from "./process/stop_signals.ts";
import { buildInfo, endIfVersionIsAsked } from "./process/version.ts";
import { createProcessLog, endProcess } from "./telemetry/process_log.ts";
import { HEARTBEAT_MS_MAX } from "./workers/heartbeat.ts";
import { Gatherer } from "./workers/gatherer.ts";
import { supervise, type Supervision } from "./workers/supervise.ts";
import { startWorker } from "./workers/worker_process.ts";

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));
const GATHERER = fileURLToPath(new URL("./gatherer.ts", import.meta.url));

endIfVersionIsAsked(Deno.args);
const config = startSettings();
const deno = Deno.execPath();
if ((await Deno.permissions.query({ name: "run", command: deno })).state !== "granted") {
  refuse(`Cannot start without these permissions: --allow-run=${deno}`);
}
const log = await createProcessLog(config.logLevel, config.logFormat);
log.info(buildInfo(), "Holdfast starts");
for (const note of config.notes) log.warn({}, note);
let supervision: Supervision | undefined = undefined;
let asked = false;
const stop = (signal: string) => {
  log.info({ signal }, asked ? "ending at once" : "shutting down; a second signal exits at once");
  if (supervision !== undefined) supervision.stop();
  else if (asked) void endProcess(EXIT_FAILED);
  else void endBefore();
  asked = true;
};
const gatherer = config.admin && new Gatherer({
  start: (onLine) =>
    startWorker({
      args: ["run", ...gathererFlags(config.admin!, config.workers), GATHERER, gathererSettings()],
      // It needs no setting, and some are secrets. What it asks of the workers is nobody's call, and has no trace.
      env: { ...Object.fromEntries(SETTING_NAMES.map((name) => [name, ""])), OTEL_DENO: "false" },
      onLine,
    }),
  startMsMax: START_MS_MAX,
  log,
  random: Math.random,
});
// Before anything is waited for: as process 1 it would be sent signals in vain.
onStopSignal(stop);
onHangUp({ reload: () => supervision?.reload(), stop: (why) => asked || stop(why) });
watchCallers(callersOf(Deno.args), isAlive, () => asked || stop("none: what started this process has ended"));
const refused = await gatherer?.started;
// It has said why.
if (refused !== undefined) await endProcess(refused);
if (asked) await endBefore();
supervision = supervise({
  count: config.workers,
  startMsMax: START_MS_MAX,
  stopMsMax: stopMsMax(config.drainDelayMs),
  heartbeatMsMax: HEARTBEAT_MS_MAX,
  start(worker, url, onLine) {
    // PORT 0 is settled by the first worker. Never read from an address for a port of choice: 80 is not written there.
    const port = config.port === 0 && url !== undefined ? Number(new URL(url).port) : config.port;
    const role = url === undefined ? "claimed" : "joined";
    return startWorker({
      args: [
        "run",
        ...serverFlags({ ...config, port, admin: workerAdmin(config.admin, worker) }),
        WORKER,
        String(worker),
        role,
      ],
      env: { PORT: String(port) },
      onLine,
    });
  },
  showsAt: (worker, url) => gatherer?.setWorker(worker, url),
  announce: (url) => console.log(listenLine(url)),
  log,
});
const exitCode = await supervision.exitCode;
await gatherer?.stop();
log.info({ exitCode }, "stopped");
await endProcess(exitCode);

/** Before there are workers. */
async function endBefore(): Promise<never> {
  await gatherer?.stop();
  return await endProcess(0);
}

function gathererSettings(): string {
  const { admin, allowedHosts, logLevel, logFormat } = config;
  return JSON.stringify({ admin, allowedHosts, logLevel, logFormat });
}
