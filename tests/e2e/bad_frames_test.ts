/**
 * Bad bytes, frames and headers over gRPC: what no client library would send, each with the status that it must get and
 * with nothing moved by it. A status that is not the one of the gRPC documents has a comment that says why.
 */
import { Buffer } from "node:buffer";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { type BadInput, runBadInputs } from "../support/bad_input.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { bytesField, grpcMessage, type GrpcRequest, rawGrpc, v1Path, varintField } from "../support/raw_call.ts";
import { serverTest } from "../support/server.ts";

const MESSAGE_BYTES_MAX = 65_536;

const LINE = bytesField(1, Buffer.concat([varintField(1, 1n), varintField(2, 1n)]));
/** Sells one of goods 1. */
const SELL = grpcMessage(LINE);
const GZIP = { "grpc-encoding": "gzip" };

const MESSAGES: readonly BadInput[] = [
  sell(
    "bytes that are not UTF-8 in an order id",
    "INVALID_ARGUMENT",
    Buffer.concat([LINE, bytesField(2, Buffer.of(0xff))]),
  ),
  sell("random bytes", "INVALID_ARGUMENT", Buffer.from("d8a1f00dbadc0ffee0ddf00d", "hex")),
  sell("field number 0", "INVALID_ARGUMENT", Buffer.of(0x00, 0x01)),
  sell("a wrong wire type", "INVALID_ARGUMENT", varintField(1, 1n)),
  sell("an endless varint", "INVALID_ARGUMENT", Buffer.alloc(20, 0xff)),
  sell("20,000 nested groups", "INVALID_ARGUMENT", Buffer.alloc(40_000, Buffer.of(0xa3, 0x06))),
  sell("8,000 lines", "INVALID_ARGUMENT goods_info", Buffer.concat(Array(8_000).fill(LINE))),
  { ...sell("an unknown field", "OK", Buffer.concat([LINE, bytesField(900, Buffer.from("x"))])), applied: true },
  // Numbers that don't fit are cut to 32 bits by the encoding itself: nobody can see what they were.
  detail("2^32 + 1 for a goods id, read as 1", "OK", varintField(1, 2n ** 32n + 1n)),
  detail("2^31 for a goods id, read as -2^31", "INVALID_ARGUMENT goods_id", varintField(1, 2n ** 31n)),
  detail("2^63 for a goods id, read as 0", "INVALID_ARGUMENT goods_id", varintField(1, 2n ** 63n)),
];

const FRAMES: readonly BadInput[] = [
  grpc("half a prefix", "INVALID_ARGUMENT", { body: SELL.subarray(0, 3) }),
  grpc("half a message", "INVALID_ARGUMENT", { body: SELL.subarray(0, SELL.length - 2) }),
  grpc("a message said to have 4 GiB", "RESOURCE_EXHAUSTED", { body: grpcMessage(LINE, { length: 0xffffffff }) }),
  grpc("a message of 70 KB", "RESOURCE_EXHAUSTED", { body: grpcMessage(Buffer.alloc(70_000)) }),
  grpc("a message of 700 KB", "RESOURCE_EXHAUSTED", { body: grpcMessage(Buffer.alloc(700_000)) }),
  gzipped("50 MB in some 48 KB", "RESOURCE_EXHAUSTED", gzipSync(Buffer.alloc(50_000_000))),
  gzipped(
    "more than is allowed in several members",
    "RESOURCE_EXHAUSTED",
    Buffer.concat(Array(3).fill(gzipSync(Buffer.alloc(30_000)))),
  ),
  gzipped("bytes that are not gzip", "INVALID_ARGUMENT", Buffer.from("not gzip at all")),
  gzipped("half of a gzip", "INVALID_ARGUMENT", gzipSync(LINE).subarray(0, 12)),
  grpc("50 MB in brotli, which is not taken", "UNIMPLEMENTED", {
    headers: { "grpc-encoding": "br" },
    body: grpcMessage(brotliCompressSync(Buffer.alloc(50_000_000)), { compressed: true }),
  }),
  grpc("a compressed message without an encoding", "INTERNAL", {
    body: grpcMessage(gzipSync(LINE), { compressed: true }),
  }),
  grpc("an unknown encoding", "UNIMPLEMENTED", { headers: { "grpc-encoding": "snappy" }, body: SELL }),
  grpc("no message", "UNIMPLEMENTED", { body: Buffer.alloc(0) }),
  grpc("two messages", "UNIMPLEMENTED", { body: Buffer.concat([SELL, SELL]) }),
  { ...gzipped("a good message in gzip", "OK", gzipSync(LINE)), applied: true },
];

const HEADERS: readonly BadInput[] = [
  grpc("an unknown method", "UNIMPLEMENTED", { path: v1Path("Steal"), body: SELL }),
  grpc("an unknown service", "UNIMPLEMENTED", { path: "/inventory.v1.NoService/Sell", body: SELL }),
  grpc("a path that climbs", "UNIMPLEMENTED", { path: "/inventory.v1.InventoryService/../Sell", body: SELL }),
  grpc("no path", "UNIMPLEMENTED", { path: "/", body: SELL }),
  grpc("GET", "405", { headers: { ":method": "GET" }, body: Buffer.alloc(0) }),
  grpc("another content type", "415", { headers: { "content-type": "text/plain" }, body: SELL }),
  grpc("a codec that there is none of", "415", { headers: { "content-type": "application/grpc+cbor" }, body: SELL }),
  grpc("a timeout that is none", "INVALID_ARGUMENT", { headers: { "grpc-timeout": "abc" }, body: SELL }),
  grpc("a negative timeout", "INVALID_ARGUMENT", { headers: { "grpc-timeout": "-1S" }, body: SELL }),
  // Cut to the limit: a caller's patience is no error.
  {
    ...grpc("a timeout above the limit", "OK", { headers: { "grpc-timeout": "99999999H" }, body: SELL }),
    applied: true,
  },
  grpc("a timeout of nothing", "DEADLINE_EXCEEDED", { headers: { "grpc-timeout": "0n" }, body: SELL }),
  // Metadata that nobody reads is not looked at.
  { ...grpc("bad base64 in metadata", "OK", { headers: { "x-data-bin": "%%%" }, body: SELL }), applied: true },
  grpc("17 KB of headers", "431", { headers: manyHeaders(17), body: SELL }),
  grpc("1 MB of headers", "cut", { headers: manyHeaders(1_000), body: SELL }),
];

serverTest("bad bytes get their status and move nothing", {
  env: { REQUEST_BYTES_MAX: String(MESSAGE_BYTES_MAX) },
}, async (server, step) => {
  await callJson(server.url, "SetInv", JSON.stringify({ goodsId: 1, num: 10 }));
  await runBadInputs(server, step, [...MESSAGES, ...FRAMES, ...HEADERS]);
});

function grpc(input: string, answer: string, request: GrpcRequest): BadInput {
  return { input, answer, send: (url) => rawGrpc(url, request) };
}

function sell(input: string, answer: string, bytes: Uint8Array): BadInput {
  return grpc(input, answer, { body: grpcMessage(bytes) });
}

function detail(input: string, answer: string, bytes: Uint8Array): BadInput {
  return grpc(input, answer, { path: v1Path("InvDetail"), body: grpcMessage(bytes) });
}

function gzipped(input: string, answer: string, bytes: Uint8Array): BadInput {
  return grpc(`gzip, ${input}`, answer, { headers: GZIP, body: grpcMessage(bytes, { compressed: true }) });
}

function manyHeaders(kilobytes: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: kilobytes }, (_, i) => [`x-${i}`, "a".repeat(990)]));
}
