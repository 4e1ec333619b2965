/**
 * Bad values for holds, stock, names and lists, over gRPC, gRPC-web and JSON: each has the same answer there, and moves
 * nothing.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { gzipSync } from "node:zlib";
import { type PagedList, type PageKey, pageToken } from "../../src/services/page_token.ts";
import { changesList, levelsList, movementsList, ordersList } from "../../src/services/query/tokens.ts";
import type { LevelQuery } from "../../src/inventory/queries.ts";
import { type BadInput, runBadInputs } from "../support/bad_input.ts";
import type { CallResult, Client, Json, Method } from "../support/clients/client.ts";
import { grpcWebClient } from "../support/clients/connect_web.ts";
import { grpcJsClient } from "../support/clients/grpc_js.ts";
import { callJson, jsonClient } from "../support/clients/json_fetch.ts";
import { rawHttp1 } from "../support/raw_call.ts";
import { serverTest } from "../support/server.ts";

const INT32_MAX = 2_147_483_647;
const INT32_MIN = -2_147_483_648;
const LINES_MAX = 500;
const PARTS_MAX = 1000;
/** Numbers of a made-up key: before all that there is, behind it, and at the ends of what a double says exactly. */
const ODD_NUMBERS = [0, 1, -1, INT32_MAX + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 62_135_596_800_000_000];
const ODD_TEXTS = ["", "\0", "a\0b", "\u{10FFFF}", "'; drop table orders; --", "%", "x".repeat(500)];

const line = (num: number, more: Json = {}): Json => ({ goodsId: 1, num, ...more });
const lines = (...goodsInfo: Json[]): Json => ({ goodsInfo });
const many = (count: number): Json[] => Array.from({ length: count }, (_, i) => ({ goodsId: i + 1, num: 1 }));

const HOLDS: readonly BadInput[] = [
  row("Reserve", {}, INVALID("goods_info", "order_id")),
  row("Reserve", { orderId: "h-1", ...lines(line(-1), line(1, { locationId: -1 })) }, [
    ...["INVALID_ARGUMENT", "goods_info[0].num", "goods_info[1].location_id"],
  ]),
  row("Reserve", { orderId: "h-1", ...lines(line(INT32_MAX), line(1)) }, INVALID("goods_info")),
  row("Reserve", { orderId: "h-1", goodsInfo: many(LINES_MAX + 1) }, INVALID("goods_info")),
  ...["0s", "-1s", "0.0000001s", "2678400.001s", "315576000000s"].map((ttl) =>
    row("Reserve", { orderId: "h-1", ...lines(line(1)), ttl }, INVALID("ttl"))
  ),
  row(
    "Reserve",
    { orderId: "a\0b", ...lines(line(1)), buyerId: "a b", fill: 7, reason: "because", documentUri: "\n" },
    [
      ...["INVALID_ARGUMENT", "order_id", "buyer_id", "fill", "document_uri", "reason"].toSorted(),
    ],
  ),
  row("Reserve", { orderId: "h-1", ...lines(line(11)) }, ["FAILED_PRECONDITION"]),
  row("Reserve", { orderId: "h-1", ...lines(line(11)), fill: 2, dryRun: true }, ["OK"]),
  row("Reserve", { orderId: "sold", ...lines(line(1)) }, ["FAILED_PRECONDITION"]),
  row("Reserve", { orderId: "held", ...lines({ goodsId: 99, num: 1 }) }, ["NOT_FOUND"]),
  row("ExtendHold", { orderId: "held", ttl: "-1s" }, INVALID("ttl")),
  row("ExtendHold", { orderId: "none" }, ["NOT_FOUND"]),
  row("ExtendHold", { orderId: "held", ttl: "2678400s", dryRun: true }, ["OK"]),
  row("ConfirmHold", { orderId: "held", ...lines(line(9)) }, ["FAILED_PRECONDITION"]),
  row("ConfirmHold", { orderId: "none" }, ["NOT_FOUND"]),
  row("ConfirmHold", { orderId: "sold" }, ["FAILED_PRECONDITION"]),
  row("ReleaseHold", { orderId: "sold" }, ["FAILED_PRECONDITION"]),
  row("ReleaseHold", { orderId: "none", dryRun: true }, ["OK"]),
  row("ReleaseHold", {}, INVALID("order_id")),
  row("GetOrder", { orderId: "' or 1=1" }, INVALID("order_id")),
  row("ListHolds", { pageSize: 201, locationId: 1, buyerId: "é", expiresFrom: "0001-01-01T00:00:00Z" }, [
    ...["INVALID_ARGUMENT", "buyer_id", "expires_from", "location_id", "page_size"],
  ]),
  row("ListHolds", { goodsId: -1, pageToken: "A".repeat(3000) }, INVALID("goods_id", "page_token")),
  row("ListHolds", { sku: "none" }, ["NOT_FOUND"]),
  row("ListShortfalls", { pageSize: INT32_MIN }, INVALID("page_size")),
  row("ResolveShortfall", { orderId: "held" }, INVALID("resolution")),
  row("ResolveShortfall", { orderId: "held", resolution: "refunded\u202e" }, INVALID("resolution")),
  row("ResolveShortfall", { orderId: "held", resolution: "refunded" }, ["NOT_FOUND"]),
];

