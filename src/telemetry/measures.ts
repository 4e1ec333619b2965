/**
 * What a room counts and measures of its own work: numbers alone, for whoever looks, so that a room that is measured
 * stays as pure as it was. An observation allocates nothing.
 */

/** How often each of a few things happened. All are there from the start, at 0. */
export class Tally<L extends string> {
  readonly #counts: Record<L, number>;

  /** @param labels all that there are, each with 0 */
  constructor(labels: Readonly<Record<L, 0>>) {
    this.#counts = { ...labels };
  }

  /** By label. */
  get counts(): Readonly<Record<L, number>> {
    return this.#counts;
  }

  add(label: L, count = 1): void {
    this.#counts[label] += count;
  }
}

/** What was observed, in buckets. */
export interface DistributionView {
  /** Upper ends of the buckets, ascending. */
  readonly bounds: readonly number[];
  /** How many were observed in each bucket, and behind the last one. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** How large, or how long, something was each time. */
export class Distribution implements DistributionView {
  readonly counts: number[];
  #sum = 0;

  /** @param bounds ascending; one list may serve many */
  constructor(readonly bounds: readonly number[]) {
    this.counts = Array(bounds.length + 1).fill(0);
  }

  get sum(): number {
    return this.#sum;
  }

  observe(value: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && value > bounds[i]!) i++;
    this.counts[i]!++;
    this.#sum += value;
  }

  /** The same in seconds, of a time in ms. */
  observeMs(ms: number): void {
    this.observe(ms / 1000);
  }
}

/** One distribution for each of a few labels; those are there from the start. */
export class Distributions<L extends string> {
  readonly #byLabel: Readonly<Record<L, Distribution>>;

  constructor(labels: Readonly<Record<L, 0>>, bounds: readonly number[]) {
    this.#byLabel = Object.fromEntries(Object.keys(labels).map((label) => [label, new Distribution(bounds)])) as Record<
      L,
      Distribution
    >;
  }

  of(label: L): Distribution {
    return this.#byLabel[label];
  }

  get all(): readonly (readonly [label: L, distribution: Distribution])[] {
    return Object.entries(this.#byLabel) as [L, Distribution][];
  }
}

/** One distribution for each pair of labels that there was. */
export class PairDistributions {
  readonly #byFirst = new Map<string, Map<string, Distribution>>();

  constructor(private readonly bounds: readonly number[]) {}

  /** That of the pair, from now on one of {@link all}. */
  of(first: string, second: string): Distribution {
    let bySecond = this.#byFirst.get(first);
    if (bySecond === undefined) this.#byFirst.set(first, bySecond = new Map());
    let distribution = bySecond.get(second);
    if (distribution === undefined) bySecond.set(second, distribution = new Distribution(this.bounds));
    return distribution;
  }

  get all(): readonly (readonly [first: string, second: string, distribution: Distribution])[] {
    return [...this.#byFirst].flatMap(([first, bySecond]) =>
      [...bySecond].map(([second, distribution]) => [first, second, distribution] as const)
    );
  }
}

/** Upper ends of buckets for times, in seconds: of what takes from one millisecond to the longest deadline. */
export const SECONDS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Of counts, up to the largest batch. */
export const SIZES: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
