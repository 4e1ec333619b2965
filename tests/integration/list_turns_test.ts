/**
 * Lists whose reads take their time, on a service with a real database: a bounded number of them is under way at once,
 * whichever call they are for, and sales go on beside them. What ends in an error of the store says so.
 */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import { HoldService } from "../../src/gen/inventory/v1/holds_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { QueryService } from "../../src/gen/inventory/v1/query_pb.ts";
import { StockService } from "../../src/gen/inventory/v1/stock_pb.ts";
import { DatabaseUnavailableError, StatementTimeoutError } from "../../src/store/errors.ts";
import type { Store } from "../../src/store/store.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { storeOn } from "../support/store_bench.ts";
import { grantAllLock } from "../support/unguarded.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const SALES = 20;

for (const [connections, atOnce] of [[8, 2], [2, 1], [1, 1]] as const) {
  Deno.test(`of ${connections} connections lists take ${atOnce}, and sales go on beside them`, async () => {
    await using database = await createTestDatabase();
    const store = storeOn(database, { max: 4, log: SILENT });
    const end = Promise.withResolvers<void>();
    let begun = 0;
    const slow = <A extends unknown[], R>(read: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
      begun++;
      await end.promise;
      return await read(...args);
    };
    const lists: Store["lists"] = {
      ...store.lists,
      levels: slow(store.lists.levels),
      movements: slow(store.lists.movements),
      orders: slow(store.lists.orders),
    };
    const listHolds = slow(store.listHolds);
    await run(database, connections, { ...store, lists, listHolds }, async ({ inventory, holds, stock, query }) => {
      await inventory.setInv({ goodsId: 1, num: 1000 });
      await holds.reserve({ orderId: "held", goodsInfo: [{ goodsId: 1, num: 1 }] });
      const read = [
        query.listInv({}),
        stock.deleteInv({ goodsId: 1, releaseHolds: true, dryRun: true }),
        query.listMovements({}),
        holds.listHolds({}),
        query.listOrders({}),
      ];
      const all = Promise.all(read);
      all.catch(() => {});
      await eventually(() => begun === atOnce, "as many as may be are under way");
      for (let i = 0; i < SALES; i++) await inventory.sell({ orderId: `s-${i}`, goodsInfo: [{ goodsId: 1, num: 1 }] });
      assertEquals(begun, atOnce);
      end.resolve();
      const [levels, deleted, movements] = await all as [
        ...[{ levels: unknown[] }, { releasedHolds: number }, { movements: unknown[] }],
        ...unknown[],
      ];
      assertEquals([levels.levels.length, deleted.releasedHolds, movements.movements.length], [1, 1, SALES + 2]);
      assertEquals(begun, read.length);
    });
  });
}

Deno.test("a deletion whose holds can't be read says why, and nothing is deleted", async () => {
  await using database = await createTestDatabase();
  const store = storeOn(database, { max: 4, log: SILENT });
  let error: Error = new DatabaseUnavailableError("away");
  const listHolds = () => Promise.reject(error);
  await run(database, 2, { ...store, listHolds }, async ({ inventory, holds, stock }) => {
    await inventory.setInv({ goodsId: 1, num: 10 });
    await holds.reserve({ orderId: "held", goodsInfo: [{ goodsId: 1, num: 1 }] });
    for (
      const [fault, code] of [[error, Code.Unavailable], [
        new StatementTimeoutError("57014"),
        Code.ResourceExhausted,
      ]] as const
    ) {
      error = fault;
      for (const dryRun of [true, false]) {
        const failed = await assertRejects(
          () => stock.deleteInv({ goodsId: 1, releaseHolds: true, dryRun }),
          ConnectError,
        );
        assertEquals(failed.code, code);
      }
    }
    assertEquals((await inventory.invDetail({ goodsId: 1 })).reserved, 1);
    assert((await holds.getOrder({ orderId: "held" })).order !== undefined);
  });
});

async function run(
  database: TestDatabase,
  connections: number,
  store: Store,
  calls: (clients: ReturnType<typeof clientsOf>) => Promise<void>,
): Promise<void> {
  const settings: Record<string, string> = {
    PORT: "0",
    DATABASE_URL: database.serverUrl,
    DATABASE_POOL_MAX: `${connections}`,
  };
  const app = await startApp(loadConfig((name) => settings[name]), { lock: grantAllLock(), store, log: SILENT });
  try {
    await calls(clientsOf(app.url));
  } finally {
    await app.close();
  }
}

function clientsOf(baseUrl: string) {
  const transport = createConnectTransport({ baseUrl, useBinaryFormat: true });
  return {
    inventory: createClient(InventoryService, transport),
    holds: createClient(HoldService, transport),
    stock: createClient(StockService, transport),
    query: createClient(QueryService, transport),
  };
}
