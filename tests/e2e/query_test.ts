/**
 * QueryService of the real program: the same lists for clients that nobody here wrote over all protocols, tokens that
 * are refused, and walks beside writers.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createConnectTransport } from "@connectrpc/connect-web";
import { call } from "../support/callers.ts";
import { bufCurlClient } from "../support/clients/buf_curl.ts";
import type { CallResult, Client, Json } from "../support/clients/client.ts";
import { callTransport, connectBinaryClient, grpcWebClient } from "../support/clients/connect_web.ts";
import { grpcJsClient } from "../support/clients/grpc_js.ts";
import { jsonClient } from "../support/clients/json_fetch.ts";
import { post, serverTest, type Step } from "../support/server.ts";

const SERVICE = "inventory.v1.QueryService";
const GOODS = 12;
const ORDERS = 8;
/** More pages than a walk of these tests has. */
const PAGES_MAX = 500;

type List = "ListInv" | "ListMovements" | "ListOrders";
type Method = List | "ExplainInv" | "GetStats";
const ROWS: Readonly<Record<List, string>> = { ListInv: "levels", ListMovements: "movements", ListOrders: "orders" };

/** An answer, or the body of an error, as JSON by fetch. */
async function ask(url: string, method: Method, request: Json): Promise<Json> {
  return (await post(`${url}/${SERVICE}/${method}`, request)).body as Json;
}

/** All rows of a list. */
async function walk(url: string, method: List, request: Json): Promise<Json[]> {
  const rows: Json[] = [];
  let pageToken = "";
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await ask(url, method, { ...request, pageToken });
    assert(Array.isArray(answer[ROWS[method]]), JSON.stringify(answer));
    rows.push(...answer[ROWS[method]] as Json[]);
    pageToken = String(answer.nextPageToken);
    if (pageToken === "") return rows;
  }
  throw new Error(`a walk of more than ${PAGES_MAX} pages`);
}

async function done(url: string, method: string, request: Json): Promise<void> {
  const { code, body } = await call(url, method, request);
  assertEquals(code, "ok", JSON.stringify(body));
}

async function fill(url: string): Promise<void> {
  for (let goodsId = 1; goodsId <= GOODS; goodsId++) {
    await done(url, "SetInv", { goodsId, num: goodsId === 3 ? 1 : 100, locationId: goodsId % 3 });
  }
  for (let i = 1; i <= ORDERS; i++) {
    const goodsInfo = [{ goodsId: 3, locationId: 0, num: 0 }, { goodsId: i + 3, locationId: (i + 3) % 3, num: 1 }]
      .slice(1);
    await done(url, "Sell", { orderId: `order-${i}`, goodsInfo });
  }
  await done(url, "Sell", { orderId: "last", goodsInfo: [{ goodsId: 3, num: 1 }] });
  await done(url, "Rollback", { orderId: "order-2" });
}

