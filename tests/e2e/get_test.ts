/**
 * Reads by Connect's GET, over both versions of HTTP: answered as a POST is, checked as a POST is, and only under names
 * that can't be those of somebody else's page.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { GoodsService } from "../../src/gen/inventory/v1/goods_pb.ts";
import { HoldService } from "../../src/gen/inventory/v1/holds_pb.ts";
import { InventoryService, OrderState } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { QueryService } from "../../src/gen/inventory/v1/query_pb.ts";
import { StockService } from "../../src/gen/inventory/v1/stock_pb.ts";
import { Concurrency, LockService } from "../../src/gen/inventory/v1/lock_pb.ts";
import { SystemService } from "../../src/gen/inventory/v1/system_pb.ts";
import { registry } from "../support/clients/client.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { type Connection, eachVersion } from "../support/http_versions.ts";
import { v1Path, varintField } from "../support/raw_call.ts";
import { serverTest, type TestServer } from "../support/server.ts";
import { level } from "./scenario.ts";

/** Where somebody's own name leads to this machine. */
const REBOUND = "rebound.example";

/** A name of the server's own, beside those that always are. */
const OWN = "stock.example";

serverTest("reads are answered to a GET as to a POST", { env: { ALLOWED_HOSTS: OWN } }, async (server, step) => {
  await callJson(server.url, "SetInv", JSON.stringify({ goodsId: 1, num: 10 }));
  await callJson(server.url, "SetInv", JSON.stringify({ goodsId: 2, num: 5 }));
  await callJson(server.url, "Sell", JSON.stringify({ orderId: "sold", goodsInfo: [{ goodsId: 2, num: 1 }] }));

  await step("of the library for browsers, in both encodings", async () => {
    for (const useBinaryFormat of [false, true]) {
      const methods: string[] = [];
      const transport = createConnectTransport({
        baseUrl: server.url,
        useHttpGet: true,
        useBinaryFormat,
        jsonOptions: { registry },
        fetch: (input, init) => {
          methods.push(init?.method ?? "");
          return fetch(input, init);
        },
      });
      const inventory = createClient(InventoryService, transport);
      assertEquals((await inventory.invDetail({ goodsId: 1 })).num, 10);
      const all = (await inventory.invDetail({ goodsId: 1, allLocations: true })).allLocations;
      assertEquals([all?.num, all?.levels.length], [10n, 1]);
      const { verdicts } = await inventory.batchInvDetail({ goodsIds: [1, 9] });
      assertEquals(verdicts.map(({ outcome }) => outcome.case), ["detail", "error"]);
      assertEquals((await createClient(LockService, transport).status({})).concurrency, Concurrency.REDLOCK);
      const holds = createClient(HoldService, transport);
      const { order } = await holds.getOrder({ orderId: "sold" });
      assertEquals(order?.state, OrderState.SOLD);
      assertEquals([(await holds.listHolds({})).holds, (await holds.listShortfalls({})).shortfalls], [[], []]);
      const { policy } = await createClient(StockService, transport).getPolicy({ goodsId: 2 });
      assertEquals(policy?.orderNumMax, 0);
      const goods = createClient(GoodsService, transport);
      assertEquals((await goods.getGoods({ goodsId: 2 })).goods?.sku, "");
      assertEquals((await goods.listReasons({})).reasons.length, 6);
      const lists = createClient(QueryService, transport);
      assertEquals((await lists.listInv({})).levels.length, 2);
      assertEquals((await lists.listMovements({ orderId: "sold" })).movements.length, 1);
      assertEquals((await lists.listOrders({})).orders.length, 1);
      assertEquals((await lists.explainInv({ goodsId: 2 })).addsUp, true);
      assertEquals((await lists.getStats({ daysOnly: true })).totals?.onHand, 14n);
      const system = createClient(SystemService, transport);
      assertEquals([(await system.whoAmI({})).rights.length, (await system.getSystem({})).ordersApplied], [4, 1n]);
      assertEquals(methods, Array(17).fill("GET"));
    }
  });

  await eachVersion(server.url, async (version, connection) => {
    const get = (query: string, headers: Readonly<Record<string, string>> = {}, method = "InvDetail") =>
      asked(connection, `${v1Path(method)}?${query}`, headers);

    await step(`${version}: every form of a query, and never to be kept`, async () => {
      const binary = varintField(1, 1n);
      const queries = [
        json({ goodsId: 1 }),
        `connect=v1&${json({ goods_id: "1" })}&_=1700000000`,
        `encoding=json&base64=1&message=${Buffer.from(`{"goodsId":1}`).toString("base64url")}`,
        `encoding=json&base64=1&compression=gzip&message=${gzipSync(`{"goodsId":1}`).toString("base64url")}`,
      ];
      for (const query of queries) {
        const { status, body, headers } = await get(query);
        assertEquals([status, body, headers["cache-control"]], [200, level(1, 10, 1), "no-store"], query);
      }
      const proto = await connection.request(
        "GET",
        `${v1Path("InvDetail")}?encoding=proto&base64=1&message=${binary.toString("base64")}`,
      );
      assertEquals([proto.status, proto.headers["content-type"]], [200, "application/proto"]);
    });

    await step(`${version}: a body or a content type of its own changes nothing`, async () => {
      const { status, body } = await get(json({ goodsId: 1 }), { "content-type": "application/grpc" });
      assertEquals([status, body], [200, level(1, 10, 1)]);
    });

    await step(`${version}: what is wrong with a message is said as of a POST`, async () => {
      const rows: [query: string, status: number, code: string, text: string][] = [
        [json({ goodsId: 1, colour: "red" }), 400, "invalid_argument", "colour: expected a field of the request"],
        [json({ goodsId: -1 }), 400, "invalid_argument", "goods_id: expected a goods id greater than 0"],
        [json({ goodsId: 9 }), 404, "not_found", "unknown goods: 9"],
        ["encoding=json", 400, "invalid_argument", "expected a JSON object, got its end"],
        ["encoding=json&message=%7B", 400, "invalid_argument", "the message can't be read"],
        ["encoding=json&message=%FF", 400, "invalid_argument", "the message can't be read"],
        ["encoding=json&base64=1&message=***", 400, "invalid_argument", "it is not base64"],
        ["encoding=proto&base64=1&message=Cg", 400, "invalid_argument", "the message can't be read"],
        ["encoding=json&compression=gzip&message=%7B%7D", 400, "invalid_argument", "decompression failed"],
        ["encoding=json&compression=br&message=%7B%7D", 501, "unimplemented", "br"],
        ["message=%7B%7D", 400, "invalid_argument", "encoding: expected json or proto in the URL, got none"],
        [
          "encoding=xml&message=%7B%7D",
          400,
          "invalid_argument",
          "encoding: expected json or proto in the URL, got xml",
        ],
        [
          `${json({ goodsId: 1 })}&message=%7B%7D&encoding=proto`,
          400,
          "invalid_argument",
          "encoding: expected once in the URL, it is there 2 times, and 1 more",
        ],
      ];
      for (const [query, status, code, text] of rows) {
        const answer = await get(query);
        assertEquals([answer.status, answer.body.code], [status, code], query);
        assertStringIncludes(String(answer.body.message), text);
      }
    });

    await step(`${version}: what is packed is no larger than what is not`, async () => {
      const bomb = gzipSync(Buffer.concat([Buffer.from("{"), Buffer.alloc(5_000_000, " "), Buffer.from("}")]));
      const { status, body } = await get(
        `encoding=json&base64=1&compression=gzip&message=${bomb.toString("base64url")}`,
      );
      assertEquals([status, body.code], [429, "resource_exhausted"]);
    });

    await step(`${version}: a write is no GET`, async () => {
      const before = await levelOf(server);
      const services = [InventoryService, HoldService, StockService, GoodsService];
      const writes = services.flatMap(({ typeName, methods }) =>
        methods.filter(({ idempotency }) => idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS)
          .map(({ name }) => `/${typeName}/${name}`)
      );
      assertEquals(writes.length, 5 + 5 + 7 + 2);
      for (const path of writes) {
        const { status, headers } = await connection.request("GET", `${path}?${json({ goodsId: 1, num: 3 })}`);
        assertEquals([status, headers.allow], [405, "POST"], path);
      }
      assertEquals(await levelOf(server), before);
    });

    await step(`${version}: under a name that may be anybody's it is refused, and the name is said`, async () => {
      const name = version === "HTTP/2" ? ":authority" : "host";
      for (const host of [REBOUND, `${REBOUND}:${server.port}`, `127.0.0.1.${REBOUND}`, `a.${OWN}`]) {
        const { status, body } = await get(json({ goodsId: 1 }), { [name]: host });
        assertEquals([status, body.code], [403, "permission_denied"], host);
        assertStringIncludes(String(body.message), `got one to ${host}`);
      }
      for (const host of [OWN, `${OWN}:443`, "localhost", "127.0.0.1", "[::1]:1", "10.0.0.7"]) {
        assertEquals((await get(json({ goodsId: 1 }), { [name]: host })).status, 200, host);
      }
    });

    await step(`${version}: a POST, and a look at health, go by any name`, async () => {
      const name = version === "HTTP/2" ? ":authority" : "host";
      const headers = { [name]: REBOUND, "content-type": "application/json" };
      const call = await connection.request("POST", v1Path("InvDetail"), headers, [Buffer.from(`{"goodsId":1}`)]);
      assertEquals(call.status, 200);
      assertEquals((await connection.request("GET", "/healthz", { [name]: REBOUND })).status, 200);
    });

    await step(`${version}: a page of another origin gets nothing`, async () => {
      const { status } = await connection.request("GET", `${v1Path("InvDetail")}?${json({ goodsId: 1 })}`, {
        origin: `http://${REBOUND}`,
      });
      assertEquals(status, 403);
    });
  });
});

function json(message: unknown): string {
  return `encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`;
}

async function asked(connection: Connection, path: string, headers: Readonly<Record<string, string>>) {
  const { status, headers: answered, body } = await connection.request("GET", path, headers);
  return { status, headers: answered, body: JSON.parse(body.toString()) as Record<string, unknown> };
}

async function levelOf(server: TestServer) {
  return await callJson(server.url, "InvDetail", JSON.stringify({ goodsId: 1 }));
}
