import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SellResponseSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";
import {
  BatchInvDetailRequestSchema,
  SellBatchRequestSchema,
  SellRequestSchema,
} from "../../src/gen/inventory/v1/inventory_pb.ts";
import { UnreadableMessage } from "../../src/rpc/messages/scan_binary.ts";
import { jsonScanner } from "../../src/rpc/messages/scan_json.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const sell = fc.record({
  goodsInfo: fc.array(fc.record({ goodsId: int32, num: int32 }), { maxLength: 6 }),
  orderId: fc.string({ unit: "grapheme", maxLength: 12 }),
});
const scanSell = jsonScanner(SellRequestSchema, new Map());
const scanBatch = jsonScanner(SellBatchRequestSchema, new Map());

/** More than the stack of a pattern takes, and less than the largest message that can be set. */
const STRING_LENGTH = 10_000_000;

/** What is found wrong; undefined for what is no JSON object. Any other error is a fault. */
function faultsOf(scan: typeof scanSell, text: string): string[] | undefined {
  const faults: string[] = [];
  try {
    scan(text, (field) => faults.push(field));
  } catch (error) {
    assert(error instanceof UnreadableMessage, String(error));
    return undefined;
  }
  return faults;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

Deno.test("what the library writes has no fault, and is counted as it is built", () => {
  fc.assert(
    fc.property(fc.array(sell, { maxLength: 5 }), fc.boolean(), fc.boolean(), (orders, useProtoFieldName, spaced) => {
      const message = create(SellBatchRequestSchema, { orders });
      const text = toJsonString(SellBatchRequestSchema, message, {
        useProtoFieldName,
        alwaysEmitImplicit: true,
        prettySpaces: spaced ? 2 : 0,
      });
      const faults: string[] = [];
      const { counts, entries } = scanBatch(text, (field) => faults.push(field));
      assertEquals(faults, []);
      const lines = orders.reduce((sum, { goodsInfo }) => sum + goodsInfo.length, 0);
      assertEquals(counts.get(SellBatchRequestSchema.field.orders), orders.length);
      assertEquals(counts.get(SellRequestSchema.field.goodsInfo) ?? 0, lines);
      assert(entries >= 1 + orders.length + lines, `${entries}`);
    }),
  );
});

Deno.test("what is JSON to JSON.parse is JSON to the scanner, and the reverse", () => {
  const values = fc.json({ maxDepth: 4 });
  const spoilt = fc.tuple(
    values,
    fc.nat(),
    fc.constantFrom("", ",", "}", "]", '"', "\\", "\u0000", "01", "+1", ".", "tru", "\ufeff"),
    fc.nat(3),
  )
    .map(([text, at, put, dropped]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + put + text.slice(from + dropped);
    });
  fc.assert(
    fc.property(fc.oneof(values, spoilt, fc.string()), (value) => {
      // As a field that does not exist, where any JSON may be.
      const text = `{"x":${value}}`;
      const json = parsed(text);
      const isJson = json !== undefined;
      assertEquals(faultsOf(scanSell, text) !== undefined, isJson, text);
      const whole = parsed(value);
      const isObject = typeof whole === "object" && whole !== null && !Array.isArray(whole);
      assertEquals(faultsOf(scanSell, value) !== undefined, isObject, value);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("what passes without a fault is read by the library, with the same numbers", () => {
  const numbers = fc.oneof(
    int32.map(String),
    fc.double().map(String),
    fc.tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -4, max: 12 })).map(([n, e]) => `${n}e${e}`),
    fc.constantFrom(
      "1.0",
      "-0",
      "0.0",
      "1e400",
      "2147483648",
      "-2147483649",
      "1.5",
      "null",
      "true",
      `"7"`,
      `" 7"`,
      `"0x1"`,
      `""`,
    ),
  );
  fc.assert(
    fc.property(numbers, numbers, fc.constantFrom("goodsId", "goods_id", "GoodsId"), (goodsId, num, key) => {
      const text = `{"goodsInfo":[{"${key}":${goodsId},"num":${num}}]}`;
      if (faultsOf(scanSell, text)?.length !== 0) return;
      const message = fromJsonString(SellRequestSchema, text);
      const exact = (given: string) => given === "null" ? 0 : Number(given.replaceAll('"', ""));
      assertEquals([message.goodsInfo[0]!.goodsId, message.goodsInfo[0]!.num], [exact(goodsId) | 0, exact(num) | 0]);
      assertEquals([exact(goodsId), exact(num)].every(Number.isInteger), true);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("what is missing in the JSON is named so that it stands out from the words around it", () => {
  for (
    const [text, said] of [
      ['{"orderId":"a" "num":1}', 'expected "," in the JSON, got "\\"" at character 15'],
      ['{"orderId":"a"', 'expected "," in the JSON, got its end'],
      ['{"orderId" 1}', 'expected ":" in the JSON, got "1" at character 11'],
    ] as const
  ) {
    const { message } = assertThrows(() => scanSell(text, () => {}), UnreadableMessage);
    assertEquals(message, said);
  }
});

Deno.test("a key in either spelling counts once, twice is a fault, and every fault is found with its path", () => {
  assertEquals(
    faultsOf(scanBatch, `{"orders":[{"orderId":"a"},{"order_id":"a","orderId":"b","x":[{}]}],"orders":[]}`),
    [
      "orders[1].order_id",
      "orders[1].x",
      "orders",
    ],
  );
  assertEquals(faultsOf(scanSell, `{"goodsInfo":[null,{},{"num":1.5}],"orderId":7}`), [
    "goods_info[0]",
    "goods_info[2].num",
    "order_id",
  ]);
  assertEquals(faultsOf(jsonScanner(BatchInvDetailRequestSchema, new Map()), `{"goodsIds":[1,"2",2147483648,null]}`), [
    "goods_ids[2]",
    "goods_ids[3]",
  ]);
});

Deno.test("a string is read whatever its length, with escapes and without, and half of one is none", () => {
  assertEquals(faultsOf(scanSell, `{"orderId":"\\n${"a".repeat(STRING_LENGTH)}\\u00e9"}`), []);
  for (const text of ["a", "\\n", "\\u00e9a"]) {
    assertEquals(faultsOf(scanSell, `{"orderId":"${text}"}`), []);
    for (const end of ["", "\\", '\\"', "\\u00", '\\u00"}', '\\x"}', '\n"}', '\u0000"}']) {
      assertEquals(faultsOf(scanSell, `{"orderId":"${text}${end}`), undefined);
    }
  }
});

Deno.test("an enum is one of its names, or a whole number", () => {
  const faultsOfFill = (fill: string) => faultsOf(scanSell, `{"fill":${fill}}`);
  for (const fill of [`"FILL_AVAILABLE"`, `"FILL_\\u0041VAILABLE"`, "2", "7", "-1", "2.0", "null"]) {
    assertEquals(faultsOfFill(fill), [], fill);
  }
  for (
    const fill of [`"AVAILABLE"`, `"fill_available"`, `""`, `"2"`, `"__proto__"`, "1.5", "true", "{}", "[2]", "1e99"]
  ) {
    assertEquals(faultsOfFill(fill), ["fill"], fill);
  }
  const said: string[] = [];
  scanSell(`{"fill":"AVAILABEL"}`, (_, description) => said.push(description));
  assertEquals(said, [
    'expected one of FILL_UNSPECIFIED, FILL_ALL_OR_NOTHING, FILL_AVAILABLE, got "AVAILABEL"',
  ]);
});

Deno.test("nesting is bounded, in fields that exist and in those that don't", () => {
  for (const [open, close] of [["[", "]"], [`{"x":`, "}"]] as const) {
    const nested = (depth: number) => `{"x":${open.repeat(depth)}1${close.repeat(depth)}}`;
    assertEquals(faultsOf(scanSell, nested(50)), ["x"]);
    assertThrows(() => scanSell(nested(50_000), () => {}), UnreadableMessage, "nested more than");
  }
});

Deno.test("a time in JSON is a string in its form, and nothing else", () => {
  const scan = jsonScanner(SellResponseSchema, new Map());
  const ofTime = (json: string) => {
    const faults: string[] = [];
    scan(`{"soldAt":${json}}`, (field, description) => faults.push(`${field}: ${description}`));
    return faults;
  };
  for (const json of ['"2026-11-28T12:00:00Z"', '"2026-11-28T12:00:00.123456789+01:00"', "null"]) {
    assertEquals(ofTime(json), []);
    fromJsonString(SellResponseSchema, `{"soldAt":${json}}`);
  }
  const expected = "sold_at: expected a time such as 2026-11-28T12:00:00Z, got ";
  assertEquals(ofTime('"yesterday"'), [`${expected}"yesterday"`]);
  assertEquals(ofTime('"2026-13-28T12:00:00Z"'), [`${expected}"2026-13-28T12:00:00Z"`]);
  assertEquals(ofTime("1764331200"), [`${expected}a number`]);
  assertEquals(ofTime('{"seconds":1}'), [`${expected}an object`]);
});
