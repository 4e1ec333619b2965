import { assertEquals, assertThrows } from "@std/assert";
import { compared, median, quantile, quantiles } from "../../bench/stats.ts";

Deno.test("median: the middle, or the mean of the two in the middle, in whatever order they come", () => {
  assertEquals(median([5]), 5);
  assertEquals(median([9, 1, 4]), 4);
  assertEquals(median([10, 1, 4, 2]), 3);
  assertThrows(() => median([]), RangeError);
});

Deno.test("quantile: nearest rank, always a value that was measured", () => {
  const thousand = Array.from({ length: 1000 }, (_, i) => 1000 - i);
  assertEquals(quantile(thousand, 0.5), 500);
  assertEquals(quantile(thousand, 0.99), 990);
  assertEquals(quantile(thousand, 0.999), 999);
  assertEquals(quantile(thousand, 1), 1000);
  assertEquals(quantile(thousand, 0), 1);
  assertEquals(quantile([7], 0.999), 7);
  assertThrows(() => quantile([], 0.5), RangeError);
  assertThrows(() => quantile([1], 1.5), RangeError);
  assertThrows(() => quantile([1], NaN), RangeError);
});

Deno.test("quantiles: all at once, and none of nothing", () => {
  assertEquals(quantiles([]), undefined);
  assertEquals(quantiles([3, 1, 2]), { count: 3, p50: 2, p99: 3, p999: 3, max: 3 });
});

Deno.test("compared: pair by pair, so that what slows a pair down says nothing; of whole pairs only", () => {
  assertEquals(compared([], [1]), undefined);
  assertEquals(compared([1], [0]), undefined);
  assertEquals(compared([90, 45, 180, 9], [100, 50, 200, 10]), { median: 0.9, low: 0.9, high: 0.9, pairs: 4 });
  assertEquals(compared([1, 2, 3, 4, 5], [2, 2, 2, 2]), { median: 1.25, low: 0.5, high: 1.5, pairs: 4 });
});