const STOCK: readonly BadInput[] = [
  row("AdjustInv", {}, INVALID("lines")),
  row("AdjustInv", { lines: [{ goodsId: 1, delta: 0 }, { goodsId: -1, delta: 1, locationId: INT32_MIN }] }, [
    ...["INVALID_ARGUMENT", "lines[0].delta", "lines[1].goods_id", "lines[1].location_id"],
  ]),
  row("AdjustInv", { lines: [{ goodsId: 1, delta: 5 }, { goodsId: 1, delta: -5 }] }, INVALID("lines")),
  row("AdjustInv", { lines: [{ goodsId: 1, delta: INT32_MIN }] }, INVALID("lines")),
  row("AdjustInv", { lines: [{ goodsId: 1, delta: 1 }], operationId: "x".repeat(65) }, INVALID("operation_id")),
  row("AdjustInv", { lines: many(LINES_MAX + 1).map(({ goodsId }) => ({ goodsId, delta: 1 })) }, INVALID("lines")),
  row("AdjustInv", { lines: [{ goodsId: 1, delta: -INT32_MAX }] }, ["FAILED_PRECONDITION"]),
  row("AdjustInv", { lines: [{ goodsId: 1, delta: INT32_MAX }] }, ["OUT_OF_RANGE"]),
  row("AdjustInv", { lines: [{ goodsId: 1, delta: 1, locationId: INT32_MAX }] }, ["NOT_FOUND"]),
  row("CountInv", { goodsId: 1, num: -1, occurredAt: "9999-12-31T23:59:59Z" }, INVALID("num", "occurred_at")),
  row("CountInv", { goodsId: 1, num: 1, occurredAt: "0001-01-01T00:00:00Z" }, INVALID("occurred_at")),
  row("CountInv", { goodsId: 1, num: 0 }, ["FAILED_PRECONDITION"]),
  row("TransferInv", { lines: [line(1)] }, INVALID("to_location_id")),
  row("TransferInv", { fromLocationId: -1, toLocationId: -2, lines: [line(0)] }, [
    ...["INVALID_ARGUMENT", "from_location_id", "lines[0].num", "to_location_id"],
  ]),
  row("TransferInv", { toLocationId: INT32_MAX, lines: [line(INT32_MAX)] }, ["FAILED_PRECONDITION"]),
  row("SetPolicy", {
    goodsId: 1,
    policy: {
      ...{ safetyStock: 1_000_000_001, backorderMax: -1, orderNumMax: -1, buyerNumMax: INT32_MIN, lowStockAt: -1 },
      ...{ lowStockUntil: -2, buyerWindow: "0s", holdTtl: "2678401s" },
    },
  }, [
    ...["INVALID_ARGUMENT", "policy.backorder_max", "policy.buyer_num_max", "policy.buyer_window", "policy.hold_ttl"],
    ...["policy.low_stock_at", "policy.low_stock_until", "policy.order_num_max", "policy.safety_stock"],
  ]),
  row("SetPolicy", { goodsId: 99 }, ["NOT_FOUND"]),
  row("GetPolicy", { goodsId: 1, locationId: -1 }, INVALID("location_id")),
  row("DeleteInv", { goodsId: 1 }, ["FAILED_PRECONDITION"]),
  row("DeleteInv", { goodsId: 1, releaseHolds: true, dryRun: true }, ["OK"]),
  row("RestoreInv", { goodsId: 99 }, ["NOT_FOUND"]),
  row("ApplyBatch", {}, INVALID("operations")),
  row("ApplyBatch", { operations: [{}, { sell: {} }, { adjustInv: { lines: [{ goodsId: 1, delta: 0 }] } }] }, ["OK"]),
  row("ApplyBatch", { operations: Array(PARTS_MAX + 1).fill({ releaseHold: { orderId: "held", dryRun: true } }) }, [
    ...["INVALID_ARGUMENT", "operations"],
  ]),
];

