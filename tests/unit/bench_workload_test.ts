import { assert, assertEquals, assertThrows } from "@std/assert";
import { picker, zipfRank } from "../../bench/workload.ts";

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  };
}

Deno.test("zipf: rank k comes up 1/(k+1) as often as rank 0", () => {
  const draws = 200_000;
  const goods = 100;
  const rank = zipfRank(goods, seeded(1));
  const counts = new Array<number>(goods).fill(0);
  for (let i = 0; i < draws; i++) counts[rank()]!++;
  const harmonic = Array.from({ length: goods }, (_, k) => 1 / (k + 1)).reduce((sum, part) => sum + part, 0);
  for (const k of [0, 1, 2, 9, 49, 99]) {
    const expected = draws / (k + 1) / harmonic;
    const spread = 5 * Math.sqrt(expected);
    assert(Math.abs(counts[k]! - expected) < spread, `rank ${k}: ${counts[k]} draws, expected about ${expected}`);
  }
});

Deno.test("zipf: the ends of the random numbers lead to the first and the last rank", () => {
  assertEquals(zipfRank(1000, () => 0)(), 0);
  assertEquals(zipfRank(1000, () => 1 - 2 ** -53)(), 999);
  assertEquals(zipfRank(1, () => 0.5)(), 0);
});

Deno.test("picker: goods lie a stride apart, and one goods needs no choice", () => {
  const random = seeded(2);
  const pick = picker({ goods: 10, stride: 100, spread: "uniform", lines: 1 }, random);
  const seen = new Set(Array.from({ length: 1000 }, () => pick()).flat());
  assertEquals([...seen].sort((a, b) => a - b), [1, 101, 201, 301, 401, 501, 601, 701, 801, 901]);
  assertEquals(picker({ goods: 1, stride: 1, spread: "zipf", lines: 1 }, random)(), [1]);
});

Deno.test("picker: the lines of an order are different goods, ascending, also where all must be taken", () => {
  for (const spread of ["uniform", "zipf"] as const) {
    const pick = picker({ goods: 5, stride: 1, spread, lines: 5 }, seeded(3));
    for (let i = 0; i < 100; i++) assertEquals(pick(), [1, 2, 3, 4, 5]);
    const three = picker({ goods: 1000, stride: 1, spread, lines: 3 }, seeded(4));
    for (let i = 0; i < 100; i++) {
      const [a = 0, b = 0, c = 0] = three();
      assert(0 < a && a < b && b < c && c <= 1000);
    }
  }
  assertThrows(() => picker({ goods: 2, stride: 1, spread: "uniform", lines: 3 }, () => 0), RangeError);
});
