/**
 * Waiter hints: keys by which whoever waits for a goods says so to whoever has its lease. Nobody waits for one to be
 * left, and the loss of one only makes the others wait until the lease is released in any case.
 */

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
  readonly #key: (goodsId: number) => string;
  /** By which the hints of this process are known from those of others. */
  readonly #name = crypto.randomUUID();

  /** `key` is the key of a goods' lease. */
  constructor(nodes: readonly HintedNode[], key: (goodsId: number) => string) {
    this.#nodes = nodes;
    this.#key = (goodsId) => `wanted:${key(goodsId)}`;
  }

  /** Leaves hints on these nodes. */
  leave(nodes: readonly HintedNode[], goodsIds: readonly number[]): void {
    if (goodsIds.length === 0) return;
    const hints = goodsIds.map(this.#key);
    for (const node of nodes) node.set(hints, this.#name, HINT_MS).catch(() => {});
  }

  /** Those of the goods that others have left hints for, as the first `answers` nodes say. Never rejects. */
  async ofOthers(goodsIds: readonly number[], answers: number): Promise<readonly number[]> {
    const hints = goodsIds.map((goodsId) => this.#key(goodsId));
    const wanted = new Set<number>();
    // Not all of them: a node that froze would delay whoever asks for as long as its time limit.
    await settledCount(this.#nodes.map((node) => this.#addHinted(node, hints, goodsIds, wanted)), answers);
    return [...wanted];
  }

  async #addHinted(node: HintedNode, hints: string[], goodsIds: readonly number[], wanted: Set<number>): Promise<void> {
    const names = await node.values(hints);
    goodsIds.forEach((goodsId, i) => {
      if (typeof names[i] === "string" && names[i] !== this.#name) wanted.add(goodsId);
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
