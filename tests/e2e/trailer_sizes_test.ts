/**
 * The largest errors over gRPC: their trailers fit into what clients take (8 KiB, counted as RFC 9113 has it), so that
 * a client sees the code that was meant. With more, grpc-java says INTERNAL whatever it was.
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Buffer } from "node:buffer";
import { MESSAGE_BYTES_MAX, TRAILER_BYTES_MAX } from "../../src/rpc/trailer_budget.ts";
import { callGrpcJs, grpcJsService, type UnaryMethod } from "../support/clients/grpc_js.ts";
import type { Json } from "../support/clients/client.ts";
import { ask, type RawAnswer } from "../support/http2_answers.ts";
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

function lines(first: number, num: number, count = LINES_MAX): Json[] {
  return Array.from({ length: count }, (_, i) => ({ goodsId: first + i, num }));
}

/** Each kind of error at its largest. */
const LARGEST: readonly (readonly [name: string, code: string, method: string, request: Json])[] = [
  ["short stock", "FAILED_PRECONDITION", "Sell", { goodsInfo: lines(STOCKED, INT32_MAX) }],
  ["unknown goods", "NOT_FOUND", "Sell", { goodsInfo: lines(UNKNOWN, 1), orderId: OTHER_ORDER }],
  ["exceeds sold", "FAILED_PRECONDITION", "Rollback", { goodsInfo: lines(STOCKED, INT32_MAX), orderId: ORDER }],
  ["content differs", "ALREADY_EXISTS", "Sell", { goodsInfo: lines(FULL, INT32_MAX), orderId: ORDER }],
  ["out of range", "OUT_OF_RANGE", "Rollback", { goodsInfo: lines(FULL, INT32_MAX), rollbackId: OTHER_ORDER }],
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
  try {
    const stocked = lines(STOCKED, 10).concat(lines(FULL, INT32_MAX));
    const set = await Promise.all(stocked.map((level) => callGrpcJs(service, "SetInv", level)));
    assertEquals(set.filter((result) => "code" in result), []);
    const sold = await callGrpcJs(service, "Sell", { goodsInfo: lines(STOCKED, 1), orderId: ORDER });
    assert("answer" in sold, JSON.stringify(sold));

    for (const [name, code, method, request] of LARGEST) {
      await step(name, async () => {
        const result = await callGrpcJs(service, method, request);
        assertEquals("code" in result && result.code, code);
        const { path, bytes } = asSent(service[method]!, request);
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
        assertEquals(field(answer.trailer, "grpc-status"), "3", answer.trailer.join());
      }
    });
  } finally {
    service.close();
  }
});

/** The path of a method, and the bytes that the client sends for a message. */
function asSent(method: UnaryMethod, request: Json): { readonly path: string; readonly bytes: Buffer } {
  const { path, requestSerialize } = method as unknown as { path: string; requestSerialize(request: Json): Buffer };
  return { path, bytes: requestSerialize(request) };
}

function assertFits({ header, trailer }: RawAnswer): void {
  for (const list of [header, trailer]) assertLessOrEqual(listBytes(list), TRAILER_BYTES_MAX);
  // None of the answers has its status in its header, where nobody would have bounded it.
  assertEquals(field(header, "grpc-status"), undefined);
  assert(field(trailer, "grpc-status") !== undefined, "a status");
  const message = field(trailer, "grpc-message") ?? "";
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
