/**
 * What callers ask for: which goods an order names. Pure; randomness is passed in, so that a test can fix it.
 */

/** Where sales go: the goods 1, 1 + stride, 1 + 2 x stride and so on. */
export interface Workload {
  /** How many goods there are to choose from. */
  readonly goods: number;
  /** Distance between two goods that are sold: 1, or more to spread few of them over a large table. */
  readonly stride: number;
  /** `uniform`: each as often. `zipf`: the k-th is 1/k as often as the first (exponent 1.0). */
  readonly spread: "uniform" | "zipf";
  /** Different goods in one order, one unit each. */
  readonly lines: number;
}

/** Answers the goods ids of one order, ascending, each once. */
export type Picker = () => number[];

/**
 * Makes a picker. `random` answers in [0, 1).
 *
 * @throws RangeError when an order has more lines than there are goods
 */
export function picker({ goods, stride, lines, spread }: Workload, random: () => number): Picker {
  if (lines > goods) throw new RangeError(`${lines} lines of ${goods} goods`);
  if (goods === 1) return () => [1];
  const rankOf = spread === "zipf" ? zipfRank(goods, random) : () => Math.floor(random() * goods);
  if (lines === 1) return () => [1 + rankOf() * stride];
  return () => {
    const ranks = new Set<number>();
    for (let line = 0; line < lines; line++) {
      let rank = rankOf();
      // The next that is free, so that this ends; drawing again would not have to.
      while (ranks.has(rank)) rank = (rank + 1) % goods;
      ranks.add(rank);
    }
    return [...ranks].sort((a, b) => a - b).map((rank) => 1 + rank * stride);
  };
}

/** Ranks 0 to `count - 1`, of which rank k comes up in proportion to 1 / (k + 1). */
export function zipfRank(count: number, random: () => number): () => number {
  const upTo = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) upTo[rank] = sum += 1 / (rank + 1);
  return () => {
    const point = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
