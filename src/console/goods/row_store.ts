/**
 * Rows in the sequence in which they came, each place once, always in the newest version that was seen.
 *
 * Pages and changes come by different calls, so either may bring what is older than what is here: the version decides.
 * A change of a place that no page has brought yet is kept while a page is under way, as that page may have been read
 * before it; a page that is asked for later is read after it and has it.
 */
import { keyOf, type Row, type RowKey } from "./row.ts";

/** Rows that are kept; some 150 bytes each. */
export const ROWS_MAX = 200_000;
/** Places that changed while one page was under way; past it that page is read again. */
const BESIDE_MAX = 20_000;

/** What came of a change: shown, older than what is shown, or of a place that is not here. */
export type Merged = "changed" | "older" | "unknown";

/** The rows of one list. Their slots count from 0 and never change. */
export class RowStore {
  readonly #rows: Row[] = [];
  readonly #slots = new Map<RowKey, number>();
  readonly #beside = new Map<RowKey, Row>();
  #isPageUnderWay = false;
  #isBesideCut = false;

  constructor(readonly rowsMax: number = ROWS_MAX, readonly besideMax: number = BESIDE_MAX) {}

  /** How many rows there are. */
  get count(): number {
    return this.#rows.length;
  }

  /** There are as many as are kept: no page adds another. */
  get isFull(): boolean {
    return this.#rows.length >= this.rowsMax;
  }

  /** The row of a slot; undefined: there is none yet. */
  at(slot: number): Row | undefined {
    return this.#rows[slot];
  }

  /** The slot of a place; undefined: it is not here. */
  slotOf(key: RowKey): number | undefined {
    return this.#slots.get(key);
  }

  /** To be called right before a page is asked for. */
  expectPage(): void {
    this.#beside.clear();
    this.#isBesideCut = false;
    this.#isPageUnderWay = true;
  }

  /** The page came. False: more changed meanwhile than could be kept; nothing was taken in, it is to be read again. */
  takePage(page: readonly Row[]): boolean {
    this.#isPageUnderWay = false;
    if (this.#isBesideCut) return false;
    for (const read of page) {
      const key = keyOf(read);
      const slot = this.#slots.get(key);
      const kept = slot === undefined ? this.#beside.get(key) : this.#rows[slot];
      const row = kept !== undefined && kept.version > read.version ? kept : read;
      if (slot !== undefined) this.#rows[slot] = row;
      else if (!this.isFull) this.#slots.set(key, this.#rows.push(row) - 1);
    }
    this.#beside.clear();
    return true;
  }

  /** A row as it stands since a change. */
  merge(row: Row): Merged {
    const key = keyOf(row);
    const slot = this.#slots.get(key);
    if (slot !== undefined) {
      if (this.#rows[slot]!.version >= row.version) return "older";
      this.#rows[slot] = row;
      return "changed";
    }
    if (this.#isPageUnderWay) this.#keepBeside(key, row);
    return "unknown";
  }

  #keepBeside(key: RowKey, row: Row): void {
    if ((this.#beside.get(key)?.version ?? -1) >= row.version) return;
    if (this.#beside.size < this.besideMax || this.#beside.has(key)) this.#beside.set(key, row);
    else this.#isBesideCut = true;
  }
}
