/**
 * How long a lease is good for. Pure, so that the start-up check of the settings counts as the lock does.
 */

/** Share of the TTL by which clocks may drift apart while a lease lasts. */
export const DRIFT_FACTOR = 0.01;
/** Precision of Redis's expiry, as the Redlock description has it. */
const DRIFT_MS = 2;
/** A lease with less of its TTL left than this is released at once: the work would not fit. */
const USABLE_SHARE_MIN = 0.5;

/** Milliseconds that a lease of `ttlMs` is still ours, `spentMs` after its attempt began. */
export function validityMs(ttlMs: number, spentMs: number): number {
  return ttlMs - Math.round(ttlMs * DRIFT_FACTOR) - DRIFT_MS - spentMs;
}

/** Smallest validity that a lease is handed out with. */
export function usableValidityMs(ttlMs: number): number {
  return ttlMs * USABLE_SHARE_MIN;
}

/** A lease is extended for so many TTLs after it was acquired, and no longer: work that never ends must not keep it. */
const TENURE_TTLS_MAX = 3;

/** Longest time for which a lease may be ours in all, in ms. */
export function tenureMsMax(ttlMs: number): number {
  return TENURE_TTLS_MAX * ttlMs;
}
