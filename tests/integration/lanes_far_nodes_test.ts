/** Two processes on one hot goods whose Redis nodes are far away: whoever waits gets his turn all the same. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { openStock } from "../../src/stock.ts";
import { loadConfig } from "../../src/config/config.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { sell, set } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { atPort, testEnvironment } from "../support/env.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { startProxy } from "../support/tcp_proxy.ts";
import { eventually } from "../support/eventually.ts";

/** Each direction. */
const DELAY_MS = 25;
const HOT_CALLERS = 16;
const ORDERS = 10;
/** So many others are sold before the next order: the goods is the other process's again by then. */
const SOLD_BETWEEN = 2 * HOT_CALLERS;

Deno.test("with nodes 50 ms away a process that waits for a hot goods gets it at the first or second turn, and is not refused", async () => {
  await using database = await createTestDatabase();
  await using proxies = new AsyncDisposableStack();
  const urls = testEnvironment().redisUrls.map((redisUrl) => {
    const port = Number(new URL(redisUrl).port);
    return atPort(redisUrl, proxies.use(startProxy(port, { delayMs: DELAY_MS })).port);
  });
  const settings: Record<string, string> = {
    DATABASE_URL: database.serverUrl,
    REDIS_URLS: urls.join(","),
    DATABASE_POOL_MAX: "4",
  };
  const config = loadConfig((name) => settings[name]);
  const [hot, other] = Array.from({ length: 2 }, () => openStock(config, { log: createLog("error", "pretty") }));
  try {
    // Nodes that are just being dialled have no vote.
    await eventually(
      () => hot!.lanes.apply(set("stock", 1, 1_000_000), NEVER).then(() => true, () => false),
      "the lock has its quorum",
    );
    await eventually(
      () => other!.lanes.apply(set("other", 2, 1), NEVER).then(() => true, () => false),
      "the other's lock has its quorum",
    );
    let done = false;
    let soldHot = 0;
    const callers = Array.from({ length: HOT_CALLERS }, async (_, caller) => {
      for (let i = 0; !done; i++) {
        assert((await hot!.lanes.apply(sell(`hot-${caller}-${i}`, [1, 1]), NEVER)).ok);
        soldHot++;
      }
    });
    const votesAgainst = () => Math.max(...other!.lock!.status().nodes.map((node) => node.votesAgainst));
    const before = votesAgainst();
    let busy = 0;
    for (let i = 0; i < ORDERS; i++) {
      const next = soldHot + SOLD_BETWEEN;
      await eventually(() => soldHot >= next, "the hot goods is sold on");
      await other!.lanes.apply(sell(`other-${i}`, [1, 1]), NEVER).catch(() => busy++);
    }
    done = true;
    await Promise.all(callers);
    const refused = votesAgainst() - before;
    console.log(`refused ${refused} times for ${ORDERS} orders, ${busy} for good; sold beside: ${soldHot}`);
    assertEquals(busy, 0);
    // Some three a turn. Where attempts miss the turns it is fifteen.
    assertLess(refused, 8 * ORDERS);
    assertEquals((await hot!.lanes.levels([1], NEVER)).get(1)?.onHand, 1_000_000 - soldHot - ORDERS);
    assertEquals(await checkLedger(database.ownerUrl), []);
  } finally {
    await Promise.all([hot, other].map((stock) => stock!.close()));
  }
});