serverTest("lists answer what there is, the same for every client", {}, async ({ url }, step) => {
  await fill(url);
  await step("stock, with a total", async () => {
    const answer = await ask(url, "ListInv", { pageSize: 2, goodsIds: [3, 4, 5], total: "TOTAL_COUNT_EXACT" });
    assertEquals([answer.total, answer.totalIsEstimate], ["3", false]);
    const [third, fourth] = answer.levels as Json[];
    const { updatedAt, ...rest } = third!;
    assertMatch(String(updatedAt), /^20/);
    assertEquals(rest, {
      ...{ goodsId: 3, locationId: 0, sku: "", num: 0, onHand: 0, reserved: 0, version: "2" },
      ...{ low: false, soldOut: true },
    });
    assertEquals([fourth!.goodsId, fourth!.locationId, fourth!.num], [4, 1, 99]);
  });
  await step("an estimated total says that it is one", async () => {
    const { total, totalIsEstimate } = await ask(url, "ListInv", { total: "TOTAL_COUNT_ESTIMATE" });
    assert(Number(total) >= 0);
    assertEquals(totalIsEstimate, true);
  });
  await step("what changed since an earlier walk, from its token", async () => {
    const { changesToken } = await ask(url, "ListInv", {});
    await done(url, "SetInv", { goodsId: 7, locationId: 1, num: 55 });
    const changed = await walk(url, "ListInv", { changedSinceToken: changesToken, pageSize: 3 });
    assertEquals(changed.length, GOODS, "all were set within the overlap");
    const { goodsId, num } = changed.at(-1)!;
    assertEquals([goodsId, num], [7, 55]);
  });
  await step("the movements of an order, and their kinds", async () => {
    const movements = await walk(url, "ListMovements", { orderId: "order-2", pageSize: 1 });
    assertEquals(movements.map(({ kind, onHandDelta }) => [kind, onHandDelta]), [
      ["MOVEMENT_KIND_ROLLBACK", 1],
      ["MOVEMENT_KIND_SELL", -1],
    ]);
  });
  await step("why a goods stands where it does", async () => {
    const goodsInfo = [{ goodsId: 5, locationId: 2, num: 4 }];
    await post(`${url}/inventory.v1.HoldService/Reserve`, { orderId: "held", buyerId: "b", goodsInfo });
    const { level, sums, opening, addsUp, holds, movements, ...rest } = await ask(url, "ExplainInv", {
      goodsId: 5,
      locationId: 2,
      movementsMax: 1,
    });
    assertEquals([(level as Json).num, (level as Json).onHand, (level as Json).reserved], [96, 100, 4]);
    assertEquals(
      (sums as Json[]).map(({ kind, movements, onHandDelta, reservedDelta }) => [
        ...[kind, movements, onHandDelta, reservedDelta],
      ]),
      [
        ["MOVEMENT_KIND_RESERVE", "1", "0", "4"],
        ["MOVEMENT_KIND_ROLLBACK", "1", "1", "0"],
        ["MOVEMENT_KIND_SELL", "1", "-1", "0"],
        ["MOVEMENT_KIND_SET", "1", "100", "0"],
      ],
    );
    assertEquals([opening, addsUp], [{ version: "0", onHand: 0, reserved: 0 }, true]);
    assertEquals((holds as Json[]).map(({ orderId, buyerId, num, due }) => [orderId, buyerId, num, due]), [
      ["held", "b", 4, false],
    ]);
    assertEquals((movements as Json[]).map(({ version, orderId }) => [version, orderId]), [["4", "held"]]);
    assertEquals(rest, { holdsTotal: 1, moreHolds: false, waiting: 0 });
  });
  await step("what there is in all, and what was turned over today", async () => {
    const { totals, turnover, refusals } = await ask(url, "GetStats", { goodsIds: [5, 6], timeZone: "Europe/Berlin" });
    assertEquals(totals, {
      ...{ places: "2", onHand: "199", reserved: "4", num: "195", low: "0", soldOut: "0", isEstimate: false },
    });
    const sums = new Map<unknown, number[]>();
    for (const { goodsId, sold, givenBack, added, removed, movements } of turnover as Json[]) {
      const row = [sold, givenBack, added, removed, movements].map(Number);
      // Of two days where the test runs over midnight.
      sums.set(goodsId, row.map((value, i) => value + (sums.get(goodsId)?.[i] ?? 0)));
    }
    assertEquals([...sums].sort(), [[5, [1, 1, 100, 0, 4]], [6, [1, 0, 100, 0, 2]]]);
    assertEquals(refusals, []);
  });
  await step("orders, the newest first", async () => {
    const orders = await walk(url, "ListOrders", { pageSize: 2 });
    assertEquals(orders.map(({ orderId }) => orderId), [
      "held",
      "last",
      ...Array(ORDERS).keys().map((i) => `order-${ORDERS - i}`),
    ]);
  });
  await step("tokens of other queries are refused, and a page's size may change", () => tokensAreOfOneQuery(url));
  await sameForAll(url, step);
});

async function tokensAreOfOneQuery(url: string): Promise<void> {
  const { nextPageToken, changesToken } = await ask(url, "ListInv", { pageSize: 2 });
  const refused: readonly (readonly [Method, Json])[] = [
    ["ListInv", { pageToken: nextPageToken, descending: true }],
    ["ListInv", { pageToken: nextPageToken, soldOut: false }],
    ["ListInv", { pageToken: changesToken }],
    ["ListInv", { changedSinceToken: nextPageToken }],
    ["ListMovements", { pageToken: nextPageToken }],
    ["ListInv", { pageToken: `${nextPageToken}A` }],
  ];
  for (const [method, request] of refused) {
    const { code, message } = await ask(url, method, request);
    assertEquals(code, "invalid_argument", JSON.stringify(request));
    assertMatch(String(message), /expected a token that this list answered/);
  }
  const { levels } = await ask(url, "ListInv", { pageToken: nextPageToken, pageSize: 1 });
  assertEquals((levels as Json[]).map(({ goodsId }) => goodsId), [3]);
}

