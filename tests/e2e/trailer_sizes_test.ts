/**
 * The largest errors over gRPC: their trailers fit into what clients take (8 KiB, counted as RFC 9113 has it), so that
 * a client sees the code that was meant. With more, grpc-java says INTERNAL whatever it was.
 */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { Buffer } from "node:buffer";
import { MESSAGE_BYTES_MAX, TRAILER_BYTES_MAX } from "../../src/rpc/trailer_budget.ts";
import { callGrpcJs, grpcJsService, type UnaryMethod } from "../support/clients/grpc_js.ts";
import type { CallResult, Json } from "../support/clients/client.ts";
import { ask, endOf, type RawAnswer } from "../support/http2_answers.ts";
import { grpcMessage } from "../support/raw_call.ts";
import { serverTest } from "../support/server.ts";

const INT32_MAX = 2_147_483_647;
const LINES_MAX = 500;
/** As long as an id may be. */
const ORDER = "o".repeat(64);
const OTHER_ORDER = "p".repeat(64);
/** Goods with the longest ids that there are: some with a little stock, some full, some unknown. */
const STOCKED = INT32_MAX - LINES_MAX;
const FULL = INT32_MAX - 2 * LINES_MAX;
const UNKNOWN = INT32_MAX - 3 * LINES_MAX;
/** Goods with the longest skus, of which a hold had units until its time was up. */
const GONE = INT32_MAX - 4 * LINES_MAX;
const HOLD = "h".repeat(64);

function lines(first: number, num: number, count = LINES_MAX): Json[] {
  return Array.from({ length: count }, (_, i) => ({ goodsId: first + i, num }));
}

/** By sku. */
function skuLines(num: number): Json[] {
  return Array.from({ length: LINES_MAX }, (_, i) => ({ sku: skuOf(i), num }));
}

function skuOf(i: number): string {
  return "🫙".repeat(60) + `${i}`.padStart(4, "0");
}

/** Each kind of error at its largest. */
const LARGEST: readonly (readonly [name: string, code: string, method: string, request: Json])[] = [
  ["short stock", "FAILED_PRECONDITION", "Sell", { goodsInfo: lines(STOCKED, INT32_MAX) }],
  ["unknown goods", "NOT_FOUND", "Sell", { goodsInfo: lines(UNKNOWN, 1), orderId: OTHER_ORDER }],
  ["exceeds sold", "FAILED_PRECONDITION", "Rollback", { goodsInfo: lines(STOCKED, INT32_MAX), orderId: ORDER }],
  ["content differs", "ALREADY_EXISTS", "Sell", { goodsInfo: lines(FULL, INT32_MAX), orderId: ORDER }],
  ["out of range", "OUT_OF_RANGE", "Rollback", { goodsInfo: lines(FULL, INT32_MAX), rollbackId: OTHER_ORDER }],
  ["short stock by sku", "FAILED_PRECONDITION", "Reserve", { goodsInfo: skuLines(INT32_MAX), orderId: OTHER_ORDER }],
  ["a shortfall by sku", "FAILED_PRECONDITION", "ConfirmHold", { goodsInfo: skuLines(1), orderId: HOLD }],
  ["a shortfall", "FAILED_PRECONDITION", "ConfirmHold", { orderId: HOLD }],
  ["exceeds held by sku", "FAILED_PRECONDITION", "ConfirmHold", { goodsInfo: skuLines(INT32_MAX), orderId: HOLD }],
  ["unknown goods at a location", "NOT_FOUND", "AdjustInv", {
    lines: lines(STOCKED, 1).map(({ goodsId }) => ({ goodsId, delta: 1, locationId: INT32_MAX })),
  }],
  ["many violations", "INVALID_ARGUMENT", "Sell", { goodsInfo: lines(-INT32_MAX - 1, -INT32_MAX - 1) }],
  ["sums above int32", "INVALID_ARGUMENT", "Sell", {
    goodsInfo: [...lines(STOCKED, INT32_MAX, LINES_MAX / 2), ...lines(STOCKED, INT32_MAX, LINES_MAX / 2)],
  }],
  ["a long id", "INVALID_ARGUMENT", "Sell", { goodsInfo: lines(STOCKED, 1), orderId: "🫙".repeat(10_000) }],
  ["too many lines", "INVALID_ARGUMENT", "Sell", { goodsInfo: lines(STOCKED, 1, LINES_MAX + 1) }],
  ["a message of a megabyte", "RESOURCE_EXHAUSTED", "Sell", { orderId: "o".repeat(1_000_000) }],
];

