/**
 * A failover under load, small: a primary that comes back alone, and is killed; its synchronous standby takes its
 * place; and the same without synchronous replication, as the control arm. `deno task drills failover` is the long one.
 */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { settledWithin, until } from "../../src/base/bounded_wait.ts";
import { DIALS_A_SECOND_MAX } from "../../src/store/postgres/primary.ts";
import { call, health } from "../support/callers.ts";
import { lastingDatabase } from "../support/database.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { connectSource } from "../support/stream_sources.ts";
import { startProxy } from "../support/tcp_proxy.ts";
import { Watcher } from "../support/watching_client.ts";
import { audit } from "./failover/audit.ts";
import { Callers } from "./failover/callers.ts";
import { Cluster } from "./failover/cluster.ts";
import { figuresOf, mostInASecond, outageWords } from "./failover/outage.ts";

const CALLERS = 8;
/** Which the callers do not ask for. */
const OWN_GOODS = 1000;
const SALES = 50;
/** Others may have the machine. */
const SALES_MS_MAX = 60_000;
/** Of calls at a server that only reads. */
const ROUNDS = 20;
/** Refusals that an outage lasts for at the least. */
const REFUSALS = 30;
/** How often it is looked whether this process stands still. */
const LOOK_EVERY_MS = 50;

