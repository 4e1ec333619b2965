/** Both kinds of load, by a clock of the tests': nothing here depends on how busy the machine is. */
import { assert, assertEquals } from "@std/assert";
import { type Call, type LoadClock, refused, run, sold, unknown } from "../../bench/load/loops.ts";
import type { LoadRun, Tally } from "../../bench/load/protocol.ts";
import { quantile } from "../../bench/stats.ts";

const START_MS = 5;

function order(changes: Partial<LoadRun>): LoadRun {
  return {
    work: {
      kind: "stock",
      database: "stock",
      workload: { goods: 1, stride: 1, spread: "uniform", lines: 1 },
    },
    startAtMs: performance.timeOrigin + START_MS,
    warmupMs: 0,
    windowMs: 200,
    callers: 1000,
    servers: 1,
    ...changes,
  };
}

/** Its time goes on when everybody waits, to the end of the shortest wait, or by {@link passes}. */
class Clock implements LoadClock {
  #nowMs = 0;
  readonly #waits = new Set<{ readonly untilMs: number; readonly end: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  delay(ms: number): Promise<void> {
    return new Promise((end) => this.#waits.add({ untilMs: this.#nowMs + ms, end }));
  }

  /** Time in which this whole process does nothing else. */
  passes(ms: number): void {
    this.#nowMs += ms;
  }

  /** Goes on until the run is over. */
  async run(call: (clock: Clock) => ReturnType<Call>, load: LoadRun): Promise<Tally> {
    let isOver = false;
    const running = run(() => call(this), load, this).finally(() => isOver = true);
    while (!isOver) {
      // What is due in this moment has been done behind the next turn of the event loop.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const next = [...this.#waits].sort((a, b) => a.untilMs - b.untilMs)[0];
      if (next === undefined) continue;
      this.#waits.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.untilMs);
      next.end();
    }
    return await running;
  }
}

const runs = (call: (clock: Clock) => ReturnType<Call>, load: LoadRun) => new Clock().run(call, load);

Deno.test("open loop: a stall is felt by every call that should have begun in it", async () => {
  let calls = 0;
  const tally = await runs((clock) => {
    // One call blocks the whole process for 100 ms, as a stalled server or a stalled caller would.
    if (calls++ === 20) clock.passes(100);
    return Promise.resolve(sold(1));
  }, order({ ratePerS: 500 }));
  assertEquals(tally.latenciesUs.length, 100);
  // Counted from the real start only one call of a hundred would have been slow.
  assert(tally.latenciesUs.filter((us) => us > 40_000).length >= 25, `${tally.latenciesUs}`);
  assert(quantile(tally.latenciesUs, 1) >= 99_000);
});

Deno.test("open loop: begins as many calls as the rate says, however slow they are, up to the bound", async () => {
  const slow = await runs(async (clock) => {
    await clock.delay(100);
    return sold(1);
  }, order({ ratePerS: 200 }));
  assertEquals(slow.orders, 40);
  const bounded = await runs(async (clock) => {
    await clock.delay(1500);
    return sold(1);
  }, order({ ratePerS: 200, callers: 10 }));
  assertEquals(bounded.orders, 10);
  assertEquals(bounded.refused, { "not begun: too many in progress": 30 });
});

Deno.test("closed loop: each caller has one call under way, and what ends after the window is no rate", async () => {
  let underWay = 0;
  let most = 0;
  let calls = 0;
  const load = order({ callers: 4 });
  const tally = await runs(async (clock) => {
    most = Math.max(most, ++underWay);
    // The first call of each caller ends at once, the second after the window.
    if (calls++ >= 4) await clock.delay(load.windowMs + 50);
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
  const tally = await runs(async (clock) => {
    const result = results[calls++ % 3]!;
    await clock.delay(20);
    return result;
  }, order({ callers: 3 }));
  assertEquals(tally.orders, tally.units / 3);
  assertEquals(Object.keys(tally.refused), ["short_stock"]);
  assertEquals(Object.keys(tally.unknown), ["UNAVAILABLE"]);
  // Of sales only, and of those only the ones that began within the window.
  assert(tally.latenciesUs.length > 0 && tally.latenciesUs.length <= tally.orders);
});

Deno.test("a fault ends the run and is reported", async () => {
  const tally = await runs(() => Promise.reject(new Error("no such goods")), order({ callers: 2 }));
  assert(tally.fault?.includes("no such goods"));
});