/** Every client gets the same pages and the same errors. */
async function sameForAll(url: string, step: Step): Promise<void> {
  const get = createConnectTransport({ baseUrl: url, useHttpGet: true });
  const clients: readonly Pick<Client, "name" | "call">[] = [
    grpcJsClient(url),
    grpcWebClient(url),
    connectBinaryClient(url),
    jsonClient(url),
    { name: "connect-web, Connect by GET", call: (method, request) => callTransport(get, method, request) },
    ...(["grpc", "grpcweb", "connect"] as const).map((protocol) => bufCurlClient(url, protocol)),
  ];
  const asked: readonly (readonly [Method, Json])[] = [
    ["ListInv", { pageSize: 5, total: "TOTAL_COUNT_EXACT" }],
    ["ListInv", { soldOut: true }],
    ["ListMovements", { orderId: "order-2", sort: "TIME_SORT_OLDEST_FIRST" }],
    ["ListOrders", { states: ["ORDER_STATE_ROLLED_BACK"] }],
    ["ExplainInv", { goodsId: 4, locationId: 1, movementsMax: 2 }],
    ["GetStats", { goodsIds: [4], timeZone: "Asia/Shanghai" }],
    ["ListInv", { pageSize: 1001, goodsIds: [-1], pageToken: "none" }],
  ];
  for (const [method, request] of asked) {
    const expected = withoutTokens({ answer: await ask(url, method, request) });
    const isError = "code" in (expected as { answer: Json }).answer;
    for (const client of clients) {
      await step(`${client.name}: ${method} ${JSON.stringify(request)}`, async () => {
        const result = withoutTokens(await client.call(method, request));
        if (!isError) return assertEquals(result, expected);
        assert("code" in result, JSON.stringify(result));
        assertEquals(result.code, "INVALID_ARGUMENT");
        const fields = (result.details[0]!.fieldViolations as { field: string }[]).map(({ field }) => field);
        assertEquals(fields, ["goods_ids[0]", "page_size", "page_token"]);
      });
    }
  }
  for (const client of clients) if (Symbol.asyncDispose in client) await (client as Client)[Symbol.asyncDispose]();
}

/** Tokens say when they were made. */
function withoutTokens(result: CallResult): CallResult {
  return JSON.parse(JSON.stringify(result), (name, value) => /Token$/.test(name) ? value !== "" : value);
}

serverTest("a walk beside writers finds every row that was there throughout exactly once", {}, async ({ url }) => {
  const goodsIds = Array.from({ length: 60 }, (_, i) => 2 * i + 2);
  await Promise.all(goodsIds.map((goodsId) => done(url, "SetInv", { goodsId, num: 1000 })));
  const before = new Set((await walk(url, "ListMovements", {})).map(nameOfMovement));
  const ordersBefore = 40;
  for (let i = 0; i < ordersBefore; i++) {
    await done(url, "Sell", { orderId: `before-${i}`, goodsInfo: [{ goodsId: goodsIds[i % 7]!, num: 1 }] });
  }
  let isOver = false;
  let sold = 0;
  // They sell what is listed, open goods between those, and give orders back.
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let i = 0; !isOver; i++) {
      const orderId = `w${writer}-${i}`;
      await call(url, "Sell", { orderId, goodsInfo: [{ goodsId: goodsIds[(7 * i + writer) % 60]!, num: 1 }] });
      sold++;
      if (i % 3 === 0) await call(url, "SetInv", { goodsId: 2 * ((i + writer) % 60) + 1, num: i });
      if (i % 5 === 0) await call(url, "Rollback", { orderId: `before-${i % ordersBefore}` });
      // What they write is walked through: more of it shows nothing more.
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  });
  try {
    for (let round = 0; round < 2; round++) {
      for (const descending of [false, true]) {
        const walked = (await walk(url, "ListInv", { pageSize: 3, descending })).map(({ goodsId }) => Number(goodsId));
        assertEquals(new Set(walked).size, walked.length, "no goods came twice");
        assertEquals(walked.filter((goodsId) => goodsId % 2 === 0), descending ? goodsIds.toReversed() : goodsIds);
      }
      for (const sort of ["TIME_SORT_NEWEST_FIRST", "TIME_SORT_OLDEST_FIRST"]) {
        const until = new Date(Date.now() + 60_000).toISOString();
        const movements = (await walk(url, "ListMovements", { pageSize: 50, sort, until })).map(nameOfMovement);
        assertEquals(new Set(movements).size, movements.length, "no movement came twice");
        assertEquals(before.difference(new Set(movements)), new Set(), "no movement is missing");
        const orders = (await walk(url, "ListOrders", { pageSize: 7, sort })).map(({ orderId }) => String(orderId));
        assertEquals(new Set(orders).size, orders.length, "no order came twice");
        assertEquals(orders.filter((orderId) => orderId.startsWith("before-")).length, ordersBefore);
      }
    }
    assert(sold > 0);
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
});

function nameOfMovement({ goodsId, locationId, version }: Json): string {
  return `${goodsId}@${locationId} ${version}`;
}
