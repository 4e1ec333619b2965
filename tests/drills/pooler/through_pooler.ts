/**
 * Two servers sell through PgBouncer in transaction mode, whose sessions are fewer than their connections, while a
 * client watches: all is as without it, once and whole, also when the pooler's sessions are ended meanwhile.
 */
import { callUntilDecided, inParallel } from "../../support/callers.ts";
import { again } from "../../support/clients/client.ts";
import { createTestDatabase, ownerOf } from "../../support/database.ts";
import { startPgBouncer } from "../../support/pgbouncer.ts";
import { startServer } from "../../support/server.ts";
import { grpcJsSource } from "../../support/stream_sources.ts";
import { placeOf, Watcher } from "../../support/watching_client.ts";
import { Random } from "../../faults/suite/random.ts";
import { type DrillOptions, type DrillReport, timesOf } from "../drill.ts";
import { soldOnce } from "../sold_once.ts";
import type { Line } from "../rolling/shoppers.ts";

/** Fewer sessions than each server has connections, so that they go from hand to hand. */
const SESSIONS_MAX = 4;
const GOODS = 100;
const UNITS = 1_000_000;
const CALLERS = 40;
/** Each so-many-th order is sent again, to the other server. */
const SENT_TWICE_EVERY = 10;
const ANSWERS_OF_A_RETRY = new Set(["ok", "unavailable", "aborted", "resource_exhausted", "deadline_exceeded"]);

/** What is tried. */
export interface PoolerSize {
  readonly concurrency: "redlock" | "row" | "optimistic";
  /** What the pooler's address says beside host and port; nothing is needed. */
  readonly prepare?: "false";
  /** True: the pooler's sessions are ended in the middle of it. */
  readonly endsSessions: boolean;
}

/** Does it, and judges what came of it. */
export async function throughPooler(
  { concurrency, prepare, endsSessions }: PoolerSize,
  { seed, orders, say }: DrillOptions,
): Promise<DrillReport> {
  await using database = await createTestDatabase();
  await using bouncer = await startPgBouncer(database.serverUrl, [`default_pool_size = ${SESSIONS_MAX}`]);
  const address = new URL(bouncer.through(database.serverUrl));
  if (prepare !== undefined) address.searchParams.set("prepare", prepare);
  const behind = { ...database, serverUrl: address.href };
  const start = () => startServer({ database: behind, env: { CONCURRENCY: concurrency } });
  const servers = await Promise.all([start(), start()]);
  const urls = servers.map(({ url }) => url);
  await using _servers = { [Symbol.asyncDispose]: async () => void await Promise.all(servers.map((it) => it.stop())) };
  await using owner = ownerOf(database.ownerUrl);
  await inParallel(GOODS, CALLERS, async (i) => {
    const { code } = await callUntilDecided(urls[0]!, "SetInv", { goodsId: i + 1, num: UNITS });
    if (code !== "ok") throw new Error(`Cannot stock up: ${code}`);
  });
  const random = new Random(seed);
  const source = grpcJsSource(urls[1]!);
  const watcher = new Watcher({ name: "watcher", dial: () => source, random: () => random.next() }).start();
  await watcher.until(({ levels }) => levels.size === GOODS);

  const faults: string[] = [];
  const sold = new Map<string, readonly Line[]>();
  const tookMs: number[] = [];
  let sessionsMax = 0;
  await inParallel(orders, CALLERS, async (i) => {
    if (i % 100 === 50) sessionsMax = Math.max(sessionsMax, await sessionsOf(owner.sql));
    if (endsSessions && i === Math.floor(orders / 2)) await endSessions(owner.sql);
    if (i > 0 && i % 5_000 === 0) say(`${concurrency}: ${i} orders`);
    const orderId = `order-${i}`;
    const goodsInfo = random.sample(ALL_GOODS, 2).map((goodsId) => ({ goodsId, num: random.integer(1, 2) }));
    const beganAt = performance.now();
    let first: string | undefined;
    for (let time = 0; time < (i % SENT_TWICE_EVERY === 0 ? 2 : 1); time++) {
      const answer = await callUntilDecided(urls[(i + time) % 2]!, "Sell", { orderId, goodsInfo }, ({ code }) => {
        if (!ANSWERS_OF_A_RETRY.has(code)) faults.push(`${orderId}: ${code}`);
      });
      if (time === 0) tookMs.push(performance.now() - beganAt);
      if (answer.code === "ok") sold.set(orderId, goodsInfo);
      const said = JSON.stringify(again(answer));
      if (first !== undefined && said !== first) faults.push(`${orderId}: ${first}, and then ${said}`);
      first = said;
    }
  });
  const rows = await owner.sql<{ goods_id: number; version: number }[]>`
    select goods_id, version::int as version from levels`;
  await watcher.until(({ levels }) =>
    rows.every(({ goods_id: goodsId, version }) => levels.get(placeOf({ goodsId, locationId: 0 }))?.version === version)
  );
  await watcher.stop();
  source.close();
  if (sessionsMax === 0 || sessionsMax > SESSIONS_MAX) faults.push(`${sessionsMax} sessions: not through PgBouncer`);
  for (const [i, { output }] of servers.entries()) {
    const notices = output.stderr.split("PostgreSQL is behind a pooler").length - 1;
    if (notices !== 1) faults.push(`server ${i + 1} noticed the pooler ${notices} times`);
  }
  faults.push(...watcher.faults, ...await soldOnce(database, sold, GOODS * UNITS));
  return { faults, figures: { orders: sold.size, sessions: sessionsMax, ...timesOf("order", tookMs) } };
}

const ALL_GOODS = Array.from({ length: GOODS }, (_, i) => i + 1);

type Sql = ReturnType<typeof ownerOf>["sql"];

/** Sessions that the pooler has, by the name that it hands on. */
async function sessionsOf(owner: Sql): Promise<number> {
  const [row] = await owner<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
     where application_name = 'holdfast' and datname = current_database()`;
  return row?.count ?? 0;
}

async function endSessions(owner: Sql): Promise<void> {
  await owner`
    select pg_terminate_backend(pid) from pg_stat_activity
     where usename = 'holdfast_server' and datname = current_database()`;
}
