/**
 * The approach that Holdfast is measured against: one Redlock and one transaction around every Sell, on a table of its
 * own.
 *
 * Lock the goods over the five nodes, BEGIN, SELECT each goods, check it, UPDATE it, COMMIT, unlock. It keeps neither
 * orders nor a ledger, so a retry sells again. The lock's numbers are those of redsync, which it was described
 * with: a TTL of 8 s, 32 tries, 50 to 250 ms apart.
 */
import { Redis } from "ioredis";
import postgres from "postgres";
import Redlock, { ExecutionError } from "redlock";
import { picker } from "../workload.ts";
import { converse } from "./conversation.ts";
import { type Call, type CallResult, refused, run, sold } from "./loops.ts";
import type { Work } from "./protocol.ts";

const TTL_MS = 8_000;
const LOCK_SETTINGS = { retryCount: 31, retryDelay: 150, retryJitter: 100 } as const;
/** As many as Holdfast has; the lock lets few of them be busy on one goods. */
const CONNECTIONS_MAX = 8;

class ShortStock extends Error {}

function seller(sql: postgres.Sql, redlock: Redlock, work: Work): Call {
  const pick = picker(work.workload, Math.random);
  return async (): Promise<CallResult> => {
    const goodsIds = pick();
    let lock;
    try {
      lock = await redlock.acquire(goodsIds.map((goodsId) => `article:goods_${goodsId}`), TTL_MS);
    } catch (error) {
      if (error instanceof ExecutionError) return refused("lock_not_had");
      throw error;
    }
    let committedMs = 0;
    try {
      await sql.begin(async (transaction) => {
        for (const goodsId of goodsIds) {
          const [row] = await transaction<{ num: number }[]>`select num from article_stock where goods_id = ${goodsId}`;
          if (row === undefined || row.num < 1) throw new ShortStock();
          await transaction`update article_stock set num = ${row.num - 1} where goods_id = ${goodsId}`;
        }
      });
      committedMs = performance.now();
    } catch (error) {
      if (!(error instanceof ShortStock)) throw error;
      return refused("short_stock");
    } finally {
      await lock.release().catch((error) => {
        // It ran out before: the ledger says whether that did harm.
        if (!(error instanceof ExecutionError)) throw error;
      });
    }
    // It keeps no orders, so none will be found.
    return { ...sold(goodsIds.length), orders: 0, laterMs: performance.now() - committedMs };
  };
}

if (import.meta.main) {
  await converse(({ articleUrl, redisUrls }) => {
    const sql = postgres(articleUrl, { max: CONNECTIONS_MAX, onnotice: () => {} });
    const nodes = redisUrls.map((url) => new Redis(url));
    const redlock = new Redlock(nodes, LOCK_SETTINGS);
    // Every try that finds the goods taken is reported here as well; acquire() reports the ones that matter.
    redlock.on("error", () => {});
    return Promise.resolve({
      run: (order) => run(seller(sql, redlock, order.work), order),
      async close() {
        await sql.end();
        for (const node of nodes) node.disconnect();
      },
    });
  });
}
