/**
 * Redis nodes come and go: two of five may be away, the third is the quorum, and what comes back is used again, once it
 * has run for longer than a lease may live.
 */
import { assert, assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import { type PrivateRedis, startRedisNodes } from "../../tools/stack/redis.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { call, health, inParallel, tally } from "../support/callers.ts";
import { testEnvironment } from "../support/env.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { startServer } from "../support/server.ts";

const GOODS_ID = 1;
/** Not sold before the quorum is gone: the lease of the other lingers, and is good for as long as it lives. */
const OTHER_GOODS_ID = 2;
/** Several tries of the nodes that are there, of which a busy machine may have one answer too late. */
const LOCK_WAIT_MS_MAX = 3000;
/** Of a caller, beyond it. */
const CALLER_MS_MORE = 10_000;
const HEAL_MS_MAX = 60_000;

Deno.test("any two Redis may be away; a third stops sales but not reads; one back and sales go on", async () => {
  const dir = await Deno.makeTempDir();
  const nodes = await startRedisNodes(5, {
    dir,
    program: testEnvironment().redisProgram,
    log: createLog("warn", "pretty"),
  });
  const env = {
    CONCURRENCY: "redlock",
    REDIS_URLS: nodes.map((node) => node.url).join(","),
    LOCK_WAIT_MS_MAX: String(LOCK_WAIT_MS_MAX),
  };
  try {
    await using server = await startServer({ env });
    for (const goodsId of [GOODS_ID, OTHER_GOODS_ID]) await call(server.url, "SetInv", { goodsId, num: 1000 });
    let orders = 0;
    // The deadline is far past the lock wait, for a busy machine; how long it took is printed.
    const sell = (goodsId = GOODS_ID) =>
      call(
        server.url,
        "Sell",
        { orderId: `o-${orders++}`, goodsInfo: [{ goodsId, num: 1 }] },
        LOCK_WAIT_MS_MAX + CALLER_MS_MORE,
      );
    const sellMany = async (count: number, goodsId?: number) =>
      tally((await inParallel(count, 4, () => sell(goodsId))).map(({ code }) => code));
    const sells = async (code: string) => assert(await until(async () => (await sell()).code === code, HEAL_MS_MAX));

    for (let a = 0; a < 5; a++) {
      for (let b = a + 1; b < 5; b++) {
        const pair = [nodes[a]!, nodes[b]!];
        for (const node of pair) node.pause();
        assertEquals(await sellMany(8), { ok: 8 }, `with nodes ${a + 1} and ${b + 1} frozen`);
        for (const node of pair) node.resume();
        // Others are the next to go, so these two must be in use again first.
        for (const node of pair) assert(await until(() => isInUse(node), HEAL_MS_MAX));
      }
    }

    await Promise.all([nodes[0]!.kill(), nodes[2]!.kill()]);
    assertEquals(await sellMany(8), { ok: 8 }, "with nodes 1 and 3 killed");
    await nodes[4]!.kill();
    const askedAt = performance.now();
    assertEquals(await sellMany(4, OTHER_GOODS_ID), { unavailable: 4 });
    console.log(`UNAVAILABLE after ${Math.round(performance.now() - askedAt)} of ${LOCK_WAIT_MS_MAX} ms at most`);
    const { code, body } = await call(server.url, "InvDetail", { goodsId: OTHER_GOODS_ID });
    assertEquals([code, body.num], ["ok", 1000]);
    assert(await until(async () => (await health(server.url)) === "NOT_SERVING", HEAL_MS_MAX));

    await nodes[2]!.start();
    await sells("ok");
    assertEquals(await sellMany(8), { ok: 8 });
    assert(await until(async () => (await health(server.url)) === "SERVING", HEAL_MS_MAX));
    assertEquals(await checkLedger(server.databaseOwnerUrl), []);
  } finally {
    await Promise.all(nodes.map((node) => node.kill()));
  }
});

/** Whether the program is connected to the node. */
async function isInUse(node: PrivateRedis): Promise<boolean> {
  const client = new Redis(node.url);
  try {
    return String(await client.client("LIST")).includes("name=holdfast");
  } finally {
    client.disconnect();
  }
}
