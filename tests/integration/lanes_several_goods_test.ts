/**
 * Orders of two goods, each of which another process sells without a pause: lanes with locks and connections of their
 * own, over the same five Redis.
 */
import { assert, assertEquals } from "@std/assert";
import { openStock } from "../../src/stock.ts";
import { loadConfig } from "../../src/config/config.ts";
import { Failure } from "../../src/lanes/failure.ts";
import type { Lanes } from "../../src/lanes/lanes.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { sell, set } from "../support/apply.ts";
import { inEveryMode, testMode } from "../support/test_mode.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { eventually } from "../support/eventually.ts";

/** Of each process that sells one goods. */
const HOT_CALLERS = 16;
/** Of the process that sells both. */
const CALLERS = 3;
const ORDERS = 120;
/** So many of each goods are sold before a caller comes again: the goods are not his process's any more by then. */
const SOLD_BETWEEN = 4 * HOT_CALLERS;
const STOCK = 1_000_000;
const AWAY: ReadonlySet<Failure["kind"]> = new Set(["database", "no_quorum", "outcome_unknown"]);

inEveryMode("orders of two goods that two other processes sell without a pause are not refused", async () => {
  await using database = await createTestDatabase();
  const settings: Record<string, string> = {
    DATABASE_URL: database.serverUrl,
    REDIS_URLS: testEnvironment().redisUrls.join(","),
    CONCURRENCY: testMode(),
    DATABASE_POOL_MAX: "4",
    // Who is never let to both goods is refused after any wait; a machine that stands still for seconds refuses nobody.
    LOCK_WAIT_MS_MAX: "6000",
  };
  const config = loadConfig((name) => settings[name]);
  const stocks = Array.from({ length: 3 }, () => openStock(config, { log: createLog("error", "pretty") }));
  const [first, second, both] = stocks.map(({ lanes }) => lanes);
  try {
    // Nodes that are just being dialled have no vote.
    await eventually(async () => {
      const sets = [set("one", 1, STOCK), set("two", 2, STOCK)];
      return (await both!.applyAll(sets, NEVER)).every(({ status }) => status === "fulfilled");
    }, "the lock has its quorum");
    let done = false;
    const sold = [0, 0];
    const hot = [first!, second!].flatMap((lanes, process) =>
      Array.from({ length: HOT_CALLERS }, async (_, caller) => {
        for (let i = 0; !done; i++) {
          const verdict = await decided(lanes, sell(`p${process}-c${caller}-${i}`, [process + 1, 1]));
          assert(verdict.ok);
          sold[process] = (sold[process] ?? 0) + 1;
        }
      })
    );
    const took: number[] = [];
    let refused = 0;
    await Promise.all(Array.from({ length: CALLERS }, async (_, caller) => {
      for (let i = 0; i < ORDERS / CALLERS; i++) {
        const beganMs = performance.now();
        const verdict = await decided(both!, sell(`both-${caller}-${i}`, [1, 1], [2, 1])).catch((error) => error);
        took.push(performance.now() - beganMs);
        const next = sold.map((count) => count + SOLD_BETWEEN);
        const hotAgain = () => sold.every((count, process) => count >= (next[process] ?? 0));
        if (i < ORDERS / CALLERS - 1) await eventually(() => Promise.resolve(hotAgain()), "the others sell on");
        if (verdict instanceof Failure) refused++;
        else assertEquals(verdict.ok, true, String(verdict));
      }
    }));
    done = true;
    await Promise.all(hot);
    took.sort((a, b) => a - b);
    const at = (share: number) => `${Math.round(took[Math.floor(share * took.length)] ?? 0)} ms`;
    console.log(
      `${refused} of ${ORDERS} refused; half within ${at(0.5)}, 99 % within ${at(0.99)}; sold beside: ${sold}`,
    );
    assertEquals(refused, 0);
    const levels = await both!.levels([1, 2], NEVER);
    assertEquals([1, 2].map((id) => levels.get(id)?.onHand), sold.map((count) => STOCK - count - ORDERS));
    assertEquals(await checkLedger(database.ownerUrl), []);
  } finally {
    await Promise.all(stocks.map((stock) => stock.close()));
  }
});

/** Applies it until the servers, which a busy machine keeps away for a while, have let it be decided. */
async function decided(lanes: Lanes, operation: Operation) {
  for (;;) {
    try {
      return await lanes.apply(operation, NEVER);
    } catch (error) {
      if (!(error instanceof Failure) || !AWAY.has(error.kind)) throw error;
    }
  }
}
