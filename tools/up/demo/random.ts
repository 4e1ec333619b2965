/** Numbers that look random and are the same for the same seed. */

/** What is drawn: a number in [0, 1), an integer below a bound, one of several, and whether something is so. */
export interface Draw {
  number(): number;
  below(bound: number): number;
  one<T>(choices: readonly T[]): T;
  isSo(chance: number): boolean;
}

/** Draws of a seed. */
export function drawOf(seed: number): Draw {
  let state = seed >>> 0;
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(number() * bound);
  return { number, below, one: (choices) => choices[below(choices.length)]!, isSo: (chance) => number() < chance };
}
