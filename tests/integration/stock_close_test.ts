/**
 * Closing what is behind the port, while batches are under way whose callers have gone: it waits for them, and releases
 * every lease.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { openStock } from "../../src/stock.ts";
import { loadConfig } from "../../src/config/config.ts";
import { QuorumLostError } from "../../src/lock/lock.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { lockRow } from "../support/contention.ts";
import { NEVER } from "../support/pool_probe.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const GOODS = 20;
const EVERY_NODE = 5;

Deno.test("closing waits for the batches under way and releases their leases: no key is left on any node", async () => {
  await using database = await createTestDatabase();
  const urls = testEnvironment().redisUrls;
  const nodes = urls.map((url) => new Redis(url));
  const LOCK_KEY_PREFIX = `close-${crypto.randomUUID()}:`;
  const settings: Record<string, string> = {
    CONCURRENCY: "redlock",
    DATABASE_URL: database.serverUrl,
    REDIS_URLS: urls.join(","),
    LOCK_KEY_PREFIX,
  };
  const stock = openStock(loadConfig((name) => settings[name]), { log: SILENT });
  const keys = async (goods = "[0-9]*") =>
    (await Promise.all(nodes.map((node) => node.keys(`${LOCK_KEY_PREFIX}goods:${goods}`)))).flat();
  const set = (operationId: string, goodsId: number, num: number) =>
    stock.lanes.apply({ kind: "set", operationId, goodsId, locationId: 0, num }, NEVER).then(() => true, () => false);
  try {
    await eventually(() => stock.lock!.ping().then(() => true, () => false), "a quorum votes");
    for (let goodsId = 1; goodsId <= GOODS; goodsId++) {
      assert(await set(`first-${goodsId}`, goodsId, 5));
    }
    await eventually(async () => (await keys()).length === 0, "the leases of before are released");
    await using row = await lockRow(database.ownerUrl, 1);
    const writes = Array.from({ length: GOODS }, (_, i) => set(`second-${i + 1}`, i + 1, 7));
    // While the row is locked; its statement waits for a quarter of a second, and the batch comes again and again.
    await eventually(async () => (await keys("1")).length >= EVERY_NODE - 2, "there is a lease");
    const closed = stock.close();
    await row.release();
    await closed;
    assertEquals(await keys(), []);
    const made = await Promise.all(writes);
    assertEquals(made.slice(1), Array(GOODS - 1).fill(true), "what was under way is done");
    assertEquals(stock.lock!.status().leases, []);
    await assertRejects(() => stock.lock!.ping(), QuorumLostError, "0 of 5", "its connections are closed");
  } finally {
    await stock.close();
    for (const node of nodes) node.disconnect();
  }
});
