/**
 * A worker that hangs: it keeps its place behind the port, so it must be replaced. With real workers, and a supervision
 * that waits for shorter than the program's.
 */
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../src/config/config.ts";
import { START_MS_MAX, stopMsMax } from "../../src/config/stop_times.ts";
import { serverFlags } from "../../src/config/flags.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { supervise, type Supervision } from "../../src/workers/supervise.ts";
import { startWorker } from "../../src/workers/worker_process.ts";
import { callUntilDecided, inParallel } from "../support/callers.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { rawJson } from "../support/raw_call.ts";
import { isRunning, signal } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

const WORKER = fileURLToPath(new URL("../../src/worker.ts", import.meta.url));
const WORKERS = 2;
const HEARTBEAT_MS_MAX = 5000;
/** One connection each: that all of them come to the same of two workers happens once in 2^31 runs. */
const CALLS = 32;
const REPLACED_MS_MAX = 30_000;

/** A line of the supervision's log. */
interface Line {
  readonly msg: string;
  readonly worker?: number;
  readonly pid?: number;
}

Deno.test("a paused worker is killed and replaced, and then every new connection is served again", async () => {
  await using database = await createTestDatabase();
  const { supervision, announced, lines } = superviseWorkers({
    DATABASE_URL: database.serverUrl,
    REDIS_URLS: testEnvironment().redisUrls.join(","),
    WORKERS: String(WORKERS),
    ADMIN_PORT: "off",
  });
  const said = (msg: string, worker: number) => lines.filter((line) => line.msg === msg && line.worker === worker);
  try {
    const url = await announced;
    await callUntilDecided(url, "SetInv", { goodsId: 1, num: 1 });
    const ask = () => inParallel(CALLS, CALLS, () => rawJson(url, "InvDetail", `{"goodsId":1}`));
    assertEquals(await ask(), Array(CALLS).fill("200"));

    const paused = said("worker started", 2)[0]!.pid!;
    await signal(paused, "SIGSTOP");
    // Those that it has end with it; some clients send them once more.
    const answers = await ask();
    assertEquals(answers.filter((answer) => answer !== "200" && answer !== "cut"), []);
    assertEquals(said("the worker gives no sign of life and is killed", 2).map(({ pid }) => pid), [paused]);
    await eventually(() => said("worker listens", 2).length === 2, "it is replaced", REPLACED_MS_MAX);
    assert(!isRunning(paused));
    assertEquals(await ask(), Array(CALLS).fill("200"));
    assertEquals(said("worker ended", 1), []);
  } finally {
    supervision.stop();
    assertEquals(await supervision.exitCode, 0);
  }
});

/** Real workers, as `supervisor.ts` starts them. */
function superviseWorkers(
  env: Record<string, string>,
): { supervision: Supervision; announced: Promise<string>; lines: Line[] } {
  const lines: Line[] = [];
  const add = (fields: object, msg: string) => void lines.push({ ...fields, msg });
  const log: Log = { debug: add, info: add, warn: add, error: add };
  const { promise: announced, resolve: announce, reject } = Promise.withResolvers<string>();
  const supervision = supervise({
    count: WORKERS,
    startMsMax: START_MS_MAX,
    stopMsMax: stopMsMax(0),
    heartbeatMsMax: HEARTBEAT_MS_MAX,
    start(worker, url, onLine) {
      const settings = { ...env, PORT: url === undefined ? "0" : new URL(url).port };
      const config = loadConfig((name) => (settings as Record<string, string>)[name]);
      const args = ["run", ...serverFlags(config), WORKER, String(worker), url === undefined ? "claimed" : "joined"];
      return startWorker({ args, env: settings, onLine });
    },
    announce,
    log,
  });
  supervision.exitCode.then((code) => reject(new Error(`the workers ended with ${code}`)));
  return { supervision, announced, lines };
}
