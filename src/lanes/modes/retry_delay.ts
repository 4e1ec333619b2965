/**
 * How long to wait before asking again for goods that somebody else holds. Pure.
 */

/**
 * Bounds of the random delay; the upper one grows by the factor with every refusal, up to the maximum. It grows by little:
 * who has waited for long must not ask less often than who has just come, or he starves.
 */
const DELAY_MS_MIN = 1;
const DELAY_MS_FIRST = 8;
const DELAY_GROWTH = 1.5;
/** Whoever waits asks at least this often, so a pause that is longer gives everybody a turn. */
export const RETRY_DELAY_MS_MAX = 12;

/** Delay after the refusal `refusals` (from 1), in ms: random, bounded, its bound growing. `random` is in [0, 1). */
export function retryDelayMs(refusals: number, random: number): number {
  const ceiling = Math.min(DELAY_MS_FIRST * DELAY_GROWTH ** (refusals - 1), RETRY_DELAY_MS_MAX);
  return DELAY_MS_MIN + random * (ceiling - DELAY_MS_MIN);
}
