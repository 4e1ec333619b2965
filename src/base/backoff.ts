/** How long to wait before something is tried again. Pure: the randomness is passed in. */

/** Bounds of a random wait, in ms. */
export interface Backoff {
  /** The shortest wait of all. */
  readonly leastMs: number;
  /** The longest wait after the first failure; it grows by the factor with every further one, up to the maximum. */
  readonly firstMs: number;
  readonly growth: number;
  readonly maxMs: number;
}

/** The wait in ms after so many failures (from 1) in a row, evenly drawn between its bounds. `random` is in [0, 1). */
export function backoffMs({ leastMs, firstMs, growth, maxMs }: Backoff, failures: number, random: number): number {
  const ceilingMs = Math.min(firstMs * growth ** (failures - 1), maxMs);
  return leastMs + random * (ceilingMs - leastMs);
}
