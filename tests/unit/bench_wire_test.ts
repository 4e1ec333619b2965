import { assertEquals, assertThrows } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { callBlocks, extraField, grpcStatus } from "../../bench/load/hpack.ts";
import { invDetailRequest, sellBatchCodes, sellBatchRequest, sellRequest } from "../../bench/load/messages.ts";
import { InvDetailRequestSchema, SellRequestSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";

Deno.test("requests written by hand are what the generated code writes", () => {
  for (const goodsId of [1, 127, 128, 10_000, 1_000_000, 2_147_483_647]) {
    assertEquals(
      invDetailRequest(goodsId),
      toBinary(InvDetailRequestSchema, create(InvDetailRequestSchema, { goodsId })),
    );
  }
  for (const goodsIds of [[1], [1, 300, 70_000], Array.from({ length: 100 }, (_, i) => i * 97 + 1)]) {
    const orderId = "01890a5d-ac96-774b-bcce-b302099a8057";
    const goodsInfo = goodsIds.map((goodsId) => ({ goodsId, num: 1 }));
    const message = create(SellRequestSchema, { orderId, goodsInfo });
    assertEquals(sellRequest(orderId, goodsIds), toBinary(SellRequestSchema, message));
  }
});

Deno.test("a batch has its orders one after the other, each with its length", () => {
  const orders = [sellRequest("a", [1]), sellRequest("b".repeat(200), [2, 3])];
  const batch = sellBatchRequest(orders);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < batch.length;) {
    assertEquals(batch[at++], 0x0a);
    let length = batch[at++]!;
    if (length > 127) length = length - 128 + 128 * batch[at++]!;
    parts.push(batch.subarray(at, at += length));
  }
  assertEquals(parts.map((part) => fromBinary(SellRequestSchema, part).orderId), ["a", "b".repeat(200)]);
});

Deno.test("verdicts of a batch: 0 for what was sold, else the status code", () => {
  // { sold {} }, { error { code: 9, message: "x" } }, { sold { order_id: "a" } }, { error { code: 10 } }
  const sold = [0x0a, 0x00];
  const short = [0x12, 0x05, 0x08, 0x09, 0x12, 0x01, 0x78];
  const other = [0x0a, 0x03, 0x12, 0x01, 0x61];
  const aborted = [0x12, 0x02, 0x08, 0x0a];
  const response = [sold, short, other, aborted].flatMap((verdict) => [0x0a, verdict.length, ...verdict]);
  assertEquals(sellBatchCodes(Uint8Array.from(response)), [0, 9, 0, 10]);
  assertEquals(sellBatchCodes(new Uint8Array(0)), []);
  assertThrows(() => sellBatchCodes(Uint8Array.of(0x0a, 0x00)), Error, "no verdict");
});

const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];

Deno.test("grpc-status is found, plain or in Huffman's code, and nothing else is taken for it", () => {
  const huffman = [0x00, 0x88, 0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f];
  assertEquals(grpcStatus(Uint8Array.from([...huffman, ...text("0")])), 0);
  assertEquals(
    grpcStatus(Uint8Array.from([0x88, 0x00, ...text("x-other"), ...text("7"), ...huffman, ...text("14")])),
    14,
  );
  assertEquals(grpcStatus(Uint8Array.from([0x20, 0x10, ...text("grpc-status"), ...text("5")])), 5);
  assertEquals(grpcStatus(Uint8Array.from([0x88, 0x00, ...text("grpc-statuz"), ...text("5")])), undefined);
  assertThrows(() => grpcStatus(Uint8Array.from([0x00, 0x0b, 0x67])), Error, "middle of a text");
  assertThrows(() => grpcStatus(Uint8Array.from([...huffman, ...text("x")])), Error, "no plain number");
});

Deno.test("the blocks of a call: literals that the table keeps, then their four places in it", () => {
  const { first, next } = callBlocks("/a.B/C", "127.0.0.1:1");
  assertEquals([...first.subarray(0, 3)], [0x83, 0x86, 0x44]);
  assertEquals([...next], [0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe]);
  const keyed = callBlocks("/a.B/C", "127.0.0.1:1", "Bearer k");
  assertEquals([...keyed.next], [0x83, 0x86, 0xc2, 0xc1, 0xc0, 0xbf, 0xbe]);
  assertEquals([...keyed.first.subarray(first.length)], [0x57, 8, ...text("Bearer k").slice(1)]);
  assertThrows(() => callBlocks(`/${"x".repeat(200)}`, "a"), Error, "too long");
  // A literal that no table keeps, with its name.
  assertEquals([...extraField("x", "17")], [0x00, 1, 0x78, 2, 0x31, 0x37]);
});
