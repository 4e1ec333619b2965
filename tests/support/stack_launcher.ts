/**
 * A launcher to be killed: starts a private stack in the directory of its argument, prints one line of JSON about it
 * on standard output, and stops it at SIGTERM.
 */
import { startStack } from "../../tools/stack/stack.ts";
import { createLog } from "../../src/telemetry/create_log.ts";

/** What the launcher prints. */
export interface LauncherLine {
  readonly postgres: { readonly pid: number; readonly url: string };
  readonly redis: readonly { readonly pid: number; readonly url: string }[];
}

const REDIS_NODES = 2;

if (import.meta.main) {
  const [dir] = Deno.args;
  if (dir === undefined) throw new Error("Give the directory of the stack as the argument");
  const log = createLog("info", "json");
  const stack = await startStack({ dir, log, postgres: true, redisNodes: REDIS_NODES, durable: false });
  Deno.addSignalListener("SIGTERM", async () => {
    await stack.stop();
    Deno.exit(0);
  });
  const line: LauncherLine = {
    postgres: { pid: stack.postgres!.pid, url: stack.postgres!.ownerUrl("postgres") },
    redis: stack.redis.map(({ pid, url }) => ({ pid, url })),
  };
  console.log(JSON.stringify(line));
}
