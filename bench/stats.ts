/** Medians, quantiles, and counts added up. Pure. */

/** All of them added up; 0 of none. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * The middle value; of an even count the mean of the two in the middle.
 *
 * @throws RangeError for no values
 */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values, so no median");
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2;
}

/**
 * The smallest value that a share of at least `share` (0 to 1) of the values does not exceed (nearest rank), so always
 * a value that was measured.
 *
 * @throws RangeError for no values, or for a share outside of 0 to 1
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("no values, so no quantile");
  if (!(share >= 0 && share <= 1)) throw new RangeError(`expected a share from 0 to 1, got ${share}`);
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)]!;
}

/** How something compares with something else that was measured beside it, again and again. */
export interface Compared {
  readonly median: number;
  /** Half of the pairs lie between these. */
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
}

/**
 * The quotients of values of one place in two lists, which were measured side by side; those of whole pairs only.
 * Undefined where there are none.
 */
export function compared(values: readonly number[], of: readonly number[]): Compared | undefined {
  const quotients = values.slice(0, of.length).map((value, i) => value / of[i]!).filter(Number.isFinite);
  if (quotients.length === 0) return undefined;
  const [low, high] = [quantile(quotients, 0.25), quantile(quotients, 0.75)];
  return { median: median(quotients), low, high, pairs: quotients.length };
}

/** What is reported of the latencies of a scenario, in the unit of the values. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** The quantiles of all values together; undefined where there are none. */
export function quantiles(values: readonly number[]): Quantiles | undefined {
  if (values.length === 0) return undefined;
  const of = (share: number) => quantile(values, share);
  return { count: values.length, p50: of(0.5), p99: of(0.99), p999: of(0.999), max: of(1) };
}

/** Counts by their reason, added up. */
export function together(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [reason, count] of counts.flatMap((each) => Object.entries(each))) {
    all[reason] = (all[reason] ?? 0) + count;
  }
  return all;
}