const NAMES: readonly BadInput[] = [
  row("RegisterGoods", { sku: "", goodsId: -1 }, INVALID("goods_id", "sku")),
  row("RegisterGoods", { sku: "a\u2028b" }, INVALID("sku")),
  row("RegisterGoods", { sku: "\u{1D160}".repeat(22) }, INVALID("sku")),
  row("RegisterGoods", { sku: "TEA", goodsId: 2 }, ["ALREADY_EXISTS"]),
  row("GetGoods", { sku: "TEA", goodsId: 2 }, INVALID("sku")),
  row("GetGoods", { sku: "TEA", goodsId: 1 }, ["OK"]),
  row("RegisterGoods", { sku: "new", dryRun: true }, ["OK"]),
  row("RegisterGoods", { sku: "new", goodsId: 2, dryRun: true }, ["OK"]),
  row("RegisterGoods", { sku: "TEA", goodsId: 2, dryRun: true }, ["ALREADY_EXISTS"]),
  row("RegisterGoods", { sku: "new", goodsId: 1, dryRun: true }, ["ALREADY_EXISTS"]),
  row("AddReason", { reason: { code: "sample", description: "Went out" }, dryRun: true }, ["OK"]),
  row("AddReason", { reason: { code: "damage", description: "other words" }, dryRun: true }, ["ALREADY_EXISTS"]),
  row("ResolveShortfall", { orderId: "gone", resolution: "refunded", dryRun: true }, ["OK"]),
  row("ResolveShortfall", { orderId: "none", resolution: "refunded", dryRun: true }, ["NOT_FOUND"]),
  row("AddReason", { reason: { code: "It fell", description: "" } }, INVALID("reason.code", "reason.description")),
  row("AddReason", { reason: { code: "damage", description: "other words" } }, ["ALREADY_EXISTS"]),
];

const LISTS: readonly BadInput[] = [
  row("ListInv", { pageSize: 1001, goodsIds: [0, INT32_MIN], locationIds: [-1], skus: [""], skuPrefix: "a\0" }, [
    ...["INVALID_ARGUMENT", "goods_ids[0]", "goods_ids[1]", "location_ids[0]", "page_size", "sku_prefix", "skus[0]"],
  ]),
  row("ListInv", { changedSince: "9999-12-31T23:59:59Z", changedSinceToken: "x" }, [
    ...["INVALID_ARGUMENT", "changed_since", "changed_since_token", "changed_since_token"],
  ]),
  row("ListInv", { skuPrefix: "%_\\" }, ["OK"]),
  row("ListMovements", { sku: "none" }, ["NOT_FOUND"]),
  row("ListMovements", { sku: "TEA", goodsId: 2 }, INVALID("sku")),
  row("ListMovements", { actor: "\0", operationId: "x".repeat(257), kinds: [99] }, [
    ...["INVALID_ARGUMENT", "actor", "kinds[0]", "operation_id"],
  ]),
  row("ListOrders", { locationId: 1, states: [-1] }, INVALID("location_id", "states[0]")),
  row("ListOrders", { sku: "TEA", locationId: 0 }, ["OK"]),
];

