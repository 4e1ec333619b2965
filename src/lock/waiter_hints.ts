/**
 * Waiter hints: keys by which whoever waits for a goods says so to whoever has its lease. Nobody waits for one to be
 * left, and the loss of one only makes the others wait until the lease is released in any case.
 */
import type { StockKey } from "../inventory/stock_key.ts";

/** How long a hint says that somebody wants a goods; whoever waits asks, and leaves one, more often by far. */
const HINT_MS = 100;

/** What hints need of a node. */
export interface HintedNode {
  values(keys: readonly string[]): Promise<(string | null)[]>;
  set(keys: readonly string[], value: string, ttlMs: number): Promise<void>;
}

/** The hints of one process, and its look at those of others. */
export class WaiterHints {
  readonly #nodes: readonly HintedNode[];
  readonly #key: (stockKey: StockKey) => string;
  /** By which the hints of this process are known from those of others. */
  readonly #name = crypto.randomUUID();

  /** `key` is the key of a goods' lease. */
  constructor(nodes: readonly HintedNode[], key: (stockKey: StockKey) => string) {
    this.#nodes = nodes;
    this.#key = (stockKey) => `wanted:${key(stockKey)}`;
  }

  /** Leaves hints on these nodes. */
  leave(nodes: readonly HintedNode[], stockKeys: readonly StockKey[]): void {
    if (stockKeys.length === 0) return;
    const hints = stockKeys.map(this.#key);
    for (const node of nodes) node.set(hints, this.#name, HINT_MS).catch(() => {});
  }

  /** Those of the goods that others have left hints for, as the first `answers` nodes say. Never rejects. */
  async ofOthers(stockKeys: readonly StockKey[], answers: number): Promise<readonly StockKey[]> {
    const hints = stockKeys.map((stockKey) => this.#key(stockKey));
    const wanted = new Set<number>();
    // Not all of them: a node that froze would delay whoever asks for as long as its time limit.
    await settledCount(this.#nodes.map((node) => this.#addHinted(node, hints, stockKeys, wanted)), answers);
    return [...wanted];
  }

  async #addHinted(
    node: HintedNode,
    hints: string[],
    stockKeys: readonly StockKey[],
    wanted: Set<StockKey>,
  ): Promise<void> {
    const names = await node.values(hints);
    stockKeys.forEach((stockKey, i) => {
      if (typeof names[i] === "string" && names[i] !== this.#name) wanted.add(stockKey);
    });
  }
}

/** Resolves once so many of the promises are settled, fulfilled or not. */
function settledCount(promises: readonly Promise<unknown>[], count: number): Promise<void> {
  return new Promise((resolve) => {
    let settled = 0;
    const settle = () => {
      if (++settled === count) resolve();
    };
    for (const promise of promises) promise.then(settle, settle);
  });
}
