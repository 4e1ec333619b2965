/** What an orderly stop leaves behind: nothing of ours in Redis, and no order undecided. */
import { assert, assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import { call } from "../support/callers.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { startServer } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

const GOODS = 40;
const CALLERS = 80;
const ROUNDS = 3;
const REDLOCK = { CONCURRENCY: "redlock" };

Deno.test("after an orderly stop under load no lease key is left on any node, and what was acknowledged is on record", async () => {
  const nodes = testEnvironment().redisUrls.map((url) => new Redis(url));
  await using database = await createTestDatabase();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const prefix = `stop-${crypto.randomUUID()}:`;
      await using server = await startServer({ database, env: { ...REDLOCK, LOCK_KEY_PREFIX: prefix } });
      const goodsIds = Array.from({ length: GOODS }, (_, i) => round * GOODS + i + 1);
      for (const goodsId of goodsIds) await call(server.url, "SetInv", { goodsId, num: 100_000 });
      let stopped = false;
      let sold = 0;
      const callers = Array.from({ length: CALLERS }, async (_, i) => {
        while (!stopped) {
          const goodsInfo = [{ goodsId: goodsIds[i % GOODS], num: 1 }];
          if ((await call(server.url, "Sell", { goodsInfo })).code === "ok") sold++;
        }
      });
      // In the middle of it, while there are leases.
      await eventually(async () => sold > CALLERS && (await keysOf(nodes, prefix)).length > 0, "there are leases");
      assertEquals(await server.stop(), 0);
      // At once: what is left stands for a whole TTL.
      assertEquals(await keysOf(nodes, prefix), []);
      stopped = true;
      await Promise.all(callers);
      assert(sold > CALLERS);
    }
    assertEquals(await checkLedger(database.ownerUrl), []);
  } finally {
    for (const node of nodes) node.disconnect();
  }
});

/** Whatever stands under the prefix, on any node. */
async function keysOf(nodes: readonly Redis[], prefix: string): Promise<string[]> {
  return (await Promise.all(nodes.map((node) => node.keys(`${prefix}*`)))).flat();
}
