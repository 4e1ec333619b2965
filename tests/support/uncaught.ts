/**
 * A process under the guard of those that serve, in which something throws where nobody catches it. By its arguments:
 * `own`, a fault of this file's; `driver` and the URL of a Redis that says too much; `unread`, which logs for a reader
 * that may not be there. For tests only.
 */
import { Redis } from "ioredis";
import { guardProcess } from "../../src/process/guard.ts";
import { createProcessLog, endProcess } from "../../src/telemetry/process_log.ts";

const log = await createProcessLog("info", "json");
guardProcess(log);
const [what, url = ""] = Deno.args;
if (what === "own") {
  for (let i = 0; i < 50; i++) log.info({ i }, "before");
  setTimeout(() => {
    throw new Error("a fault of ours");
  });
} else if (what === "driver") {
  const node = new Redis(url, { protocol: 2, enableReadyCheck: false, commandTimeout: 5000 });
  node.on("error", () => {});
  console.log(await node.ping());
  setTimeout(() => void endProcess(0), 1000);
} else {
  for (let i = 0; i < 100_000; i++) log.info({ i, text: "x".repeat(100) }, "nobody reads this");
  console.log("logged");
  setTimeout(() => void endProcess(0), 100);
}
