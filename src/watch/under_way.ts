/**
 * Transactions that are under way, and from which time on each may have written rows of the ledger. No I/O.
 *
 *     (unknown) --begin, or in a snapshot for the first time--> under way
 *     (unknown) --writes at a look, above the snapshot--------> under way
 *     under way --did not write at a look before the read-----> under way, from that look on
 *     under way --in the snapshot no more: it is over---------> (unknown), and looked for by whoever reads
 *
 * PostgreSQL lists no transaction above the last one that is over, which all are where commits as such hang. So it is
 * looked now and then at who writes: whoever does not has written nothing earlier than that look, less what a decision
 * is old when it is written.
 */
import { type DatabaseSnapshot, wholeXid } from "../store/transaction_snapshot.ts";
import { FAR_BEHIND } from "./seen_xids.ts";

/** From one look to the next, by how late a row is at the most: so far back every read has to go beside that. */
const LOOK_PER_LATE = 1 / 12;

/** Who wrote to the ledger at a moment, by the lower 32 bits of their ids; in microseconds since 1970. */
export interface WritersLook {
  readonly nowUs: number;
  readonly xids: readonly number[];
}

/** Those of one tailer. */
export class TransactionsUnderWay {
  readonly #lateUs: number;
  readonly #sinceUs = new Map<number, number>();
  /** The look that the next read follows on. */
  #look: { readonly nowUs: number; readonly writers: ReadonlySet<number> } | undefined;
  #coveredUs = 0;

  /** @param lateUs how much earlier than it is written a row's time may be */
  constructor(lateUs: number) {
    this.#lateUs = lateUs;
  }

  /** The latest look before the latest read: whoever is not known has written after it. */
  get coveredUs(): number {
    return this.#coveredUs;
  }

  /** From which time on there may be rows that no read has seen. */
  get sinceUs(): number {
    return Math.min(this.#coveredUs - this.#lateUs, ...this.#sinceUs.values());
  }

  /** Those of the first snapshot, and of a look before it; `sinceUs`: from when on they may have written. */
  begin({ xmax, xip }: DatabaseSnapshot, look: WritersLook, sinceUs: (xid: number) => number): void {
    const unlisted = [...writersOf(look, xmax)].filter((xid) => xid >= xmax);
    for (const xid of [...xip, ...unlisted]) this.#sinceUs.set(xid, sinceUs(xid));
    this.#coveredUs = look.nowUs;
  }

  /** Whether it has to be looked again, at this time. */
  isLookDue(nowUs: number): boolean {
    return nowUs - this.#coveredUs >= this.#lateUs * LOOK_PER_LATE;
  }

  /** A look before the next read; `xmax` of the read before. */
  look(look: WritersLook, xmax: number): void {
    const writers = writersOf(look, xmax);
    for (const xid of writers) {
      if (xid >= xmax && !this.#sinceUs.has(xid)) this.#sinceUs.set(xid, this.#coveredUs - this.#lateUs);
    }
    this.#look = { nowUs: look.nowUs, writers };
  }

  /**
   * A read of this snapshot has come, of rows from a time on that everything is later than that had not begun before
   * `begunUs`. Answers from when on those that are over may have written rows.
   */
  moveTo({ xmax, xip }: DatabaseSnapshot, begunUs: number): number {
    const listed = new Set(xip);
    const look = this.#look;
    let overUs = Infinity;
    for (const [xid, sinceUs] of this.#sinceUs) {
      const isIdle = look !== undefined && !look.writers.has(xid);
      const isOver = xid < xmax && !listed.has(xid);
      if (isOver) overUs = Math.min(overUs, sinceUs);
      if (isOver) this.#sinceUs.delete(xid);
      // Also one that a crash has ended, whose id is given out once more: whoever has it then began after that look.
      else if (isIdle) this.#sinceUs.set(xid, Math.max(sinceUs, look.nowUs - this.#lateUs));
    }
    for (const xid of xip) if (!this.#sinceUs.has(xid)) this.#sinceUs.set(xid, begunUs - this.#lateUs);
    this.#coveredUs = look?.nowUs ?? this.#coveredUs;
    this.#look = undefined;
    return overUs;
  }
}

function writersOf({ xids }: WritersLook, xmax: number): Set<number> {
  return new Set(xids.map((low) => wholeXid(low, xmax + FAR_BEHIND)));
}
