/**
 * Entry of the process that sums up the workers, for `supervisor.ts` and nobody else: `gatherer.ts <settings as JSON>`.
 * It may listen at its own port and ask those of the workers, and has no other permission: it reads no setting from the
 * environment, and knows no address of a store. Where workers answer it reads from its standard input, line by line;
 * when that ends, the supervisor has ended, and so does this.
 */
import { Gathering } from "./admin/gather.ts";
import { readLines } from "./base/lines.ts";
import { openAdmin } from "./process/admin.ts";
import type { Config } from "./config/config.ts";
import { refuse } from "./process/exit_codes.ts";
import { guardProcess } from "./process/guard.ts";
import { adminLine } from "./process/listen_line.ts";
import { onStopSignal } from "./process/stop_signals.ts";
import { createProcessLog, endProcess } from "./telemetry/process_log.ts";
import { workerOf } from "./workers/gatherer.ts";

const settings = readSettings(Deno.args[0]);
const log = await createProcessLog(settings.logLevel, settings.logFormat, { gatherer: true });
guardProcess(log);
const gathering = new Gathering(log);
const port = await openAdmin(settings, log);
port?.show(gathering.pages);
const end = async () => {
  await port?.close();
  return await endProcess(0);
};
onStopSignal(() => void end());
console.log(adminLine(port?.url));
await readLines(Deno.stdin.readable, (line) => {
  const said = workerOf(line);
  if (said !== undefined) gathering.setWorker(said.worker, said.url);
});
await end();

function readSettings(text: string | undefined): Pick<Config, "admin" | "allowedHosts" | "logLevel" | "logFormat"> {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return refuse("This program is started by `deno task start:workers`");
  }
}
