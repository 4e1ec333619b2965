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
  /**
   * Of servers that are alike, this one is the first in its cycle, and so the one alone, counted round: then each of
   * them has had as many calls as any other, and its code is compiled as well.
   */
  readonly first: number;
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
      first: cycle,
    }));
  }).flat();
}

/** The same list round from this place on; places are counted round too. */
export function turned<T>(list: readonly T[], first: number): T[] {
  const from = list.length === 0 ? 0 : first % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
}
