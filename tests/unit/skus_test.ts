/** Skus: what one is, how requests name goods by them, and what is remembered of them. */
import { assertEquals, assertThrows } from "@std/assert";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { Recent } from "../../src/base/recent.ts";
import { skuOf } from "../../src/inventory/sku.ts";
import { Violations } from "../../src/rpc/errors.ts";
import { TRAILER_BYTES_MAX } from "../../src/rpc/trailer_budget.ts";
import { readGoodsId, skuNames, withSkus } from "../../src/services/skus.ts";
import { readLines } from "../../src/services/validation.ts";

Deno.test("a sku is taken in its form NFC, and stays what it is otherwise", () => {
  assertEquals(skuOf("CAFE\u0301"), { sku: "CAF\u00C9" });
  for (const sku of ["A", "a", "Ａ", "\u0410", "x", "1/2", "½", " A", "A ", "\u202Ex", "😀".repeat(64)]) {
    assertEquals(skuOf(sku), { sku }, JSON.stringify(sku));
  }
  // 64 characters in NFC, and 192 as they came.
  assertEquals(skuOf("\u1112\u1161\u11AB".repeat(64)), { sku: "\uD55C".repeat(64) });
});

Deno.test("what can't be a sku is refused with what is wrong with it", () => {
  for (
    const [text, wrong] of [
      ["", "0 characters"],
      ["x".repeat(65), "65 characters"],
      ["😀".repeat(65), "65 characters"],
      // NFC makes two characters of each.
      ["\u0958".repeat(33), "66 characters"],
      ["x".repeat(100_000), "100000 characters"],
      ["A\0", "U+0000 as character 2"],
      ["\n", "U+000A as character 1"],
      ["ab\x7F", "U+007F as character 3"],
      ["\x85", "U+0085 as character 1"],
      ["\u2028", "U+2028 as character 1"],
      ["😀\uD83D", "U+D83D as character 2"],
    ] as const
  ) assertEquals(skuOf(text), { wrong }, JSON.stringify(text));
});

Deno.test("the form NFC of a sku is a sku, and the same one", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
    const read = skuOf(text);
    if ("sku" in read) assertEquals(skuOf(read.sku), read);
    if ("sku" in read) assertEquals(skuOf(text.normalize("NFD")), read);
  }));
});

const SKUS = new Map([["RED", 7], ["BLUE", 9]]);

Deno.test("lines of one goods are added up, whatever each calls it", () => {
  const violations = new Violations();
  const lines = readLines(violations, "goods_info", [
    { goodsId: 9, sku: "BLUE", locationId: 0, num: 1 },
    { goodsId: 0, sku: "RED", locationId: 0, num: 2 },
    { goodsId: 7, sku: "", locationId: 0, num: 3 },
    { goodsId: 0, sku: "RED", locationId: 4, num: 5 },
  ], { max: 4, required: true, skus: SKUS });
  violations.check();
  assertEquals(lines, [
    { goodsId: 7, locationId: 0, num: 5 },
    { goodsId: 7, locationId: 4, num: 5 },
    { goodsId: 9, locationId: 0, num: 1 },
  ]);
});

Deno.test("the sku of another goods is a broken rule, and so is what can't be a sku", () => {
  const violations = new Violations();
  readGoodsId(violations, "a.", { goodsId: 9, sku: "RED" }, SKUS);
  readGoodsId(violations, "b.", { goodsId: 0, sku: "" }, SKUS);
  readGoodsId(violations, "c.", { goodsId: 0, sku: "\t" }, SKUS);
  readGoodsId(violations, "d.", { goodsId: -1, sku: "RED" }, SKUS);
  // Not of interest beside broken rules.
  readGoodsId(violations, "e.", { goodsId: 0, sku: "GREEN" }, SKUS);
  const error = assertThrows(() => violations.check(), ConnectError);
  const [{ fieldViolations }] = error.findDetails(BadRequestSchema) as unknown as [
    { fieldViolations: { field: string; description: string }[] },
  ];
  assertEquals(error.code, Code.InvalidArgument);
  assertEquals(fieldViolations.map(({ field, description }) => [field, description]), [
    ["a.sku", "expected the sku of goods 9, got that of goods 7"],
    ["b.goods_id", "expected a goods id greater than 0, got 0"],
    ["c.sku", "expected a sku of 1 to 64 characters, none of them a control character, got U+0009 as character 1"],
    ["d.goods_id", "expected a goods id greater than 0, got -1"],
  ]);
});

Deno.test("unknown skus are all named, each once, as far as trailers take them", () => {
  for (const [count, length] of [[1, 1], [40, 40], [10_000, 64]] as const) {
    const violations = new Violations();
    const skus = Array.from({ length: count }, (_, i) => `${i}`.padStart(length, "x"));
    for (const sku of [...skus, ...skus]) readGoodsId(violations, "", { goodsId: 0, sku }, SKUS);
    const error = assertThrows(() => violations.check(), ConnectError);
    assertEquals(error.code, Code.NotFound);
    const [{ reason, metadata }] = error.findDetails(ErrorInfoSchema) as unknown as [
      { reason: string; metadata: Record<string, string> },
    ];
    assertEquals(reason, "UNKNOWN_SKU");
    const named = JSON.parse(metadata["skus"]!);
    assertEquals(named, skus.slice(0, named.length));
    assertEquals(named.length + Number(metadata["more"] ?? 0), count);
    assertEquals(count <= 40 ? named.length : named.length > 50, count <= 40 ? count : true);
    const bytes = error.rawMessage.length + JSON.stringify(metadata).length * 4 / 3;
    assertEquals(bytes < TRAILER_BYTES_MAX, true, `${bytes}`);
  }
});

Deno.test("an answer calls goods what its request called them", () => {
  const names = skuNames([{ goodsId: 0, sku: "RED" }, { goodsId: 9, sku: "" }], SKUS);
  const lines = [{ goodsId: 7, num: 1 }, { goodsId: 9, num: 1 }];
  assertEquals(withSkus(lines, names), [{ goodsId: 7, num: 1, sku: "RED" }, { goodsId: 9, num: 1, sku: "" }]);
  assertEquals(withSkus(lines, skuNames([{ goodsId: 7, sku: "" }], undefined)), lines);
});

Deno.test("of what was asked for lately the oldest goes first", () => {
  const recent = new Recent<string, number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  assertEquals(recent.get("a"), 1);
  recent.set("c", 3);
  assertEquals([recent.get("a"), recent.get("b"), recent.get("c"), recent.size], [1, undefined, 3, 2]);
  recent.set("a", 4);
  assertEquals([recent.get("a"), recent.size], [4, 2]);
});
