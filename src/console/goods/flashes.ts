/** Which rows in view have just changed: each is highlighted for a moment, and anew when it changes anew. */
import type { RowKey } from "./row.ts";

/** Changes of rows in view, as many rows as are drawn at most. */
export class Flashes {
  #changes = new Map<RowKey, number>();

  /** Takes in what changed of the rows in view; whatever left it is forgotten. True: any of them did. */
  note(changed: ReadonlySet<RowKey>, inView: Iterable<RowKey>): boolean {
    const changes = new Map<RowKey, number>();
    let isAny = false;
    for (const key of inView) {
      const isChanged = changed.has(key);
      const count = (this.#changes.get(key) ?? 0) + (isChanged ? 1 : 0);
      if (count > 0) changes.set(key, count);
      isAny ||= isChanged;
    }
    this.#changes = changes;
    return isAny;
  }

  /** The highlight of a row: another letter than before begins it anew. Undefined: it has none. */
  of(key: RowKey): "a" | "b" | undefined {
    const count = this.#changes.get(key) ?? 0;
    return count === 0 ? undefined : count % 2 === 0 ? "b" : "a";
  }

  /** The highlight of a row is over. */
  end(key: RowKey): void {
    this.#changes.delete(key);
  }
}
