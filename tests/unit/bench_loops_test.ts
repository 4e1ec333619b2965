import { assert, assertEquals } from "@std/assert";
import { refused, run, sold, unknown } from "../../bench/load/loops.ts";
import type { LoadRun } from "../../bench/load/protocol.ts";
import { quantile } from "../../bench/stats.ts";

function order(changes: Partial<LoadRun>): LoadRun {
  return {
    work: {
      kind: "stock",
      database: "stock",
      workload: { goods: 1, stride: 1, spread: "uniform", lines: 1 },
    },
    startAtMs: performance.timeOrigin + performance.now() + 5,
    warmupMs: 0,
    windowMs: 200,
    callers: 1000,
    servers: 1,
    ...changes,
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

Deno.test("open loop: a stall is felt by every call that should have begun in it", async () => {
  let calls = 0;
  const tally = await run(() => {
    // One call blocks the whole process for 100 ms, as a stalled server or a stalled caller would.
    if (calls++ === 20) { for (const untilMs = performance.now() + 100; performance.now() < untilMs;); }
    return Promise.resolve(sold(1));
  }, order({ ratePerS: 500 }));
  assertEquals(tally.latenciesUs.length, 100);
  // Counted from the real start only one call of a hundred would have been slow.
  assert(tally.latenciesUs.filter((us) => us > 40_000).length >= 25, `${tally.latenciesUs}`);
  assert(quantile(tally.latenciesUs, 1) >= 99_000);
});

Deno.test("open loop: begins as many calls as the rate says, however slow they are, up to the bound", async () => {
  const slow = await run(async () => {
    await pause(100);
    return sold(1);
  }, order({ ratePerS: 200 }));
  assertEquals(slow.orders, 40);
  const bounded = await run(async () => {
    await pause(1500);
    return sold(1);
  }, order({ ratePerS: 200, callers: 10 }));
  assertEquals(bounded.orders, 10);
  assertEquals(bounded.refused, { "not begun: too many in progress": 30 });
});

Deno.test("closed loop: each caller has one call under way, and what ends after the window is no rate", async () => {
  let underWay = 0;
  let most = 0;
  let calls = 0;
  // Long enough that the first calls end in it although the machine does other things, too.
  const load = order({ callers: 4, windowMs: 2000 });
  const overMs = load.startAtMs + load.windowMs + 50;
  const tally = await run(async () => {
    most = Math.max(most, ++underWay);
    // The first call of each caller ends at once, the second after the window.
    if (calls++ >= 4) await pause(overMs - performance.timeOrigin - performance.now());
    underWay--;
    return sold(2);
  }, load);
  assertEquals(most, 4);
  assertEquals(tally.done, 4);
  // What came late is counted all the same.
  assertEquals(tally.orders, 8);
  assertEquals(tally.units, 16);
});

Deno.test("refusals and unknown ends are counted apart, and neither is a sale", async () => {
  let calls = 0;
  const results = [sold(3), refused("short_stock"), unknown("UNAVAILABLE")];
  const tally = await run(async () => {
    const result = results[calls++ % 3]!;
    await pause(20);
    return result;
  }, order({ callers: 3 }));
  assertEquals(tally.orders, tally.units / 3);
  assertEquals(Object.keys(tally.refused), ["short_stock"]);
  assertEquals(Object.keys(tally.unknown), ["UNAVAILABLE"]);
  // Of sales only, and of those only the ones that began within the window.
  assert(tally.latenciesUs.length > 0 && tally.latenciesUs.length <= tally.orders);
});

Deno.test("a fault ends the run and is reported", async () => {
  const tally = await run(() => Promise.reject(new Error("no such goods")), order({ callers: 2 }));
  assert(tally.fault?.includes("no such goods"));
});
