/** Several processes on one hot goods: lanes with locks and connections of their own, over the same five Redis. */
import { assert, assertEquals } from "@std/assert";
import { openStock } from "../../src/stock.ts";
import { loadConfig } from "../../src/config/config.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { sell, set } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";

const CALLERS = 24;
/** Each process goes on until every one of them has sold this many, so none is ever alone. */
const SOLD_MIN = 400;
/** Only processes that starve reach it. */
const SOLD_MAX = 40 * SOLD_MIN;

/** All processes are in one loop here: on a machine that is busy otherwise a fair turn may be seconds away. */
const LOCK_WAIT_MS_MAX = "20000";

for (const processes of [2, 4]) {
  Deno.test(`${processes} processes on one hot goods share it, and no caller waits for longer than the lock wait`, async () => {
    await using database = await createTestDatabase();
    const settings: Record<string, string> = {
      DATABASE_URL: database.serverUrl,
      REDIS_URLS: testEnvironment().redisUrls.join(","),
      DATABASE_POOL_MAX: "4",
      LOCK_WAIT_MS_MAX,
    };
    const config = loadConfig((name) => settings[name]);
    const stocks = Array.from({ length: processes }, () => openStock(config, { log: createLog("error", "pretty") }));
    try {
      const [first] = stocks;
      // Nodes that are just being dialled have no vote.
      let stocked = false;
      for (let i = 0; i < 50 && !stocked; i++) {
        stocked = await first!.lanes.apply(set("stock", 1, 1_000_000), NEVER).then(() => true, () => false);
      }
      assert(stocked, "the lock has its quorum");
      const sold = stocks.map(() => 0);
      const goesOn = () => Math.min(...sold) < SOLD_MIN && Math.max(...sold) < SOLD_MAX;
      await Promise.all(stocks.flatMap(({ lanes }, process) =>
        Array.from({ length: CALLERS }, async (_, caller) => {
          for (let i = 0; goesOn(); i++) {
            // A caller that waited for too long would end this with Failure "busy".
            const verdict = await lanes.apply(sell(`p${process}-c${caller}-${i}`, [1, 1]), NEVER);
            assert(verdict.ok);
            sold[process] = (sold[process] ?? 0) + 1;
          }
        })
      ));
      assert(Math.min(...sold) >= SOLD_MIN, `somebody starved: ${sold}`);
      const level = (await first!.lanes.levels([1], NEVER)).get(1);
      assertEquals(level?.onHand, 1_000_000 - sold.reduce((sum, count) => sum + count, 0));
      assertEquals(await checkLedger(database.ownerUrl), []);
    } finally {
      await Promise.all(stocks.map((stock) => stock.close()));
    }
  });
}
