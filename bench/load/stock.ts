/** A process that sells to itself: the stock is opened in it, without a port, and its callers sit beside it. */
import { setTimeout as delay } from "node:timers/promises";
import { openStock, type Stock } from "../../src/stock.ts";
import { loadConfig } from "../../src/config/config.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { HoldSweeper } from "../../src/jobs/hold_sweeper.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { converse } from "./conversation.ts";
import { run } from "./loops.ts";
import type { LoadRun, Tally, Work } from "./protocol.ts";
import { stockCall } from "./stock_calls.ts";

const LOCK_MS_MAX = 20_000;
const SWEEPER_PAUSE_MS = 50;
const BATCHES_MS_MAX = 10_000;

/** A run, with the service's sweeper beside it where there are holds that end. */
async function runBesideSweeper({ lanes, store }: Stock, order: LoadRun, log: Log): Promise<Tally> {
  if (order.work.endsHolds !== true) return await run(stockCall(lanes, order.work), order);
  const sweeper = new HoldSweeper({ lanes, store, log, random: Math.random, pause: sweeperPause });
  const tally = await run(stockCall(lanes, order.work), order).finally(() => sweeper.stop());
  // A batch whose callers have all left still writes down what is due: it would be counted by one of two looks.
  if (!await until(() => lanes.batches === 0, BATCHES_MS_MAX)) throw new Error("a batch does not end");
  return tally;
}

/** Its own pauses are longer than a run: as much as it sweeps after one of them, it sweeps in several rounds here. */
async function sweeperPause(_: number, signal: AbortSignal): Promise<void> {
  await delay(SWEEPER_PAUSE_MS, undefined, { signal }).catch(() => {});
}

if (import.meta.main) {
  await converse(async ({ stocks }) => {
    const log = createLog("warn", "pretty");
    const opened = new Map<string, Stock>();
    const open = ({ database, concurrency }: Pick<Work, "database" | "concurrency">): Stock => {
      const name = `${database} ${concurrency ?? ""}`;
      const settings = stocks[database];
      if (settings === undefined) throw new Error(`There is no stock ${database}`);
      const all: Readonly<Record<string, string>> = { ...settings, CONCURRENCY: concurrency ?? "" };
      const stock = opened.get(name) ?? openStock(loadConfig((key) => all[key]), { log });
      opened.set(name, stock);
      return stock;
    };
    for (const database of Object.keys(stocks)) {
      const { lock } = open({ database });
      // Nodes that have just started have no vote for a while.
      if (!await until(() => lock?.ping().then(() => true, () => false) ?? true, LOCK_MS_MAX)) {
        throw new Error(`The lock has no quorum after ${LOCK_MS_MAX} ms`);
      }
    }
    return {
      run: (order) => runBesideSweeper(open(order.work), order, log),
      async close() {
        await Promise.all([...opened.values()].map((stock) => stock.close()));
      },
    };
  });
}
