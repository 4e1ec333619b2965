/**
 * The program for the fault suite: the same settings and permissions as `src/main.ts`, points at which a test can stop
 * it (see protections/points.ts), and protections that SUITE_WITHOUT takes out (see protections/names.ts). Not a server
 * that anybody should run.
 */
import { startApp } from "../../../src/app.ts";
import { loadConfig } from "../../../src/config/config.ts";
import { settle } from "../../../src/inventory/settle.ts";
import { listenLine } from "../../../src/process/listen_line.ts";
import { guardProcess } from "../../../src/process/guard.ts";
import { createLog } from "../../../src/telemetry/create_log.ts";
import { parseWithout, WITHOUT_VARIABLE } from "./protections/names.ts";
import { Points } from "./protections/points.ts";
import { createSuiteLock } from "./protections/suite_lock.ts";
import { createSuiteStore, withoutMetExpectations } from "./protections/suite_store.ts";

const config = loadConfig((name) => Deno.env.get(name));
const without = parseWithout(Deno.env.get(WITHOUT_VARIABLE));
const log = createLog(config.logLevel, config.logFormat);
guardProcess(log);

const points = new Points((line) => console.log(line), log);
const locked = config.concurrency === "redlock" ? createSuiteLock(config, without, points, log) : undefined;
const store = createSuiteStore({
  config,
  without,
  points,
  beforeWrite: async (goodsIds) => {
    if (without.has("commit_before_release")) await locked?.release(goodsIds);
  },
  log,
});
const app = await startApp(config, {
  log,
  store,
  settle: (snapshot, operations) =>
    settle(snapshot, withoutMetExpectations(snapshot, operations), { leansOnOthers: without.has("committed_ground") }),
  ...(locked === undefined ? {} : { lock: locked.lock }),
});
Deno.addSignalListener("SIGTERM", async () => {
  await app.close();
  Deno.exit(0);
});
console.log(listenLine(app.url));
await points.listen(Deno.stdin.readable);
