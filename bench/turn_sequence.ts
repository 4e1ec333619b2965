/** In what sequence scenarios have their turns. Pure. */
import type { Scenario } from "./scenarios/scenario.ts";

/** What has its turn when. Times of a cycle are those of `scenarios`. */
export interface Turns {
  readonly scenarios: readonly Scenario[];
  /** Cycles before those that count, in which code is compiled and connections are made. */
  readonly warmup: number;
  /** Cycles that count: in each of them every scenario has one turn. */
  readonly cycles: number;
}

/** One turn. */
export interface Turn {
  readonly scenario: Scenario;
  readonly counts: boolean;
}

/** All turns, in their sequence: there and back again, so that whoever comes first comes last in the next cycle. */
export function sequenceOf({ scenarios, warmup, cycles }: Turns): Turn[] {
  return Array.from({ length: warmup + cycles }, (_, cycle) => {
    const turns = scenarios.map((scenario): Turn => ({ scenario, counts: cycle >= warmup }));
    return cycle % 2 === 0 ? turns : turns.reverse();
  }).flat();
}