serverTest("the largest errors reach gRPC clients as what they are", {}, async ({ url }, step) => {
  const service = grpcJsService(url, "inventory/v1/inventory.proto", "inventory.v1.InventoryService");
  const holds = grpcJsService(url, "inventory/v1/holds.proto", "inventory.v1.HoldService");
  const stock = grpcJsService(url, "inventory/v1/stock.proto", "inventory.v1.StockService");
  const ofMethod = (method: string) => [service, holds, stock].find((one) => one[method] !== undefined)!;
  try {
    const stocked = lines(STOCKED, 10).concat(lines(FULL, INT32_MAX));
    const set = await Promise.all(stocked.map((level) => callGrpcJs(service, "SetInv", level)));
    assertEquals(set.filter((result) => "code" in result), []);
    const sold = await callGrpcJs(service, "Sell", { goodsInfo: lines(STOCKED, 1), orderId: ORDER });
    assert("answer" in sold, JSON.stringify(sold));
    const gone = lines(GONE, 1).map((level, i) => ({ ...level, sku: skuOf(i) }));
    await Promise.all(gone.map((level) => callGrpcJs(service, "SetInv", level)));
    const held = await callGrpcJs(holds, "Reserve", { goodsInfo: skuLines(1), orderId: HOLD, ttl: "0.001s" });
    assert("answer" in held, JSON.stringify(held));
    // The hold is over by then, so that one unit is available, and none after it.
    await Promise.all(gone.map((_, i) => callGrpcJs(service, "SetInv", { goodsId: GONE + i, num: 0 })));

    for (const [name, code, method, request] of LARGEST) {
      await step(name, async () => {
        const result = await callGrpcJs(ofMethod(method), method, request);
        assertEquals("code" in result && result.code, code);
        assert(code === "RESOURCE_EXHAUSTED" || "details" in result && result.details.length > 0, "a detail at least");
        if (name.startsWith("a shortfall")) assertShortfall(result, name.endsWith("sku"));
        const { path, bytes } = asSent(ofMethod(method)[method]!, request);
        const whole = grpcMessage(bytes);
        // What is too large is refused by its prefix.
        const body = bytes.length > 500_000 ? [whole.subarray(0, 5)] : [whole];
        for (const headers of [{}, { "grpc-encoding": "gzip" }]) {
          const answer = await ask(url, path, {
            headers: { "x-request-id": "r".repeat(64), ...headers },
            body,
            then: bytes.length > 500_000 ? "wait" : "end",
          });
          assertFits(answer);
        }
      });
    }

    await step("a key with half of a surrogate pair, and one that is cut within a pair", async () => {
      for (const key of [`"\\ud800"`, `"${"k".repeat(63)}🫙"`]) {
        const answer = await ask(url, "/inventory.v1.InventoryService/Sell", {
          headers: { "content-type": "application/grpc+json" },
          body: [grpcMessage(Buffer.from(`{${key}:1}`))],
        });
        assertFits(answer);
        assertEquals(field(endOf(answer), "grpc-status"), "3", endOf(answer).join());
      }
    });
  } finally {
    for (const one of [service, holds, stock]) one.close();
  }
});

/** It says which lines are short, of very many the first, and calls goods as the request did. */
function assertShortfall(result: CallResult, bySku: boolean): void {
  assert("details" in result);
  const [shortfall] = result.details as [{ "@type": string; lines: { goodsId: number; sku: string }[] }];
  assertEquals(shortfall["@type"], "inventory.v1.Shortfall");
  assertGreater(shortfall.lines.length, bySku ? 10 : 100);
  assertEquals(shortfall.lines[0], { ...shortfall.lines[0]!, goodsId: GONE, sku: bySku ? skuOf(0) : "" });
}

/** The path of a method, and the bytes that the client sends for a message. */
function asSent(method: UnaryMethod, request: Json): { readonly path: string; readonly bytes: Buffer } {
  const { path, requestSerialize } = method as unknown as { path: string; requestSerialize(request: Json): Buffer };
  return { path, bytes: requestSerialize(request) };
}

function assertFits(answer: RawAnswer): void {
  const { header, trailer } = answer;
  for (const list of [header, trailer]) assertLessOrEqual(listBytes(list), TRAILER_BYTES_MAX);
  assert(field(endOf(answer), "grpc-status") !== undefined, "a status");
  const message = field(endOf(answer), "grpc-message") ?? "";
  assertLessOrEqual(message.length, MESSAGE_BYTES_MAX);
  assert(decodeURIComponent(message).isWellFormed());
}

/** Names, values, and 32 bytes for each field (RFC 9113, section 6.5.2). */
function listBytes(fields: readonly string[]): number {
  return fields.reduce((sum, one) => sum + one.length - ": ".length + 32, 0);
}

function field(fields: readonly string[], name: string): string | undefined {
  return fields.find((one) => one.startsWith(`${name}: `))?.slice(name.length + 2);
}
