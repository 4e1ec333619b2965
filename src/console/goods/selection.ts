/** Which rows are chosen, by their places: one by one, or from one to another as they are listed. */
import { EDITS_MAX } from "./edit_sheet.ts";
import { keyOf, type Row, type RowKey } from "./row.ts";

/** A list as it is shown. */
export interface Listed {
  readonly count: number;
  /** Undefined: it is not read yet. */
  at(index: number): Row | undefined;
}

/** Chosen rows, as many as can be edited at once at most. */
export class Selection {
  readonly #keys = new Set<RowKey>();
  #anchor = 0;

  get size(): number {
    return this.#keys.size;
  }

  has(key: RowKey): boolean {
    return this.#keys.has(key);
  }

  /** Chooses a row, or no more; ranges begin there. */
  toggle(list: Listed, index: number): void {
    const row = list.at(index);
    if (row === undefined) return;
    this.#anchor = index;
    const key = keyOf(row);
    if (!this.#keys.delete(key)) this.#add(key);
  }

  /** Chooses all rows from the one that was chosen last to this one. */
  extend(list: Listed, index: number): void {
    this.#range(list, Math.min(this.#anchor, index), Math.max(this.#anchor, index));
  }

  /** Chooses all rows that are read. False: there are more than can be chosen. */
  all(list: Listed): boolean {
    this.#range(list, 0, list.count - 1);
    return this.#keys.size >= list.count;
  }

  clear(): void {
    this.#keys.clear();
  }

  /** The chosen rows in the sequence of the list. */
  rows(list: Listed): readonly Row[] {
    const rows: Row[] = [];
    for (let i = 0; i < list.count && rows.length < this.#keys.size; i++) {
      const row = list.at(i);
      if (row !== undefined && this.#keys.has(keyOf(row))) rows.push(row);
    }
    return rows;
  }

  /** The chosen rows; where there are none, those from an index on, as far as they are read and can be edited. */
  rowsOrFrom(list: Listed, from: number): readonly Row[] {
    if (this.#keys.size > 0) return this.rows(list);
    const rows: Row[] = [];
    for (let i = from; i < list.count && rows.length < EDITS_MAX; i++) {
      const row = list.at(i);
      if (row === undefined) break;
      rows.push(row);
    }
    return rows;
  }

  #range(list: Listed, from: number, to: number): void {
    for (let i = from; i <= to && this.#keys.size < EDITS_MAX; i++) {
      const row = list.at(i);
      if (row !== undefined) this.#add(keyOf(row));
    }
  }

  #add(key: RowKey): void {
    if (this.#keys.size < EDITS_MAX) this.#keys.add(key);
  }
}
