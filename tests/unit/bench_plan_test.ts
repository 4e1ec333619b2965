import { assert, assertEquals } from "@std/assert";
import { nextRound, plannedMs, planRun, RUN_MS_MAX } from "../../bench/plan.ts";
import { roundOf, sideBySideOf } from "../../bench/rounds.ts";
import { setsOf, SIDE_BY_SIDE } from "../../bench/scenarios/side_by_side.ts";
import { sequenceOf, turned } from "../../bench/turn_sequence.ts";
import { PROCESSES, WORKLOAD_NAMES } from "../../bench/scenarios/scenario.ts";

const WHOLE = planRun({ smoke: false, sellBatch: true });
const SMOKE = planRun({ smoke: true, sellBatch: true });

Deno.test("a whole run is planned to end well within its limit, a smoke run within half a minute", () => {
  assert(plannedMs(WHOLE) <= RUN_MS_MAX - 20_000, `${plannedMs(WHOLE)} ms`);
  const { rounds, scenarios } = SMOKE;
  const windowsMs = scenarios.reduce((sum, { warmupMs, windowMs }) => sum + warmupMs + windowMs, 0) * rounds;
  assert(windowsMs <= 15_000, `${windowsMs} ms`);
});

Deno.test("what is compared side by side is measured in each round, six times in all, and all else in every second one", () => {
  const often = new Map(WHOLE.scenarios.map(({ id }) => [id, 0]));
  const sides = new Set(setsOf(WHOLE.scenarios).flat());
  for (let round = 1; round <= WHOLE.rounds; round++) {
    const now = roundOf(WHOLE, round);
    assertEquals(new Set(now).size, now.length);
    assertEquals(new Set(now), new Set(round % 2 === 1 ? WHOLE.scenarios : sides), `round ${round}`);
    for (const { id } of now) often.set(id, often.get(id)! + 1);
  }
  for (const scenario of WHOLE.scenarios) {
    assertEquals(often.get(scenario.id), sides.has(scenario) ? 6 : 3, scenario.id);
  }
});

