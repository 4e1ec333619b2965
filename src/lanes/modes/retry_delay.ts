/** How long to wait before asking again for goods that another process has. Pure. */
import { type Backoff, backoffMs } from "../../base/backoff.ts";

/**
 * Whoever waits asks at least this often, or looks far oftener whether the goods is free, so a pause that is longer
 * gives everybody a turn.
 */
export const RETRY_DELAY_MS_MAX = 12;
/** It grows by little: who has waited for long must not ask less often than who has just come, or he starves. */
const DELAY: Backoff = { leastMs: 1, firstMs: 8, growth: 1.5, maxMs: RETRY_DELAY_MS_MAX };
/** Where it is looked meanwhile: an attempt renews the waiter hint, which lasts several times as long. */
const LOOKED_DELAY: Backoff = { leastMs: 16, firstMs: 24, growth: 1, maxMs: 24 };
/** Random, so that those who see a goods free do not all ask for it in the same moment. */
const LOOK_DELAY: Backoff = { leastMs: 1, firstMs: 3, growth: 1, maxMs: 3 };

/** Delay after the refusal `refusals` (from 1), in ms. `random` is in [0, 1). */
export function retryDelayMs(refusals: number, random: number): number {
  return backoffMs(DELAY, refusals, random);
}

/** The same where it is looked meanwhile whether the goods are free. */
export function lookedDelayMs(random: number): number {
  return backoffMs(LOOKED_DELAY, 1, random);
}

/** Delay before a look whether the goods are free, in ms. `random` is in [0, 1). */
export function lookDelayMs(random: number): number {
  return backoffMs(LOOK_DELAY, 1, random);
}
