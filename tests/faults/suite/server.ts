/**
 * The program for the fault suite: the suite's service as a process, with the settings and permissions of
 * `src/main.ts`. It takes what its points are to do from standard input, and SUITE_WITHOUT names the protections that
 * it does without.
 */
import { loadConfig } from "../../../src/config/config.ts";
import { listenLine } from "../../../src/process/listen_line.ts";
import { guardProcess } from "../../../src/process/guard.ts";
import { createLog } from "../../../src/telemetry/create_log.ts";
import { parseWithout, WITHOUT_VARIABLE } from "./protections/names.ts";
import { startSuiteApp } from "./suite_app.ts";

const config = loadConfig((name) => Deno.env.get(name));
const without = parseWithout(Deno.env.get(WITHOUT_VARIABLE));
const log = createLog(config.logLevel, config.logFormat);
guardProcess(log);

const { app, points } = await startSuiteApp(config, { without, say: (line) => console.log(line), log });
Deno.addSignalListener("SIGTERM", async () => {
  await app.close();
  Deno.exit(0);
});
console.log(listenLine(app.url));
await points.listen(Deno.stdin.readable);
