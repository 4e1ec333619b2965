import { create, type DescField, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  BatchInvDetailRequestSchema,
  RollbackBatchRequestSchema,
  SellBatchRequestSchema,
  SellRequestSchema,
  SetInvRequestSchema,
} from "../../src/gen/inventory/v1/inventory_pb.ts";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { HealthCheckRequestSchema } from "../../src/gen/health/v1/health_pb.ts";
import { ServerReflectionRequestSchema } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { binaryScanner, UnreadableMessage } from "../../src/rpc/messages/scan_binary.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const line = fc.record({ goodsId: int32, num: int32 });
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const lines = fc.array(line, { maxLength: 8 });
const sell = fc.record({ goodsInfo: lines, orderId: text });
const rollback = fc.record({ goodsInfo: lines, orderId: text, rollbackId: text });

/** Messages of each shape, as bytes of the reader's own library. */
const MESSAGES = {
  SellRequest: [SellRequestSchema, sell.map((value) => toBinary(SellRequestSchema, create(SellRequestSchema, value)))],
  SellBatchRequest: [
    SellBatchRequestSchema,
    fc.array(sell, { maxLength: 6 }).map((orders) =>
      toBinary(SellBatchRequestSchema, create(SellBatchRequestSchema, { orders }))
    ),
  ],
  RollbackBatchRequest: [
    RollbackBatchRequestSchema,
    fc.array(rollback, { maxLength: 6 }).map((rollbacks) =>
      toBinary(RollbackBatchRequestSchema, create(RollbackBatchRequestSchema, { rollbacks }))
    ),
  ],
  BatchInvDetailRequest: [
    BatchInvDetailRequestSchema,
    fc.array(int32, { maxLength: 30 }).map((goodsIds) =>
      toBinary(BatchInvDetailRequestSchema, create(BatchInvDetailRequestSchema, { goodsIds }))
    ),
  ],
} as const satisfies Record<string, readonly [DescMessage, fc.Arbitrary<Uint8Array>]>;

/**
 * How often each repeated field has an entry in the message as it was built, and how many messages and entries there
 * are.
 */
function built(
  schema: DescMessage,
  message: Record<string, unknown>,
): { counts: Map<DescField, number>; entries: number } {
  const counts = new Map<DescField, number>();
  let entries = 1;
  for (const field of schema.fields) {
    const values = field.fieldKind === "list" ? message[field.localName] as unknown[] : undefined;
    const nested = field.message;
    if (values !== undefined) {
      entries += nested === undefined ? values.length : 0;
      if (values.length > 0) counts.set(field, (counts.get(field) ?? 0) + values.length);
    }
    if (nested === undefined || field.fieldKind === "map") continue;
    for (const value of values ?? (field.fieldKind === "message" ? [message[field.localName]] : [])) {
      if (value === undefined) continue;
      const inner = built(nested, value as Record<string, unknown>);
      entries += inner.entries;
      for (const [desc, count] of inner.counts) counts.set(desc, (counts.get(desc) ?? 0) + count);
    }
  }
  return { counts, entries };
}

function plain(counts: ReadonlyMap<DescField, number>): Record<string, number> {
  return Object.fromEntries([...counts].map(([desc, count]): [string, number] => [desc.toString(), count]).sort());
}

/** What the scanner says of the bytes; undefined where it finds them unreadable. Any other error is a fault. */
function scanned(schema: DescMessage, bytes: Uint8Array) {
  try {
    return binaryScanner(schema, new Map())(bytes);
  } catch (error) {
    assert(error instanceof UnreadableMessage, String(error));
    return undefined;
  }
}

function read(schema: DescMessage, bytes: Uint8Array) {
  return fromBinary(schema, bytes, { readUnknownFields: false }) as unknown as Record<string, unknown>;
}

for (const [name, [schema, messages]] of Object.entries(MESSAGES)) {
  Deno.test(`${name}: what is counted is what is built`, () => {
    fc.assert(fc.property(messages as fc.Arbitrary<Uint8Array>, (bytes) => {
      const scan = binaryScanner(schema, new Map())(bytes);
      const { counts, entries } = built(schema, read(schema, bytes));
      assertEquals([plain(scan.counts), scan.entries], [plain(counts), entries]);
    }));
  });

  Deno.test(`${name}: bytes that are cut, changed or made up are found unreadable, or can be read`, () => {
    const spoilt = fc.tuple(
      messages as fc.Arbitrary<Uint8Array>,
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    )
      .map(([bytes, end, changes]) => {
        const cut = bytes.slice(0, end % (bytes.length + 1));
        for (const [at, byte] of changes) if (cut.length > 0) cut[at % cut.length] = byte;
        return cut;
      });
    const tags = fc.array(
      fc.tuple(fc.nat(5), fc.nat(7), fc.array(fc.nat(255), { maxLength: 6 })).map((
        [number, wire, rest],
      ) => [number << 3 | wire, ...rest]),
      { maxLength: 8 },
    ).map((parts) => Uint8Array.from(parts.flat()));
    fc.assert(
      fc.property(fc.oneof(spoilt, tags, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        const scan = scanned(schema, bytes);
        if (scan === undefined) return;
        const { counts, entries } = built(schema, read(schema, bytes));
        // The same message in two parts is read as one, so that there may be more entries than are built, never fewer.
        assertEquals(plain(scan.counts), plain(counts));
        assert(scan.entries >= entries, `${scan.entries} for ${entries}`);
      }),
      { numRuns: 2_000 },
    );
  });
}

Deno.test("each kind of unreadable bytes is found by name", () => {
  for (
    const [hex, words] of [
      ["00", "number 0"],
      ["08", "wire type 0, expected 2"],
      ["0a", "within a number"],
      ["0a05", "a length of 5"],
      ["0a0208", "a length of 2"],
      ["0a0108", "within a number"],
      ["1201ff", "not UTF-8"],
      ["ffffffffffffffffffff01", "more than ten bytes"],
      ["fb01", "a group without an end"],
      ["fb01840200", "was not begun"],
      ["8a8080801000", "a tag of more than 32 bits"],
      ["8a808080800000", "a tag of more than 32 bits"],
      ["fb018a8080801000", "a tag of more than 32 bits"],
      ["7c", "wire type 4"],
      ["7e", "wire type 6"],
      ["7d0000", "within a field"],
    ] as const
  ) {
    const error = assertThrows(
      () => binaryScanner(SellRequestSchema, new Map())(Buffer.from(hex, "hex")),
      UnreadableMessage,
    );
    assert(error.message.includes(words), `${hex}: ${error.message}`);
  }
  const groups = (depth: number) =>
    Buffer.concat([Buffer.alloc(2 * depth, Buffer.of(0xfb, 1)), Buffer.alloc(2 * depth, Buffer.of(0xfc, 1))]);
  assertEquals(binaryScanner(SetInvRequestSchema, new Map())(groups(50)).entries, 1);
  assertThrows(
    () => binaryScanner(SetInvRequestSchema, new Map())(groups(20_000)),
    UnreadableMessage,
    "nested more than",
  );
});

Deno.test("requests of every service can be scanned, and so can what nests itself", () => {
  for (const schema of [HealthCheckRequestSchema, ServerReflectionRequestSchema]) {
    assertEquals(binaryScanner(schema, new Map())(new Uint8Array()).entries, 1);
  }
  assertEquals(typeof binaryScanner(FileDescriptorProtoSchema, new Map()), "function");
});
