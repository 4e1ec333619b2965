/** A bounded map of what was asked for lately: the entry that nobody asked for longest goes first. */
export class Recent<K, V> {
  readonly #max: number;
  /** By the time of the last question; JavaScript's maps keep the sequence of insertion. */
  readonly #entries = new Map<K, V>();

  /** @param max entries at most */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value of the key, where it is still there. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Adds or replaces a value. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest!);
  }
}