/** What JSON alone can say. */
const TEXTS: readonly (readonly [service: string, method: string, text: string, ...fields: string[]])[] = [
  ["HoldService", "Reserve", `{"orderId":"h-1","ttl":"NaNs"}`, "ttl"],
  ["HoldService", "Reserve", `{"orderId":"h-1","ttl":1e400}`, "ttl"],
  ["HoldService", "ListHolds", `{"expiresFrom":"yesterday"}`, "expires_from"],
  ["StockService", "CountInv", `{"goodsId":1,"num":"NaN"}`, "num"],
  ["StockService", "AdjustInv", `{"lines":[{"goodsId":1,"delta":Infinity}]}`],
  ["StockService", "AdjustInv", `{"lines":[{"goodsId":1,"delta":"-Infinity"}]}`, "lines[0].delta"],
  ["StockService", "SetPolicy", `{"goodsId":1,"policy":{"__proto__":{"safetyStock":1}}}`, "policy.__proto__"],
  ["StockService", "ApplyBatch", `{"operations":[{"deleteInv":{"goodsId":1}}]}`, "operations[0].deleteInv"],
  ["StockService", "ApplyBatch", `{"operations":${"[".repeat(30_000)}${"]".repeat(30_000)}}`],
  ["QueryService", "ListInv", `{"low":"yes"}`, "low"],
  ["QueryService", "ListOrders", `{"states":["HELD"]}`, "states[0]"],
];

serverTest(
  "bad input of holds, stock, names and lists is answered alike by all protocols, and moves nothing",
  {},
  async (
    server,
    step,
  ) => {
    const { url } = server;
    const call = async (method: Method, request: Json): Promise<void> => {
      const result = await callJson(url, method, JSON.stringify(request));
      assert("answer" in result, JSON.stringify(result));
    };
    await call("SetInv", { goodsId: 1, num: 10, sku: "TEA" });
    await call("SetInv", { goodsId: 2, num: 5 });
    await call("Reserve", { orderId: "held", ...lines(line(2)), ttl: "86400s" });
    await call("SetInv", { goodsId: 3, num: 1 });
    await call("Reserve", { orderId: "gone", ...lines({ goodsId: 3, num: 1 }), ttl: "0.001s" });
    await call("SetInv", { goodsId: 3, num: 0 });
    const late = { orderId: "gone", recordShortfall: true };
    assertEquals(wordsOf(await callJson(url, "ConfirmHold", JSON.stringify(late))), "FAILED_PRECONDITION");
    await call("Sell", { orderId: "sold", ...lines(line(1)) });
    await runBadInputs(server, step, [...HOLDS, ...STOCK, ...NAMES, ...LISTS, ...TEXTS.map(text), ...madeUpTokens()]);
  },
);

/** Page tokens that fit their query and whose keys somebody made up: a page of the list, or a violation. */
function madeUpTokens(): BadInput[] {
  const levels: LevelQuery = { deleted: "excluded", sort: "goods", isDescending: false };
  const bySku: LevelQuery = { ...levels, sort: "sku" };
  const times = { newestFirst: true };
  const lists: readonly (readonly [Method, string, Json, PagedList, (number: number, text: string) => PageKey])[] = [
    ["ListHolds", "pageToken", {}, { name: "ListHolds", query: {} }, (n, text) => [n, text]],
    ["ListShortfalls", "pageToken", {}, { name: "ListShortfalls", query: {} }, (n, text) => [n, text]],
    ["ListInv", "pageToken", {}, levelsList(levels), (n) => [n, n, n]],
    ["ListInv", "pageToken", { sort: "INV_SORT_SKU" }, levelsList(bySku), (n, text) => [text, n, n]],
    ["ListInv", "changedSinceToken", {}, changesList(), (n) => [n]],
    ["ListMovements", "pageToken", {}, movementsList(times), (n) => [n, n, n, n]],
    [
      "ListMovements",
      "pageToken",
      { buyerId: "ann" },
      movementsList({ buyerId: "ann", ...times }),
      (n, text) => [n, text, n, n, n, n],
    ],
    ["ListOrders", "pageToken", {}, ordersList(times), (n, text) => [n, text]],
    ["ListOrders", "pageToken", { goodsId: 1 }, ordersList({ goodsId: 1, ...times }), (n) => [n, n, n]],
  ];
  const keys = [...ODD_NUMBERS.map((n) => [n, "a"] as const), ...ODD_TEXTS.map((text) => [7, text] as const)];
  return lists.map(([method, field, request, list, keyOf]): BadInput => ({
    input: `${method} ${JSON.stringify(request)} with a ${field} whose key was made up`,
    answer: "a page or a violation",
    async send(url) {
      for (const [n, t] of keys) {
        const token = pageToken(list, keyOf(n, t));
        const result = await callJson(url, method, JSON.stringify({ ...request, [field]: token }));
        const code = "code" in result ? result.code : "OK";
        if (!["OK", "INVALID_ARGUMENT"].includes(code)) return `${code} to ${JSON.stringify(keyOf(n, t))}`;
      }
      return "a page or a violation";
    },
  }));
}

