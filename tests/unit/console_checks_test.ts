/** What people type into the console's fields, and what becomes of it. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  durationText,
  HOLD_TTL_MS_MAX,
  isProblem,
  type Read,
  readBuyer,
  readDelta,
  readDocument,
  readDuration,
  readGoods,
  readOrderId,
  readResolution,
  readWhole,
} from "../../src/console/parts/checks.ts";
import { leftText } from "../../src/console/parts/countdown.ts";
import { newId } from "../../src/console/parts/ids.ts";
import { dayOf, dayStartMs } from "../../src/console/parts/days.ts";

const BOUNDS = { min: 0, max: 2_147_483_647 };
const TTL = { min: 1, max: HOLD_TTL_MS_MAX };

function seen<T>(read: Read<T>): T | string {
  return isProblem(read) ? read.problem : read.value;
}

Deno.test("a number is read as people write it, within its bounds", () => {
  const reads = ["12", " 1,234 ", "１２", "+5", "-0", "", "1.5", "1e3", "12x", "-1", "2147483647", "2147483648"];
  assertEquals(reads.map((text) => seen(readWhole(text, BOUNDS))), [
    ...[12, 1234, 12, 5, 0, "empty", "no_number", "no_number", "no_number", "out_of_bounds", 2_147_483_647],
    "out_of_bounds",
  ]);
  // Each would be another number, read by those who write numbers otherwise.
  for (const text of ["1,5", "1,00", "12,5", "1.234", "1 5", "1,2345", "5²", "½", "1/2", "0x10"]) {
    assertEquals(seen(readWhole(text, BOUNDS)), "no_number", text);
  }
  assertEquals(["1 234", "1'234", "12.00", "１，２３４"].map((text) => seen(readWhole(text, BOUNDS))), [
    1234,
    1234,
    12,
    1234,
  ]);
  assertEquals(["-3", "−3", "0", "+0"].map((text) => seen(readDelta(text))), [-3, -3, "zero", "zero"]);
});

Deno.test("a time is read with its unit and written so that it is read again", () => {
  assertEquals(
    ["90s", "15", "1h 30m", "31d", "31d1ms", "", "soon", "1.5h"].map((text) => seen(readDuration(text, TTL))),
    [
      ...[90_000, 900_000, 5_400_000, HOLD_TTL_MS_MAX, "out_of_bounds", "empty", "no_duration", "no_duration"],
    ],
  );
  fc.assert(fc.property(fc.integer(TTL), (ms) => assertEquals(seen(readDuration(durationText(ms), TTL)), ms)));
});

Deno.test("a goods is its id where it is digits, and else its sku", () => {
  assertEquals(
    ["17", "0", "2147483648", "mug-1", "sku:17", " ", "sku:", "a".repeat(65), "caf\u0065\u0301"].map((text) =>
      seen(readGoods(text))
    ),
    [
      ...[{ goodsId: 17 }, "out_of_bounds", "out_of_bounds", { sku: "mug-1" }, { sku: "17" }, "empty", "bad_text"],
      ...["bad_text", { sku: "café" }],
    ],
  );
});

Deno.test("ids and texts are those that the server takes; of a document what is no URI is encoded", () => {
  assertEquals(["shop:1.a_b-c", "a b", "", "x".repeat(65)].map((text) => seen(readOrderId(text))), [
    ...["shop:1.a_b-c", "bad_id", "empty", "bad_id"],
  ]);
  assertEquals(["auth0|5f", "", "é"].map((text) => seen(readBuyer(text))), ["auth0|5f", "", "bad_buyer"]);
  assertEquals(["", "https://a/b c?é", "x".repeat(513)].map((text) => seen(readDocument(text))), [
    ...["", "https://a/b%20c?%C3%A9", "bad_uri"],
  ]);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const read = readDocument(text);
    if (!isProblem(read)) assertEquals(/^[!-~]{0,512}$/.test(read.value), true);
  }));
  assertEquals(["refunded", "", "退款"].map((text) => seen(readResolution(text))), ["refunded", "empty", "bad_text"]);
});

Deno.test("an id of the page is a UUID of version 7, made of the time and of chance", () => {
  const ones = (bytes: Uint8Array) => bytes.fill(255);
  assertEquals(newId(0x0123456789ab, ones), "01234567-89ab-7fff-bfff-ffffffffffff");
  assertEquals(isProblem(readOrderId(newId())), false);
  assertEquals(new Set(Array.from({ length: 100 }, () => newId())).size, 100);
});

Deno.test("what is left is shown as clocks do, down to nothing", () => {
  assertEquals([-5, 0, 1, 59_000, 245_000, 3_845_000, 90_061_000].map(leftText), [
    ...["0:00", "0:00", "0:01", "0:59", "4:05", "1:04:05", "1d 01:01"],
  ]);
});

Deno.test("a day begins at midnight where the reader is", () => {
  assertEquals(["2026-02-28", "2026-02-29", "2026-13-01", "x", null].map(dayOf), [
    ...["2026-02-28", undefined, undefined, undefined, undefined],
  ]);
  assertEquals(new Date(dayStartMs("2026-02-28", 1)).toLocaleDateString("en-CA"), "2026-03-01");
});
