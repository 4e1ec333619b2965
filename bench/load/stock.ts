/** A process that sells to itself: the stock is opened in it, without a port, and its callers sit beside it. */
import { v7 as uuidV7 } from "uuid";
import { openStock, type Stock } from "../../src/stock.ts";
import { loadConfig } from "../../src/config/config.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { picker } from "../workload.ts";
import { converse } from "./conversation.ts";
import { type Call, type CallResult, refused, run, sold, unknown } from "./loops.ts";
import type { Work } from "./protocol.ts";

const LOCK_MS_MAX = 20_000;

/**
 * Sells one order a call, each under an id of its own: UUIDv7, as the service makes them, so that keys come in order.
 */
function seller(stock: Stock, work: Work): Call {
  const pick = picker(work.workload, Math.random);
  return async (): Promise<CallResult> => {
    const lines = pick().map((goodsId) => ({ goodsId, locationId: 0, num: 1 }));
    try {
      // A signal of its own, as every call over the wire has.
      const verdict = await stock.lanes.apply(
        { kind: "sell", orderId: uuidV7(), lines },
        new AbortController().signal,
      );
      return verdict.ok ? sold(lines.length) : refused(verdict.refusal.reason);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return error.kind === "outcome_unknown" ? unknown(error.kind) : refused(error.kind);
    }
  };
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
      run: (order) => run(seller(open(order.work), order.work), order),
      async close() {
        await Promise.all([...opened.values()].map((stock) => stock.close()));
      },
    };
  });
}
