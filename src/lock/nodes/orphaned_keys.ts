/**
 * Keys that a node may have although nobody has their lease: it was asked for them and did not answer before its
 * connection was lost, as one that freezes and gives them when it thaws; or it could not be asked to release them. They
 * would stand until they expire, so whoever comes back to the node releases them first. No I/O.
 */

/**
 * More than come together while a connection is not yet known to be lost; of a node that is away for long most expire.
 */
const VALUES_MAX = 1000;

/** Keys of one attempt, by the value that they would have. */
export interface AttemptKeys {
  readonly value: string;
  readonly keys: readonly string[];
}

/** The orphaned keys of one node. */
export class OrphanedKeys {
  readonly #keys = new Map<string, Set<string>>();

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  /** The node did not answer whether it has these. Of very many the oldest are forgotten, and expire. */
  add({ value, keys }: AttemptKeys): void {
    const known = this.#keys.get(value) ?? new Set();
    for (const key of keys) known.add(key);
    this.#keys.set(value, known);
    if (this.#keys.size <= VALUES_MAX) return;
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined) this.#keys.delete(oldest);
  }

  /** The node has said that it has these no more. */
  clear({ value, keys }: AttemptKeys): void {
    const known = this.#keys.get(value);
    if (known === undefined) return;
    for (const key of keys) known.delete(key);
    if (known.size === 0) this.#keys.delete(value);
  }

  /** All of them, which are forgotten. */
  takeAll(): AttemptKeys[] {
    const all = [...this.#keys].map(([value, keys]) => ({ value, keys: [...keys] }));
    this.#keys.clear();
    return all;
  }
}
