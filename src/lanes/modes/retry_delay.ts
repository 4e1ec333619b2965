/** How long to wait before asking again for goods that another process has. Pure. */
import { type Backoff, backoffMs } from "../../base/backoff.ts";

/** Whoever waits asks at least this often, so a pause that is longer gives everybody a turn. */
export const RETRY_DELAY_MS_MAX = 12;
/** It grows by little: who has waited for long must not ask less often than who has just come, or he starves. */
const DELAY: Backoff = { leastMs: 1, firstMs: 8, growth: 1.5, maxMs: RETRY_DELAY_MS_MAX };

/** Delay after the refusal `refusals` (from 1), in ms. `random` is in [0, 1). */
export function retryDelayMs(refusals: number, random: number): number {
  return backoffMs(DELAY, refusals, random);
}
