/** How many calls are shed: when it begins, how it settles, and for whom. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { Pressure } from "../../src/limits/pressure.ts";
import { watchLoopDelay } from "../../src/limits/loop_delay.ts";

const THRESHOLD_MS = 200;

function pressed(...lateMs: number[]): Pressure {
  const pressure = new Pressure(THRESHOLD_MS);
  for (const late of lateMs) pressure.look(late, 100 + late);
  return pressure;
}

Deno.test("nothing is shed before the delay stands: a long turn, or two, is no overload", () => {
  for (
    const [looks, standingMs, isShed] of [
      [[], 0, false],
      [[60_000], 0, false],
      [[60_000, 60_000, 0], 0, false],
      [[0, 60_000, 60_000], 0, false],
      [[199, 199, 199, 199], 199, false],
      [[500, 199, 500, 500], 199, false],
      [[200, 200, 200], 200, true],
      [[0, 300, 250, 700], 250, true],
    ] as const
  ) {
    const pressure = pressed(...looks);
    assertEquals([pressure.standingMs, pressure.value > 0], [standingMs, isShed], looks.join());
  }
});

Deno.test("what is shed ends soon after the delay, and falls by itself however long the looks come late", () => {
  const pressure = pressed(...Array<number>(200).fill(5_000));
  assertEquals(pressure.value, 1.5);
  let looks = 0;
  while (pressure.value > 0) {
    pressure.look(0, 100);
    looks++;
  }
  assertLess(looks, 60);
});

Deno.test("operators are shed last, and of either kind some go on whatever comes", () => {
  const shares = (looks: number) => {
    const pressure = pressed(...Array<number>(looks).fill(2 * THRESHOLD_MS));
    const share = (isOperators: boolean) =>
      Array.from({ length: 1000 }, (_, i) => pressure.sheds(isOperators, i / 1000)).filter(Boolean).length / 1000;
    return { others: share(false), operators: share(true) };
  };
  let operatorsBegan: number | undefined;
  let before = { others: 0, operators: 0 };
  for (let looks = 1; looks < 60; looks++) {
    const now = shares(looks);
    assert(now.others >= before.others && now.operators >= before.operators, "more of the same");
    if (now.operators > 0) operatorsBegan ??= before.others;
    before = now;
  }
  assertEquals([operatorsBegan, before.others, before.operators], [0.9, 0.9, 0.5]);
});

/** A loop that gets `load` times the calls that it can serve, whose refusals cost a tenth of a call; from 30 s on. */
function simulate(thresholdMs: number, load: number, random: () => number) {
  const pressure = new Pressure(thresholdMs);
  const lateMs: number[] = [];
  const served: number[] = [];
  for (let backlogMs = 0, nowMs = 0; nowMs < 90_000;) {
    const turnMs = 100 + backlogMs;
    const calls = Math.round(load * turnMs);
    const taken = Array.from({ length: calls }, () =>
      pressure.sheds(false, random())).filter((isShed) => !isShed).length;
    pressure.look(backlogMs, turnMs);
    backlogMs = Math.min(5_000, Math.max(0, backlogMs + taken + 0.1 * (calls - taken) - turnMs));
    nowMs += turnMs;
    if (nowMs < 30_000) continue;
    lateMs.push(backlogMs);
    served.push(taken / turnMs);
  }
  const mean = served.reduce((sum, one) => sum + one, 0) / served.length;
  return { p90: lateMs.sort((a, b) => a - b)[Math.floor(0.9 * lateMs.length)]!, mean };
}

Deno.test("under more load than can be served the delay settles near the threshold, and most of what can be served is", () => {
  const loads = fc.record({
    thresholdMs: fc.integer({ min: 50, max: 1_000 }),
    load: fc.double({ min: 1.05, max: 3, noNaN: true }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(loads, ({ thresholdMs, load, seed }) => {
      let state = seed;
      const random = () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) / 2 ** 32;
      const { p90, mean } = simulate(thresholdMs, load, random);
      assertLess(p90, 3 * thresholdMs);
      // What the refusals leave.
      const served = (1 - 0.1 * load) / 0.9;
      assertGreater(mean, 0.85 * served);
    }),
    { numRuns: 20 },
  );
});

Deno.test("without any shedding the same load is late by all that it may be", () => {
  assertEquals(simulate(Infinity, 1.5, () => 0).p90, 5_000);
});

Deno.test("a blocked loop is seen to be late, for as long as it was blocked", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const stop = watchLoopDelay((lateMs) => resolve(lateMs));
  const until = performance.now() + 300;
  while (performance.now() < until);
  assertGreater(await promise, 150);
  stop();
});
