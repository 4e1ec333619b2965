/**
 * HAProxy in front of two servers as deploy/haproxy/by_goods.cfg has it: calls that name their goods, as the clients of
 * docs/clients.md do, reach one server for each goods, and whatever a call names, it is answered as right.
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { createClient, type UnaryRequest } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  InventoryService,
  RollbackRequestSchema,
  SellBatchRequestSchema,
  SellRequestSchema,
  SetInvRequestSchema,
} from "../../src/gen/inventory/v1/inventory_pb.ts";
import { AdjustInvRequestSchema } from "../../src/gen/inventory/v1/stock_pb.ts";
import { SystemService } from "../../src/gen/inventory/v1/system_pb.ts";
import { createTestDatabase } from "../support/database.ts";
import { startHaproxyByGoods } from "../support/proxies.ts";
import { startServer } from "../support/server.ts";
import { goodsModule } from "../support/talks.ts";
import { TLS_CERTIFICATE } from "../support/tls_server.ts";
import { eventually } from "../support/eventually.ts";

const GOODS = Array.from({ length: 40 }, (_, i) => i + 1);
const ENV = { TRUSTED_PROXIES: "127.0.0.1" };

Deno.test("a call names its first goods as its request does, unless its caller named one", async () => {
  const { namesGoods } = await goodsModule();
  const named = async (message: object, given: HeadersInit = {}) => {
    const header = new Headers(given);
    await namesGoods((request) => Promise.resolve(request as never))(
      { stream: false, header, message } as unknown as UnaryRequest,
    );
    return header.get("x-holdfast-goods");
  };
  const lines = [{ goodsId: 9, num: 1 }, { goodsId: 3, num: 1 }];
  const order = create(SellRequestSchema, { goodsInfo: lines });
  assertEquals(await named(create(SetInvRequestSchema, { goodsId: 7 })), "7");
  assertEquals(await named(create(SetInvRequestSchema, { sku: "blue shirt, XL" })), "blue%20shirt%2C%20XL");
  assertEquals(await named(order), "9");
  assertEquals(await named(create(SellBatchRequestSchema, { orders: [order] })), "9");
  assertEquals(await named(create(AdjustInvRequestSchema, { lines })), "9");
  assertEquals(await named(create(RollbackRequestSchema, { orderId: "A-1" })), null);
  assertEquals(await named(order, { "x-holdfast-goods": "3" }), "3");
});

Deno.test("behind HAProxy each goods is at one of two servers, and when that goes, at the other", async (t) => {
  await using database = await createTestDatabase();
  await using one = await startServer({ env: ENV, database });
  await using two = await startServer({ env: ENV, database });
  await using proxy = await startHaproxyByGoods([one.url, two.url]);
  const { namesGoods } = await goodsModule();
  const transport = () =>
    createGrpcTransport({ baseUrl: proxy.url, nodeOptions: { ca: TLS_CERTIFICATE }, interceptors: [namesGoods] });
  const [first, second] = [transport(), transport()];
  const processOf = async (goods: number, over = first) => {
    const headers = { "x-holdfast-goods": String(goods) };
    return await createClient(SystemService, over).getSystem({}, { headers }).then((it) => it.processId, () => "");
  };
  // In another sequence: whoever takes turns would have each goods at the same one again.
  const others = [...GOODS.filter((goods) => goods % 2 === 0), ...GOODS.filter((goods) => goods % 2 === 1)];
  let places = new Map<number, string>();

  await t.step("over any connection, and both have some", async () => {
    // On a starved machine a look of HAProxy's at a server may be late, and for a moment the other has its goods.
    await eventually(async () => {
      places = new Map(await Promise.all(GOODS.map(async (goods) => [goods, await processOf(goods)] as const)));
      for (const goods of others) if (await processOf(goods, second) !== places.get(goods)) return false;
      return !places.values().some((process) => process === "") && new Set(places.values()).size === 2;
    }, "each goods is at one of two servers");
    const counts = Map.groupBy(places.values(), (process) => process).values().map(({ length }) => length).toArray();
    assert(Math.min(...counts) >= GOODS.length / 5, `${counts}`);
  });

  await t.step("what names the wrong goods, or none, is sold once all the same", async () => {
    const stock = createClient(InventoryService, first);
    await stock.setInv({ goodsId: 1, num: 10 });
    const elsewhere = GOODS.find((goods) => places.get(goods) !== places.get(1))!;
    const order = { orderId: "A-1", goodsInfo: [{ goodsId: 1, num: 3 }] };
    const named = ["1", String(elsewhere), "no goods at all", ""];
    for (const [i, goods] of named.entries()) {
      const { replayed } = await stock.sell(order, { headers: { "x-holdfast-goods": goods } });
      assertEquals(replayed, i > 0, goods);
    }
    assertEquals((await stock.invDetail({ goodsId: 1 })).num, 7);
  });

  await t.step("a server that went leaves its goods to the other", async () => {
    const [gone, left] = [places.get(1)!, GOODS.map((goods) => places.get(goods)!).find((it) => it !== places.get(1))!];
    const isOne = (await createClient(SystemService, createGrpcTransport({ baseUrl: one.url })).getSystem({}))
      .processId === gone;
    await (isOne ? one : two).stop();
    await eventually(async () => {
      const now = await Promise.all(GOODS.map((goods) => processOf(goods)));
      return now.every((process) => process === left);
    }, "all goods are at the one that is left");
    assertNotEquals(gone, left);
    let num: number | undefined;
    // On a starved machine HAProxy's look at the one that is left may be late, and then nobody is there for a moment.
    await eventually(async () => {
      num = await createClient(InventoryService, second).invDetail({ goodsId: 1 }).then(
        (it) => it.num,
        () => undefined,
      );
      return num !== undefined;
    }, "the one that is left answers");
    assertEquals(num, 7);
  });
});
