/**
 * What is looked at of a message before it is read: how far, and that plain JSON, which has a shorter path, is judged
 * alike.
 */
import { fromJsonString } from "@bufbuild/protobuf";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SellBatchRequestSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { inventoryMethods } from "../../src/services/inventory/methods.ts";

import { binaryScanner, TooManyEntries } from "../../src/rpc/messages/scan_binary.ts";
import { jsonScanner } from "../../src/rpc/messages/scan_json.ts";

const SETTINGS = { requestBytesMax: 1_000_000, orderLinesMax: 2, batchOrdersMax: 3 };
const { counts } = inventoryMethods(SETTINGS).sellBatch.bounds;
const MAX = new Map(counts.map(({ desc, max }) => [desc, max]));

/** What the scanner finds wrong with the text. */
function faults(text: string): string[] {
  const found: string[] = [];
  jsonScanner(SellBatchRequestSchema, MAX)(text, (field) => found.push(field));
  return found;
}

Deno.test("nothing is looked at behind the entry that is one too many", () => {
  // What follows can't be read, which nobody comes to see.
  assertThrows(
    () => binaryScanner(SellBatchRequestSchema, MAX)(Uint8Array.of(10, 0, 10, 0, 10, 0, 10, 0, 7)),
    TooManyEntries,
  );
  assertThrows(() => faults(`{"orders":[{},{},{},{},!`), TooManyEntries);
  assertEquals(faults(`{"orders":[{},{},{}]}`), []);
});

Deno.test("a thousand faults are enough", () => {
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":1`).join(",");
  assertEquals(faults(`{${keys(999)}}`).length, 999);
  assertEquals(faults(`{${keys(1_000)},!`).length, 1_000);
});

Deno.test("numbers and strings pass exactly where protobuf's reader takes them", () => {
  const number = fc.oneof(
    fc.integer(),
    fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 1.5, 1e3, 123456789012345, 1234567890123456),
  ).map(String);
  const written = fc.oneof(
    number,
    fc.constantFrom("00", "01", "-0", "1.0", "1e0", "1E1", "1.", "-", '"7"', '""', "1 "),
  );
  const string = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary-ascii" })).map((s) =>
    JSON.stringify(s)
  );
  const space = fc.constantFrom("", " ", "\n", "\t\r", "\v", "\u00a0");
  fc.assert(fc.property(written, string, space, (num, id, gap) => {
    const text = `{${gap}"orders":[{"orderId":${id}${gap},"goodsInfo":[{"goodsId":1,"num":${num}${gap}}]}]}`;
    assertEquals(
      passes(() => faults(text).length === 0),
      passes(() => !!fromJsonString(SellBatchRequestSchema, text)),
      text,
    );
  }));
});

function passes(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}