Deno.test("a primary is killed, and its standby promoted: what was acknowledged is there, once", async (t) => {
  const seed = Number(Deno.env.get("FAILOVER_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`FAILOVER_SEED=${seed}`);
  await using cluster = await Cluster.start("a");
  await cluster.follow("b", "a");
  await cluster.waitFor("b", "a");
  const dials: number[] = [];
  using stalls = watchStalls();
  /** What is dialled while this process, through which all of it goes, stands still comes at once behind that. */
  const dialsMax = () => DIALS_A_SECOND_MAX * (1 + stalls.longestMs / 1000);
  const counted = (name: string) =>
    startProxy(cluster.member(name).server.port, { admit: () => Promise.resolve(void dials.push(performance.now())) });
  await using a = counted("a");
  await using b = counted("b");
  const addressOf = (...ports: number[]) =>
    `${
      cluster.member("a").server.serverUrl(cluster.database)
        .replace(/@[^/]+/, `@${ports.map((port) => `127.0.0.1:${port}`).join(",")}`)
    }&target_session_attrs=primary`;
  const databaseOf = (address: string) =>
    lastingDatabase(cluster.database, cluster.member("a").server.ownerUrl(cluster.database), address);
  await using service = await startServer({
    database: databaseOf(addressOf(a.port, b.port)),
    // Who is refused here is so because of the database, and not of others on this machine.
    env: { SHED_LOOP_DELAY_MS: "0" },
  });
  const callers = new Callers({ url: service.url, callers: CALLERS, seed });
  const watchers = (["WatchInv", "WatchMovements"] as const).map((method) =>
    new Watcher({
      name: method,
      method,
      request: method === "WatchInv" ? {} : { from: { case: "beginning", value: true } },
      dial: () => connectSource(service.url, "Connect", "1.1"),
      random: Math.random,
      backoffMsMax: 500,
    }).start()
  );
  await callers.start();
  await callers.sell(SALES, SALES_MS_MAX);
  const sell = { kind: "sell", orderId: "on-one-disk", lines: [{ goodsId: OWN_GOODS, num: 1 }] } as const;
  await callers.decide({ kind: "set", goodsId: OWN_GOODS, num: 10 });
  const operation = callers.newOperation();
  await t.step("what only a primary that came back alone has is not answered as sold", async () => {
    const { owner, server } = cluster.member("a");
    // Where the writes of other callers hang in every place it would be refused, and not written.
    await callers.finish();
    cluster.cut("b");
    /** Its commit waits for the standby, or no longer. */
    const isWritten = () =>
      owner`
        select from orders where order_id = ${sell.orderId}
        union all select from pg_stat_activity where wait_event = 'SyncRep' and backend_type = 'client backend'`
        .then(({ length }) => length > 0);
    let outcome: string | undefined;
    const sent = async () => (outcome = (await callers.send(sell, operation)).outcome) !== "refused";
    // It is refused as well, or left too soon, where this machine has no time for it.
    assert(await until(async () => await sent() && await isWritten(), SALES_MS_MAX), outcome);
    assertEquals(outcome, "unknown");
    callers.goOn();
    await server.kill();
    await server.start();
    const isThere = () =>
      owner`select from orders where order_id = ${sell.orderId}`.then(({ length }) => length === 1, () => false);
    assert(await until(isThere, SALES_MS_MAX));
    const before = dials.length;
    const answers = [];
    // Once it was looked at, and again.
    while (answers.length < 3 || dials.length < before + 4) {
      const answer = await callers.send(sell, operation);
      answers.push(answer.outcome === "ok" ? "ok" : answer.code);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertEquals(new Set(answers), new Set(["unavailable"]), `${answers}`);
  });

  await t.step("the standby takes its place", async () => {
    const refused = () => callers.calls.filter(({ answer }) => answer.outcome === "refused").length;
    await cluster.kill("a");
    const killedMs = performance.now();
    const before = refused();
    assert(await until(() => refused() >= before + REFUSALS, SALES_MS_MAX));
    const absentMs = performance.now();
    await cluster.promote("b");
    const writableMs = performance.now();
    await callers.sell(SALES, SALES_MS_MAX);
    assertEquals((await callers.decide(sell, undefined, operation)).outcome, "ok");
    const figures = figuresOf({ killedMs, absentMs, writableMs }, callers.calls, dials);
    console.log(outageWords(figures));
    assertLessOrEqual(figures.dialsMax, dialsMax());
    assertEquals(Object.keys(figures.refused).filter((words) => !words.startsWith("unavailable")), []);
  });

  await callers.finish();
  await t.step("who watched saw each version of each place once, across the failover", async () => {
    const levels = await cluster.member("b").owner<{ place: string; version: number }[]>`
      select goods_id || '@' || location_id as place, version::int as version from levels`;
    for (const watcher of watchers) {
      const isThere = () => levels.every(({ place, version }) => watcher.levels.get(place)?.version === version);
      assert(await settledWithin(watcher.until(isThere), SALES_MS_MAX), JSON.stringify(watcher.counts));
      assertEquals(watcher.faults, []);
      await watcher.stop();
    }
  });
  const { lost, doubled, violations, ledger, acknowledged } = await audit(
    callers.calls,
    cluster.member("b").server.ownerUrl(cluster.database),
  );
  assertEquals({ lost, doubled, violations, ledger }, { lost: [], doubled: [], violations: [], ledger: [] });
  assertGreater(acknowledged, 2 * SALES);

  await cluster.follow("a", "b");
  await t.step("a standby alone is called one, and is sold from once it is promoted", async () => {
    await using reader = await startServer({ database: databaseOf(addressOf(a.port)), healthy: false });
    await notReady(reader);
    const before = dials.length;
    for (let round = 0; round < ROUNDS; round++) {
      const calls = Array.from({ length: CALLERS }, () => call(reader.url, "InvDetail", { goodsId: 1 }));
      for (const { code } of await Promise.all(calls)) assertEquals(code, "unavailable");
    }
    assertLessOrEqual(mostInASecond(dials.slice(before)), dialsMax());
    const answer = await call(reader.url, "Sell", { orderId: "to-a-standby", goodsInfo: [{ goodsId: 1, num: 1 }] });
    assertEquals([answer.code, answer.body.message], ["unavailable", "The database takes no writes now"]);
    assert(JSON.stringify(answer.body).includes("DATABASE_READ_ONLY"), JSON.stringify(answer.body));
    assertEquals(await health(reader.url), "NOT_SERVING");
    const isSaid = () => /"name":"ReadOnlyServerError".*it is a standby.*not ready/.test(reader.output.stderr);
    assert(await until(isSaid, SALES_MS_MAX), reader.output.stderr);

    await losing(cluster, callers);
    assert(await until(async () => await health(reader.url) === "SERVING", SALES_MS_MAX), reader.output.stderr);
  });
});

/** The control arm: no commit waits for the standby, which is cut off before the primary is killed. */
async function losing(cluster: Cluster, callers: Callers): Promise<void> {
  await callers.start();
  cluster.cut("a");
  await callers.sell(SALES, SALES_MS_MAX);
  await cluster.kill("b");
  await cluster.promote("a");
  await callers.sell(SALES, SALES_MS_MAX);
  await callers.finish();
  const { lost, violations } = await audit(callers.calls, cluster.member("a").server.ownerUrl(cluster.database));
  console.log(`without synchronous replication ${lost.length} acknowledged orders were lost`);
  assertGreater(lost.length, SALES / 2);
  assertGreater(violations.length, 0);
}

/** Looks for how long this process has stood still at the longest. */
function watchStalls(): Disposable & { readonly longestMs: number } {
  let [lookedMs, longestMs] = [performance.now(), 0];
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lookedMs - LOOK_EVERY_MS);
    lookedMs = nowMs;
  }, LOOK_EVERY_MS);
  return {
    get longestMs() {
      return longestMs;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

async function notReady({ output }: TestServer): Promise<void> {
  assert(await until(() => output.stderr.includes("not ready"), SALES_MS_MAX), output.stderr);
}
