import { assertEquals } from "@std/assert";
import { lineDifferences, mergeLines, sameLines } from "../../src/inventory/lines.ts";

const line = (goodsId: number, num: number) => ({ goodsId, locationId: 0, num });

Deno.test("mergeLines() adds up the lines of a goods and sorts by goods", () => {
  assertEquals(mergeLines([line(9, 1), line(2, 5), line(9, 2)]), [line(2, 5), line(9, 3)]);
  assertEquals(mergeLines([]), []);
  // Nothing of it but place and quantity, however few there are.
  assertEquals(mergeLines([Object.assign(line(1, 2), { sku: "A" })]), [line(1, 2)]);
});

Deno.test("sameLines() distinguishes goods, quantities and length", () => {
  assertEquals(sameLines([line(1, 2)], [line(1, 2)]), true);
  assertEquals(sameLines([line(1, 2)], [line(1, 3)]), false);
  assertEquals(sameLines([line(1, 2)], [line(2, 2)]), false);
  assertEquals(sameLines([line(1, 2)], [line(1, 2), line(2, 1)]), false);
});

Deno.test("lineDifferences() names each difference and bounds their number", () => {
  assertEquals(lineDifferences([line(1, 2), line(2, 1)], [line(1, 3), line(4, 1)]), [
    "goods 1 had num 2, now 3",
    "goods 4 was not in it",
    "goods 2 is missing",
  ]);
  const many = Array.from({ length: 500 }, (_, i) => line(i + 1, 1));
  assertEquals(lineDifferences([], many).length, 11);
  assertEquals(lineDifferences([], many).at(-1), "and 490 more");
});
