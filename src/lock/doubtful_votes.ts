/**
 * Votes that a node was asked for and did not tell before its connection was lost: a node that froze casts them when it
 * thaws, and nobody would let go of the keys before they expire. Who comes back to the node lets go of them first. Pure.
 */

/** More than are asked for while a connection is not yet known to be lost. */
const VALUES_MAX = 1000;

/** The keys of one attempt, by the value that they would have. */
export interface DoubtfulVote {
  readonly value: string;
  readonly keys: readonly string[];
}

/** The doubtful votes of one node. */
export class DoubtfulVotes {
  readonly #keys = new Map<string, readonly string[]>();

  /** The node did not answer whether it gave these. Of very many the oldest are forgotten, and expire. */
  add({ value, keys }: DoubtfulVote): void {
    this.#keys.set(value, keys);
    if (this.#keys.size <= VALUES_MAX) return;
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined) this.#keys.delete(oldest);
  }

  /** The node has said that it let go of them. */
  clear(value: string): void {
    this.#keys.delete(value);
  }

  /** All of them, which are doubtful no more. */
  takeAll(): DoubtfulVote[] {
    const all = [...this.#keys].map(([value, keys]) => ({ value, keys }));
    this.#keys.clear();
    return all;
  }
}
