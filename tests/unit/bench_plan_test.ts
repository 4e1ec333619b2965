import { assert, assertEquals } from "@std/assert";
import { nextRound, plannedMs, planRun, RUN_MS_MAX } from "../../bench/plan.ts";
import { sequenceOf } from "../../bench/turn_sequence.ts";
import { PROCESSES, WORKLOAD_NAMES } from "../../bench/scenarios/scenario.ts";

const WHOLE = planRun({ smoke: false, sellBatch: true });
const SMOKE = planRun({ smoke: true, sellBatch: true });

Deno.test("a whole run is planned to end well within its limit, a smoke run within half a minute", () => {
  assert(plannedMs(WHOLE) <= RUN_MS_MAX - 20_000, `${plannedMs(WHOLE)} ms`);
  const { rounds, scenarios } = SMOKE;
  const windowsMs = scenarios.reduce((sum, { warmupMs, windowMs }) => sum + warmupMs + windowMs, 0) * rounds;
  assert(windowsMs <= 15_000, `${windowsMs} ms`);
});

Deno.test("every method to sell is measured on every workload with 1, 2 and 4 processes", () => {
  const ids = new Set(WHOLE.scenarios.map(({ id }) => id));
  assertEquals(ids.size, WHOLE.scenarios.length);
  for (const method of ["in_process", "grpc/sell", "grpc/sell_batch"]) {
    for (const workload of WORKLOAD_NAMES) {
      for (const processes of PROCESSES) assert(ids.has(`${method}/${workload}/${processes}`), `${method} ${workload}`);
    }
  }
});

Deno.test("by turns each scenario is as often the first as the last, and counts in as many cycles as any other", () => {
  const { turns } = WHOLE;
  const counted = sequenceOf(turns).filter(({ counts }) => counts).map(({ scenario: { id } }) => id);
  const ids = turns.scenarios.map(({ id }) => id);
  assertEquals(counted.length, ids.length * turns.cycles);
  assertEquals(counted, Array.from({ length: turns.cycles / 2 }, () => [...ids, ...ids.toReversed()]).flat());
  // Nothing was begun for the first time in a turn that counts.
  assert(sequenceOf(turns).findIndex(({ counts }) => counts) >= ids.length);
});

Deno.test("turns alone are many, on small tables, and within the limit of a run", () => {
  for (const only of ["turns", "hosts"] as const) {
    const alone = planRun({ smoke: false, sellBatch: true, only });
    assertEquals([alone.scenarios, alone.warmup, alone.sizes], [[], [], SMOKE.sizes]);
    if (only === "turns") assertEquals(alone.turns.scenarios, WHOLE.turns.scenarios);
    assert(alone.turns.cycles > WHOLE.turns.cycles && plannedMs(alone) <= RUN_MS_MAX - 20_000);
  }
});

Deno.test("callers divide evenly among processes, and sales over the table", () => {
  for (const plan of [WHOLE, SMOKE]) {
    for (const { id, kind, callers, processes, workload } of plan.scenarios) {
      if (kind === "stock") assert(Number.isInteger(callers / processes), id);
      assert(Number.isInteger(workload.stride) && workload.lines <= workload.goods, id);
    }
    for (const scenario of plan.warmup) assert(plan.scenarios.includes(scenario));
  }
});

Deno.test("without SellBatch in the service it is left out, and nothing else", () => {
  const without = planRun({ smoke: false, sellBatch: false });
  assertEquals(without.scenarios, WHOLE.scenarios.filter(({ method }) => method !== "SellBatch"));
});

Deno.test("on a slow machine later rounds have what ratios stand on, or nothing, and the run ends in time", () => {
  const setupMs = 30_000;
  const after = (elapsedMs: number, wholeRoundMs: number) =>
    nextRound(WHOLE, { elapsedMs, setupMs, wholeRoundMs }).length;
  const all = WHOLE.scenarios.length;
  assertEquals(after(100_000, 70_000), all);
  assertEquals(after(170_000, 70_000), all);
  const some = after(170_000, 85_000);
  assert(0 < some && some < all, `${some}`);
  assertEquals(after(220_000, 85_000), 0);
  // Where the set-up took three times as long as planned, so will the checks.
  assertEquals(nextRound(WHOLE, { elapsedMs: 170_000, setupMs: 102_000, wholeRoundMs: 70_000 }).length, 0);
});
