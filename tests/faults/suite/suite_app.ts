/**
 * The suite's service: the program with points at which a test can stop it (see protections/points.ts), and without the
 * protections that are named (see protections/names.ts). Not a service that anybody should run.
 */
import { type App, startApp } from "../../../src/app.ts";
import type { Config } from "../../../src/config/config.ts";
import { settle } from "../../../src/inventory/settle.ts";
import { settleKept } from "../../../src/inventory/settle_kept.ts";
import type { KeptClocks } from "../../../src/lanes/kept_levels.ts";
import type { Log } from "../../../src/telemetry/log.ts";
import type { Protection } from "./protections/names.ts";
import { Points } from "./protections/points.ts";
import { createSuiteLock } from "./protections/suite_lock.ts";
import { createSuiteStore, withoutMetExpectations } from "./protections/suite_store.ts";

/** How to start it. */
export interface SuiteAppParts {
  readonly without: ReadonlySet<Protection>;
  /** Gets each line that the points say. */
  readonly say: (line: string) => void;
  readonly log: Log;
  /** By which levels are kept; absent: the process's own. */
  readonly clocks?: KeptClocks | undefined;
}

/** Starts it in this process. */
export async function startSuiteApp(
  config: Config,
  { without, say, log, clocks }: SuiteAppParts,
): Promise<{ readonly app: App; readonly points: Points }> {
  const points = new Points(say, log);
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
    tail: store.tail,
    clocks,
    settle: (snapshot, operations) =>
      settle(snapshot, withoutMetExpectations(snapshot, operations), {
        leansOnOthers: without.has("committed_ground"),
      }),
    settleKept: (kept, operations) =>
      without.has("fresh_refusal")
        ? settle({ ...kept, orders: new Map(), operations: new Map() }, operations)
        : settleKept(kept, operations),
    ...(locked === undefined ? {} : { lock: locked.lock }),
  });
  return { app, points };
}
