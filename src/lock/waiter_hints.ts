/**
 * Marks by which whoever waits for a goods tells whoever holds it. Only a hint: nobody waits for one to be left, and its
 * loss costs a holder's patience at most.
 */
/** How long a mark says that somebody wants a goods; whoever waits asks, and marks, more often by far. */
const WANTED_MS = 100;

/** What marks need of a node. */
export interface MarkedNode {
  values(keys: readonly string[]): Promise<(string | null)[]>;
  set(keys: readonly string[], value: string, ttlMs: number): Promise<void>;
}

/** The marks of one process, and its look at those of others. */
export class WaiterHints {
  readonly #nodes: readonly MarkedNode[];
  readonly #key: (goodsId: number) => string;
  /** Tells the marks of this process from those of others. */
  readonly #name = crypto.randomUUID();

  /** `key` is the key of a goods' lease. */
  constructor(nodes: readonly MarkedNode[], key: (goodsId: number) => string) {
    this.#nodes = nodes;
    this.#key = (goodsId) => `wanted:${key(goodsId)}`;
  }

  /** Leaves marks on these nodes. */
  leave(nodes: readonly MarkedNode[], goodsIds: readonly number[]): void {
    if (goodsIds.length === 0) return;
    const marks = goodsIds.map(this.#key);
    for (const node of nodes) node.set(marks, this.#name, WANTED_MS).catch(() => {});
  }

  /** Those of the goods that others have marked, as the first `answers` nodes say. Never rejects. */
  async ofOthers(goodsIds: readonly number[], answers: number): Promise<readonly number[]> {
    const marks = goodsIds.map((goodsId) => this.#key(goodsId));
    const wanted = new Set<number>();
    // Not all of them: a node that froze would hold up whoever asks for as long as its time limit.
    await settledCount(this.#nodes.map((node) => this.#addMarked(node, marks, goodsIds, wanted)), answers);
    return [...wanted];
  }

  async #addMarked(node: MarkedNode, marks: string[], goodsIds: readonly number[], wanted: Set<number>): Promise<void> {
    const names = await node.values(marks);
    goodsIds.forEach((goodsId, i) => {
      if (typeof names[i] === "string" && names[i] !== this.#name) wanted.add(goodsId);
    });
  }
}

/** Resolves once so many of the promises are settled, whichever way. */
function settledCount(promises: readonly Promise<unknown>[], count: number): Promise<void> {
  return new Promise((resolve) => {
    let settled = 0;
    const settle = () => {
      if (++settled === count) resolve();
    };
    for (const promise of promises) promise.then(settle, settle);
  });
}
