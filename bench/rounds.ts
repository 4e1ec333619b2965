/** What is measured in which round, in what sequence. Pure. */
import type { Scenario } from "./scenarios/scenario.ts";
import { setsOf } from "./scenarios/side_by_side.ts";
import { sequenceOf } from "./turn_sequence.ts";

/** What is measured in rounds. */
export interface Rounds {
  readonly rounds: number;
  readonly scenarios: readonly Scenario[];
}

/**
 * A round, counted from 1: in every second one, from the first on, everything, in the others what is compared side by
 * side. So that is measured twice as often, and not at one time of the run.
 */
export function roundOf(plan: Rounds, round: number): readonly Scenario[] {
  const sets = setsInTurn(plan, round);
  if (round % 2 === 0) return sets.flat();
  const setOf = new Map(sets.flatMap((set) => set.map((scenario) => [scenario, set] as const)));
  // A set stands where the first of its scenarios does.
  return [...new Set(plan.scenarios.flatMap((scenario) => setOf.get(scenario) ?? [scenario]))];
}

/** Of that round only what is compared side by side. */
export function sideBySideOf(plan: Rounds, round: number): readonly Scenario[] {
  return setsInTurn(plan, round).flat();
}

/** Each set in the sequence of a cycle of turns: round and back, then from another one on; who is first is colder. */
function setsInTurn({ scenarios, rounds }: Rounds, round: number): Scenario[][] {
  return setsOf(scenarios).map((set) =>
    sequenceOf({ scenarios: set, warmup: 0, cycles: rounds })
      .slice((round - 1) * set.length, round * set.length)
      .map(({ scenario }) => scenario)
  );
}
