/**
 * A fleet behind HAProxy is restarted, one server after the other, while shops sell and a client watches: nothing that
 * they call is refused, lost or sold twice, and the client misses no change.
 */
import { callUntilDecided } from "../../support/callers.ts";
import { grpcJsClient } from "../../support/clients/grpc_js.ts";
import { grpcJsSource } from "../../support/stream_sources.ts";
import { ownerOf, type TestDatabase } from "../../support/database.ts";
import { placeOf, Watcher } from "../../support/watching_client.ts";
import { Random } from "../../faults/suite/random.ts";
import { type DrillOptions, type DrillReport, timesOf } from "../drill.ts";
import { SERVERS, startFleet } from "./fleet.ts";
import { startShoppers } from "./shoppers.ts";
import { soldOnce } from "../sold_once.ts";
import { until } from "../../../src/base/bounded_wait.ts";

/** How much of it. */
export interface RollingSize {
  /** Times that each server is restarted. */
  readonly rounds: number;
  /** How often HAProxy looks at the health of each server, in ms. */
  readonly checkMs: number;
  /** Shops over each of gRPC and JSON, and how long each waits between two orders. */
  readonly shops: number;
  readonly paceMs: number;
  /** Settings of the servers beside. */
  readonly env: Readonly<Record<string, string>>;
}

/** In the suite. */
export const SMALL_ROLLING: RollingSize = { rounds: 1, checkMs: 300, shops: 2, paceMs: 100, env: {} };
/** As docs/operating.md has it, with connections that get old meanwhile. */
export const LONG_ROLLING: RollingSize = {
  rounds: 3,
  checkMs: 1_000,
  shops: 4,
  paceMs: 15,
  env: { CONNECTION_AGE_MS_MAX: "10000" },
};

const GOODS = Array.from({ length: 200 }, (_, i) => i + 1);
const UNITS = 1_000_000;
/** Two checks that say no, and then a second, as docs/operating.md says. */
const CHECKS_TO_BE_DOWN = 2;
const MARGIN_MS = 1_000;
const ORDERS_MS_MAX = 3_600_000;

/** Does it, and judges what came of it. */
export async function rollingRestarts(size: RollingSize, { seed, orders, say }: DrillOptions): Promise<DrillReport> {
  const { rounds, checkMs, shops, paceMs, env } = size;
  const drainDelayMs = (CHECKS_TO_BE_DOWN + 1) * checkMs + MARGIN_MS;
  await using fleet = await startFleet({ ...env, DRAIN_DELAY_MS: `${drainDelayMs}` }, checkMs);
  const { url, ca, database } = fleet;
  await stockUp(fleet.directUrl);
  const faults: string[] = [];
  const source = grpcJsSource(url, { ca });
  const random = new Random(seed);
  const watcher = new Watcher({ name: "watcher", dial: () => source, random: () => random.next() }).start();
  await watcher.until(({ levels }) => levels.size === GOODS.length);
  const shoppers = startShoppers({ url, ca, goods: GOODS, shops, paceMs, seed });
  for (let restart = 0; restart < rounds * SERVERS || shoppers.count < orders; restart++) {
    if (restart < rounds * SERVERS) {
      const code = await fleet.restart(restart % SERVERS);
      if (code !== 0) faults.push(`server ${restart % SERVERS + 1} ended with ${code}`);
      say(`${restart + 1} restarts, ${shoppers.count} orders`);
    } else await until(() => shoppers.count >= orders, ORDERS_MS_MAX);
  }
  const sales = await shoppers.stop();
  const stands = await levelsOf(database);
  await watcher.until(({ levels }) => stands.every(([place, version]) => levels.get(place)?.version === version));
  await watcher.stop();
  source.close();
  await fleet.end();
  await using client = grpcJsClient(url, { ca });
  const alone = await client.call("InvDetail", { goodsId: 1 });
  if (!("code" in alone) || alone.code !== "UNAVAILABLE") faults.push(`without servers: ${JSON.stringify(alone)}`);
  faults.push(
    ...sales.faults,
    ...sales.refused.map((refused) => `refused: ${refused}`),
    ...watcher.faults,
    ...await soldOnce(database, sales.sold, GOODS.length * UNITS),
  );
  return {
    faults,
    figures: {
      orders: sales.sold.size,
      refused: sales.refused.length,
      late: sales.late,
      "longest gap ms": Math.round(sales.longestGapMs),
      ...timesOf("order", sales.tookMs),
      "streams begun anew": watcher.counts["WATCH_START_RESUMED"] ?? 0,
    },
  };
}

async function stockUp(url: string): Promise<void> {
  for (const goodsId of GOODS) {
    const { code } = await callUntilDecided(url, "SetInv", { goodsId, num: UNITS });
    if (code !== "ok") throw new Error(`Cannot stock up goods ${goodsId}: ${code}`);
  }
}

/** The version of each place, by its name. */
async function levelsOf({ ownerUrl }: TestDatabase): Promise<(readonly [string, number])[]> {
  await using owner = ownerOf(ownerUrl);
  const rows = await owner.sql<{ goods_id: number; location_id: number; version: number }[]>`
    select goods_id, location_id, version::int as version from levels`;
  return rows.map(({ goods_id: goodsId, location_id: locationId, version }) => [
    placeOf({ goodsId, locationId }),
    version,
  ]);
}
