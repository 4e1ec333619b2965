/** Batches that are read order by order: each is what reading of the whole message makes of it, in either encoding. */
import { create, type DescMessage, fromBinary, fromJsonString, toBinary, toJson } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { createContextValues } from "@connectrpc/connect";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  InventoryService,
  RollbackBatchRequestSchema,
  RollbackRequestSchema,
  SellBatchRequestSchema,
  SellRequestSchema,
} from "../../src/gen/inventory/v1/inventory_pb.ts";
import { atOnce, keptBytes, partsOf, setParts } from "../../src/rpc/messages/batch_parts.ts";
import { inventoryMethods } from "../../src/services/inventory/methods.ts";
import { createMessageCheck, type Encoding, UnreadableMessages } from "../../src/rpc/messages/check.ts";
import { LARGE_BYTES } from "../../src/rpc/messages/turns.ts";
import { SILENT } from "../support/silent_log.ts";

const methods = inventoryMethods({ requestBytesMax: 1_000_000, orderLinesMax: 500, batchOrdersMax: 1_000 });
const gateOf = (name: "sellBatch" | "rollbackBatch") =>
  createMessageCheck(InventoryService.method[name], methods[name].bounds, new UnreadableMessages(SILENT));
const sellCheck = gateOf("sellBatch");
const rollbackGate = gateOf("rollbackBatch");

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const lines = fc.array(fc.record({ goodsId: int32, num: int32 }), { maxLength: 6 });
const id = fc.string({ unit: "grapheme", maxLength: 12 });
const sells = fc.array(fc.record({ goodsInfo: lines, orderId: id }), { maxLength: 5 });
const rollbacks = fc.array(fc.record({ goodsInfo: lines, orderId: id, rollbackId: id }), { maxLength: 5 });
/** Bytes, or characters, that make a message one that is read in parts, and change nothing of it. */
const PADDING = LARGE_BYTES + 1;

function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
}

/** The parts of a message as the service gets them. */
function read<D extends DescMessage>(check: typeof sellCheck, schema: D, bytes: Uint8Array, encoding: Encoding) {
  const { parts } = check.check(bytes, encoding);
  const values = createContextValues();
  setParts(values, parts!, atOnce);
  const each = partsOf(values, schema, []);
  return Array.from({ length: each.count }, (_, at) => each.read(at));
}

Deno.test("protobuf: the parts are those of the whole message, whatever stands between them", () => {
  const between = fc.array(
    fc.constantFrom(
      new BinaryWriter().tag(9, WireType.Varint).uint32(7).finish(),
      bytesField(100, Buffer.from("x")),
      Buffer.alloc(0),
    ),
    {
      minLength: 1,
    },
  );
  fc.assert(fc.property(sells, rollbacks, between, (orders, backs, unknown) => {
    for (
      const [check, whole, part, field, list] of [
        [sellCheck, SellBatchRequestSchema, SellRequestSchema, "orders", orders],
        [rollbackGate, RollbackBatchRequestSchema, RollbackRequestSchema, "rollbacks", backs],
      ] as const
    ) {
      const pieces = list.flatMap((order, i) => [
        bytesField(1, toBinary(part, create(part, order))),
        unknown[i % unknown.length]!,
      ]);
      const bytes = Buffer.concat([...pieces, bytesField(200, Buffer.alloc(PADDING))]);
      const message = fromBinary(whole, bytes, { readUnknownFields: false }) as unknown as Record<string, unknown>;
      assertEquals(read(check, part, bytes, "binary") as unknown[], message[field]);
    }
  }));
});

Deno.test("JSON: the parts are those of the whole message, however it is spaced and spelled", () => {
  const spaces = fc.constantFrom("", " ", "\n\t ", "\r\n");
  const ids = fc.constantFrom("order_id", "orderId");
  fc.assert(fc.property(sells, spaces, ids, fc.nat(3), (orders, space, key, indent) => {
    const texts = orders.map((order) => {
      const { goodsInfo, orderId } = toJson(SellRequestSchema, create(SellRequestSchema, order)) as Record<
        string,
        string
      >;
      return JSON.stringify({ goodsInfo, [key]: orderId }, undefined, indent);
    });
    const text = `${space}{${space}"orders"${space}:${space}[${space}${texts.join(`${space},${space}`)}${space}]${
      " ".repeat(PADDING)
    }}`;
    const { orders: whole } = fromJsonString(SellBatchRequestSchema, text);
    assertEquals(read(sellCheck, SellRequestSchema, Buffer.from(text), "json"), whole);
  }));
  assertEquals(read(sellCheck, SellRequestSchema, Buffer.from(`{"orders":null${" ".repeat(PADDING)}}`), "json"), []);
  assertEquals(read(sellCheck, SellRequestSchema, Buffer.from(`{${" ".repeat(PADDING)}}`), "json"), []);
});

Deno.test("a small message is read as a whole, and has no parts", () => {
  const small = toBinary(SellBatchRequestSchema, create(SellBatchRequestSchema, { orders: [{ orderId: "a" }] }));
  assertEquals(sellCheck.check(small, "binary").parts, undefined);
  const whole = fromBinary(SellBatchRequestSchema, small).orders;
  const parts = partsOf(createContextValues(), SellRequestSchema, whole);
  assertEquals([parts.count, parts.read(0)], [1, whole[0]!]);
});

Deno.test("what is kept is counted, and nothing beyond it is kept", () => {
  const bytes = Buffer.concat([bytesField(1, Buffer.alloc(0)), bytesField(200, Buffer.alloc(PADDING))]);
  const padded = Buffer.concat([bytes, Buffer.alloc(2 * PADDING)]).subarray(0, bytes.length);
  const { message } = sellCheck.check(padded, "binary").parts!;
  assertEquals([(message as Uint8Array).buffer.byteLength, Buffer.from(message as Uint8Array)], [bytes.length, bytes]);
  assertEquals(keptBytes({ message, ranges: [0, 1, 2, 3] }), bytes.length + 32);
  assertEquals(keptBytes({ message: "ä€", ranges: [] }), 4);
});

Deno.test("a batch that waits for its turn costs its bytes, and not what becomes of it", () => {
  const line = bytesField(1, Uint8Array.of(8, 1, 16, 1));
  const order = bytesField(1, Buffer.concat(Array(130).fill(line)));
  const batch = Buffer.concat(Array(1_000).fill(order));
  const { becomes, parts } = sellCheck.check(batch, "binary");
  assert(keptBytes(parts!) < 1.05 * batch.length, `${keptBytes(parts!)} bytes of ${batch.length}`);
  assert(becomes > 20 * batch.length, `${becomes} bytes of ${batch.length}`);
});

Deno.test("a batch with other fields beside its parts is none that can be read in parts", () => {
  const method = InventoryService.method.sell;
  const parts = SellRequestSchema.field.goodsInfo;
  assertThrows(
    () => createMessageCheck(method, { bytesMax: 1, counts: [], parts }, new UnreadableMessages(SILENT)),
    Error,
  );
});
