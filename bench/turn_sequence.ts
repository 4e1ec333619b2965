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

/**
 * All turns, in their sequence: once round and once back, from the same one on, so that each comes as often behind the
 * one beside it as before it; and then from another one on.
 *
 * Of three or more nobody has two turns in a row: eight servers that were measured took 0 to 10 % less CPU time for a
 * call, 5 in the middle, in turns right after their own than in those after another's. Whoever stands at an end of a
 * list that is gone through there and back has every other turn after its own, and all others have none.
 */
export function sequenceOf({ scenarios, warmup, cycles }: Turns): Turn[] {
  const { length } = scenarios;
  return Array.from({ length: warmup + cycles }, (_, cycle) => {
    const from = length - (cycle >> 1) % length;
    const step = cycle % 2 === 0 ? 1 : -1;
    return scenarios.map((_, i): Turn => ({
      scenario: scenarios[(from + i * step + length) % length]!,
      counts: cycle >= warmup,
    }));
  }).flat();
}