serverTest("ten thousand operations whose answers are long are all answered", {
  env: { BATCH_ORDERS_MAX: "10000", REQUEST_BYTES_MAX: `${4 * 1024 * 1024}` },
}, async ({ url }) => {
  const sku = "🫙".repeat(64);
  await callJson(url, "SetInv", JSON.stringify({ goodsId: INT32_MAX, locationId: INT32_MAX, sku, num: 5 }));
  const num = INT32_MAX - 7;
  const operations = Array(10_000).fill({ countInv: { sku, locationId: INT32_MAX, num, dryRun: true } });
  const response = await fetch(`${url}/inventory.v1.StockService/ApplyBatch`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip", "accept-encoding": "identity" },
    body: gzipSync(JSON.stringify({ operations })),
  });
  const body = await response.text();
  assertEquals(response.status, 200, body.slice(0, 300));
  assertLess(new TextEncoder().encode(body).length, 4 * 1024 * 1024);
  const verdicts = JSON.parse(body).verdicts as {
    countInv?: { level: { num: number; sku: string } };
    truncated: boolean;
  }[];
  assertEquals(verdicts.length, operations.length);
  assertEquals(new Set(verdicts.map(({ countInv }) => countInv?.level.num)), new Set([num]));
  for (const { countInv, truncated } of verdicts) assertEquals(countInv?.level.sku, truncated ? "" : sku);
  assertEquals(new Set(verdicts.map(({ truncated }) => truncated)), new Set([false, true]));
});

function INVALID(...fields: string[]): string[] {
  return ["INVALID_ARGUMENT", ...fields];
}

/** One call over three protocols. */
function row(method: Method, request: Json, answer: readonly string[]): BadInput {
  const said = JSON.stringify(request);
  return {
    input: `${method} ${said.length > 200 ? `${said.slice(0, 200)}…` : said}`,
    answer: answer.join(" "),
    async send(url) {
      const answers = new Set<string>();
      for (const client of [grpcJsClient(url), grpcWebClient(url), jsonClient(url)] satisfies Client[]) {
        answers.add(wordsOf(await client.call(method, request)));
        await client[Symbol.asyncDispose]();
      }
      return [...answers].join("; ");
    },
  };
}

/** The code, and the fields that it names. */
function wordsOf(result: CallResult): string {
  if ("answer" in result) return "OK";
  const fields = result.details.flatMap(({ fieldViolations }) =>
    fieldViolations as { field: string }[] | undefined ?? []
  );
  return [result.code, ...fields.map(({ field }) => field).toSorted()].join(" ");
}

function text([service, method, body, ...fields]: (typeof TEXTS)[number]): BadInput {
  return {
    input: `${method}, ${body.slice(0, 80)}`,
    answer: ["400 INVALID_ARGUMENT", ...fields].join(" "),
    send: (url) =>
      rawHttp1(`${url}/inventory.v1.${service}/${method}`, { headers: { "content-type": "application/json" }, body }),
  };
}
