/**
 * What one address may have of the queue, over the wire: reads that wait, and operations under way. Another address,
 * which is another loopback address here, is still served.
 */
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { assert, assertEquals } from "@std/assert";
import net from "node:net";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import type { Status } from "../../src/gen/google/rpc/status_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import type { Store } from "../../src/store/store.ts";
import { createTestDatabase } from "../support/database.ts";
import { storeOn } from "../support/store_bench.ts";
import { grantAllLock } from "../support/unguarded.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const GREEDY = "127.0.0.9";
const OTHER = "127.0.0.1";
/** A quarter of QUEUE_MAX. */
const SHARE = 10;
const SETTINGS = new Map([["PORT", "0"], ["QUEUE_MAX", String(4 * SHARE)], ["BATCH_ORDERS_MAX", String(SHARE)]]);

type Client = ReturnType<typeof clientOf>;

/**
 * Runs with a server whose database answers only once `open` is called, and a client from each of the two addresses.
 */
async function withWaitingStore(
  run: (clients: { greedy: Client; other: Client }, store: { asked(): number; open(): void }) => Promise<void>,
): Promise<void> {
  await using database = await createTestDatabase();
  const latch = Promise.withResolvers<void>();
  const store = storeOn(database, { max: 4, log: SILENT });
  let asked = 0;
  const delayed = <A extends unknown[], R>(read: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
    asked++;
    await latch.promise;
    return await read(...args);
  };
  const waiting: Store = {
    ...store,
    readLevels: delayed((...asked: Parameters<Store["readLevels"]>) => store.readLevels(...asked)),
    readSnapshot: delayed((...asked: Parameters<Store["readSnapshot"]>) => store.readSnapshot(...asked)),
  };
  const config = loadConfig((name) => name === "DATABASE_URL" ? database.serverUrl : SETTINGS.get(name));
  const app = await startApp(config, { lock: grantAllLock(), store: waiting, log: SILENT });
  try {
    const [greedy, other] = [GREEDY, OTHER].map((address) => clientOf(app.url, address));
    await run({ greedy: greedy!, other: other! }, { asked: () => asked, open: () => latch.resolve() });
  } finally {
    latch.resolve();
    await app.close();
  }
}

function clientOf(baseUrl: string, localAddress: string) {
  const port = Number(new URL(baseUrl).port);
  const createConnection = () => net.connect({ port, host: "127.0.0.1", localAddress });
  return createClient(InventoryService, createGrpcTransport({ baseUrl, nodeOptions: { createConnection } }));
}

Deno.test("levels: an address has its share of the reads that wait, another its own", async () => {
  await withWaitingStore(async ({ greedy, other }, store) => {
    const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
    const first = greedy.batchInvDetail({ goodsIds: ids(1, SHARE - 1) });
    await eventually(() => store.asked() > 0, "a read");
    const { verdicts } = await greedy.batchInvDetail({ goodsIds: ids(100, 2) });
    for (const { outcome } of verdicts) {
      assertFull(outcome.value as Status, `${SHARE} reads of one address already wait`);
    }
    const single = greedy.invDetail({ goodsId: 50 }).catch((error: ConnectError) => error);
    const one = await greedy.invDetail({ goodsId: 51 }).catch((error: ConnectError) => error);
    assertEquals([(one as ConnectError).code], [Code.ResourceExhausted]);
    const served = [other.batchInvDetail({ goodsIds: ids(1, SHARE) }), first];
    store.open();
    for (const { verdicts } of await Promise.all(served)) {
      for (const { outcome } of verdicts) assertEquals((outcome.value as Status).code, Code.NotFound);
    }
    assertEquals((await single as ConnectError).code, Code.NotFound);
    // Places again, as nothing waits any more.
    const { verdicts: again } = await greedy.batchInvDetail({ goodsIds: ids(1, SHARE) });
    assertEquals(again.map(({ outcome }) => (outcome.value as Status).code), Array(SHARE).fill(Code.NotFound));
  });
});

Deno.test("orders: an address has its share of the operations under way, another its own", async () => {
  await withWaitingStore(async ({ greedy, other }, store) => {
    const orders = (count: number) => Array.from({ length: count }, () => ({ goodsInfo: [{ goodsId: 1, num: 1 }] }));
    const first = greedy.sellBatch({ orders: orders(SHARE - 1) });
    await eventually(() => store.asked() > 0, "a read");
    const refused: ConnectError[] = [];
    const one = () => greedy.sell(orders(1)[0]!).catch((error: ConnectError) => error as ConnectError);
    const singles = [one(), one(), one()];
    for (const single of singles) void single.then((error) => refused.push(error as ConnectError));
    await eventually(() => refused.length === 2, "two to be refused");
    for (const { code, rawMessage, details } of refused) {
      assertEquals([code, rawMessage, details.length], [
        Code.ResourceExhausted,
        `${SHARE} operations of one address are under way`,
        2,
      ]);
    }
    const served = [first, other.sellBatch({ orders: orders(SHARE) })];
    store.open();
    for (const { verdicts } of await Promise.all(served)) {
      for (const { outcome } of verdicts) assertEquals((outcome.value as Status).code, Code.NotFound);
    }
    await Promise.all(singles);
    assertEquals(refused.at(-1)!.code, Code.NotFound);
  });
});

function assertFull({ code, message, details }: Status, text: string): void {
  assertEquals([code, message], [Code.ResourceExhausted, text]);
  const [info, retry] = details;
  assertEquals(anyUnpack(info!, ErrorInfoSchema)?.reason, "QUEUE_FULL");
  assert(anyUnpack(retry!, RetryInfoSchema) !== undefined);
}
