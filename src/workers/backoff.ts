/** How long the supervisor waits before it starts a dead worker again. Pure: the randomness is passed in. */

/** Longest wait before the first restart, in ms; the shortest is half of it. */
const FIRST_MS_MAX = 200;
/** Longest wait of all, in ms. */
const WAIT_MS_MAX = 10_000;

/**
 * The wait in ms before the restart that follows `failures` deaths in a row (1 or more). `random` is in [0, 1).
 *
 * The upper bound doubles with each death, from 200 ms to 10 s, and the wait is drawn from its upper half. So workers
 * that died of one cause don't come back at one moment, and yet no wait is shorter than the one before it, until the
 * longest is reached.
 */
export function backoffMs(failures: number, random: number): number {
  const boundMs = Math.min(WAIT_MS_MAX, FIRST_MS_MAX * 2 ** (failures - 1));
  return Math.round(boundMs / 2 * (1 + random));
}
