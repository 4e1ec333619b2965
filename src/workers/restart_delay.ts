/** How long the supervisor waits before it starts a dead worker again. Pure: the randomness is passed in. */
import { type Backoff, backoffMs } from "../base/backoff.ts";

const RESTART: Backoff = { leastMs: 0, firstMs: 200, growth: 2, maxMs: 10_000 };

/**
 * The wait in ms before the restart that follows `failures` deaths in a row (1 or more). `random` is in [0, 1).
 *
 * The upper bound doubles with each death, from 200 ms to 10 s, and the wait is drawn from its upper half. So workers
 * that died of one cause don't come back at one moment, and yet no wait is shorter than the one before it, until the
 * longest is reached.
 */
export function restartDelayMs(failures: number, random: number): number {
  return Math.round(backoffMs(RESTART, failures, (1 + random) / 2));
}
