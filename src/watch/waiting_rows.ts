/** What the tailer brought for a stream of movements, and its client has not got yet. No I/O. */
import type { TailRow } from "../store/statements/tail_rows.ts";
import type { LivePosition } from "./position.ts";

/** Rows that wait; what is more is read again. */
const WAITING_MAX = 4000;

/** What came with one read, or with several of which none brought anything. */
export interface WaitingPart {
  readonly rows: readonly TailRow[];
  /** Where a client stands that has them and all before; undefined: that is not known. */
  readonly position: LivePosition | undefined;
}

/** Gives it in the sequence in which it came. */
export class WaitingRows {
  #parts: WaitingPart[] = [];
  #rows = 0;
  #isOver = false;

  /** More came than may wait: all was forgotten, and nothing is taken any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many parts there are. */
  get size(): number {
    return this.#parts.length;
  }

  /** Takes in what one read brought: the rows that are wanted of it. */
  add(rows: readonly TailRow[], position: LivePosition | undefined): void {
    if (this.#isOver) return;
    let stands = position;
    // Of reads that brought nothing only the latest position counts. A stream that walks, or that nobody reads, does
    // not look here for minutes, and a position is long while something hangs.
    if (rows.length === 0 && this.#parts.at(-1)?.rows.length === 0) {
      const { position: before } = this.#parts.pop()!;
      stands ??= before;
    }
    this.#parts.push({ rows, position: stands });
    this.#rows += rows.length;
    if (this.#rows <= WAITING_MAX) return;
    this.#isOver = true;
    this.#parts = [];
  }

  /** The first that is left. */
  shift(): WaitingPart | undefined {
    const first = this.#parts.shift();
    if (first !== undefined) this.#rows -= first.rows.length;
    return first;
  }
}