Deno.test("a set is measured in one piece, and begins with another one than two rounds before", () => {
  const sets = setsOf(WHOLE.scenarios);
  const ids = sets.slice(0, SIDE_BY_SIDE.length).map((set) => set.map(({ id }) => id));
  assertEquals(ids, SIDE_BY_SIDE.map((set) => [...set]));
  assertEquals(sets.at(-1)?.map(({ group }) => group), Array(4).fill("growth"));
  for (const set of sets) {
    const firsts = Array.from({ length: WHOLE.rounds }, (_, i) => {
      const now = roundOf(WHOLE, i + 1);
      const from = now.findIndex((scenario) => set.includes(scenario));
      assertEquals(new Set(now.slice(from, from + set.length)), new Set(set));
      return now[from]!;
    });
    // Round and back from the same one on, then from another one.
    for (let i = 0; i < firsts.length; i += 2) {
      assertEquals(firsts[i], firsts[i + 1]);
      assert(firsts[i] !== firsts[i + 2]);
    }
  }
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

Deno.test("by turns each scenario counts once in every cycle, begins as many as any other, and never follows itself", () => {
  for (const length of [3, 4, 7, 8]) {
    const scenarios = WHOLE.scenarios.slice(0, length);
    const sequence = sequenceOf({ scenarios, warmup: 2, cycles: 2 * length });
    assertEquals(sequence.map(({ counts }) => counts), sequence.map((_, i) => i >= 2 * length));
    const ids = sequence.map(({ scenario: { id } }) => id);
    for (let i = 1; i < ids.length; i++) assert(ids[i] !== ids[i - 1], `${ids[i]} twice in a row, of ${length}`);
    const cycles = Array.from({ length: 2 + 2 * length }, (_, i) => ids.slice(i * length, (i + 1) * length));
    for (const cycle of cycles) assertEquals(new Set(cycle).size, length);
    // From the same one on, and backwards.
    for (let i = 0; i < cycles.length; i += 2) {
      const [first, ...others] = cycles[i]!;
      assertEquals(cycles[i + 1], [first, ...others.reverse()]);
    }
    const counted = cycles.slice(2).map(([first]) => first);
    for (const { id } of scenarios) assertEquals(counted.filter((first) => first === id).length, 2);
  }
});

Deno.test("nothing is begun for the first time in a turn that counts", () => {
  const { turns } = planRun({ smoke: false, sellBatch: true, only: "turns" });
  const sequence = sequenceOf(turns);
  assert(sequence.findIndex(({ counts }) => counts) >= turns.scenarios.length);
  assertEquals([turns.warmup % 2, turns.cycles % 2], [0, 0]);
});

Deno.test("turns have runs of their own: many, on small tables, and within the limit; a smoke run has two of them", () => {
  assertEquals(sequenceOf(WHOLE.turns), []);
  for (const only of ["turns", "hosts"] as const) {
    const alone = planRun({ smoke: false, sellBatch: true, only });
    assertEquals([alone.scenarios, alone.warmup, alone.sizes], [[], [], SMOKE.sizes]);
    if (only === "turns") assertEquals(alone.turns.scenarios, SMOKE.turns.scenarios);
    assert(alone.turns.cycles > SMOKE.turns.cycles && plannedMs(alone) <= RUN_MS_MAX - 20_000);
  }
});

Deno.test("of several hosts each is as often the one alone as any other, and has been it before anything counts", () => {
  const { turns } = planRun({ smoke: false, sellBatch: true, only: "hosts" });
  const servers = Array.from({ length: Math.max(...PROCESSES) }, (_, i) => i);
  const alone = turns.scenarios.filter(({ processes }) => processes === 1);
  assert(alone.length > 0);
  for (const one of alone) {
    for (const counts of [false, true]) {
      const its = sequenceOf(turns).filter((turn) => turn.scenario === one && turn.counts === counts);
      const often = servers.map((server) => its.filter(({ first }) => turned(servers, first)[0] === server).length);
      assertEquals(often, servers.map(() => its.length / servers.length), `${one.id} ${counts}`);
      assert(its.length > 0);
    }
  }
});

Deno.test("each server has answered every kind of call that is compared side by side, before the first round", () => {
  const servers = Array.from({ length: Math.max(...PROCESSES) }, (_, i) => i);
  const alone = setsOf(WHOLE.scenarios).flat().filter(({ kind, processes, variant }) =>
    kind === "grpc" && processes === 1 && variant === undefined
  );
  assert(alone.length > 0);
  for (const one of alone) {
    const firsts = WHOLE.warmup.filter(({ scenario }) => scenario.id === one.id).map(({ first }) => first);
    assertEquals(firsts, servers, one.id);
  }
});

Deno.test("a list that is turned is the same one from another place on", () => {
  const seen = [0, 1, 3, 4, 9].map((first) => turned(["a", "b", "c", "d"], first).join(""));
  assertEquals(seen, ["abcd", "bcda", "dabc", "abcd", "bcda"]);
  assertEquals(turned([], 3), []);
});

Deno.test("callers divide evenly among processes, and sales over the table", () => {
  for (const plan of [WHOLE, SMOKE]) {
    for (const { id, kind, callers, processes, workload } of plan.scenarios) {
      if (kind === "stock") assert(Number.isInteger(callers / processes), id);
      assert(Number.isInteger(workload.stride) && workload.lines <= workload.goods, id);
    }
    for (const { scenario: { id } } of plan.warmup) assert(plan.scenarios.some((each) => each.id === id), id);
  }
});

Deno.test("without SellBatch in the service it is left out, and nothing else", () => {
  const without = planRun({ smoke: false, sellBatch: false });
  assertEquals(without.scenarios, WHOLE.scenarios.filter(({ method }) => method !== "SellBatch"));
});

Deno.test("on a slow machine rounds have only what is compared side by side, or nothing, and the run ends in time", () => {
  const setupMs = 47_000;
  const wholeRoundMs = 42_000;
  const after = (elapsedMs: number, round: number) => nextRound(WHOLE, round, { elapsedMs, setupMs, wholeRoundMs });
  assertEquals(after(100_000, 3), roundOf(WHOLE, 3));
  // All of it would still fit, and then nothing of the rounds behind it.
  assertEquals(after(155_000, 3), sideBySideOf(WHOLE, 3));
  assertEquals(after(155_000, 5), roundOf(WHOLE, 5));
  assertEquals(after(185_000, 5), sideBySideOf(WHOLE, 5));
  assertEquals(after(215_000, 6), roundOf(WHOLE, 6));
  assertEquals(after(225_000, 6), []);
  // Where the set-up took three times as long as planned, so will the checks.
  assertEquals(nextRound(WHOLE, 3, { elapsedMs: 150_000, setupMs: 3 * setupMs, wholeRoundMs }), []);
});
