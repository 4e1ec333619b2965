/** Ids of the transactions whose movements a tailer has seen, from the lowest on that is under way; bounded. */
import type { DatabaseSnapshot, SeenTransactions } from "../store/transaction_snapshot.ts";

/**
 * Ids that are remembered. Where a transaction hangs while more than these are given out, the lowest ones are taken as
 * PostgreSQL's snapshots say it, which is exact but for savepoints.
 */
export const SEEN_XIDS_MAX = 500;

/** Ids are compared by their lower 32 bits: no list begins further behind than half of what that is right for. */
export const FAR_BEHIND = 2 ** 30;

/** Of one tailer. */
export class SeenXids {
  #seen: Set<number>;
  /** From here on every id that was seen is there. */
  #from: number;
  /** The highest of all that were seen, or that the snapshot of the start had seen. */
  #highest: number;

  /** @param seen from `from` on; whatever of them has been seen */
  constructor(from: number, seen: readonly number[]) {
    this.#from = from;
    this.#seen = new Set(seen);
    this.#highest = Math.max(from - 1, ...seen);
  }

  /** Its rows were given. */
  add(xid: number): void {
    if (xid >= this.#from) this.#seen.add(xid);
    this.#highest = Math.max(this.#highest, xid);
  }

  /** What was seen, now that the database has come to this snapshot. Forgets what needs no list any more. */
  at({ xmax, xip }: DatabaseSnapshot): SeenTransactions {
    const above = [...this.#seen].sort((a, b) => a - b);
    // Ids above the highest that was seen may be given out once more, so they are not taken as seen.
    const lowest = Math.max(this.#from, Math.min(xip[0] ?? xmax, this.#highest + 1), xmax - FAR_BEHIND);
    const first = above.findIndex((xid) => xid >= lowest);
    const listed = first < 0 ? [] : above.slice(first);
    const kept = listed.slice(-SEEN_XIDS_MAX);
    this.#from = kept.length < listed.length ? kept[0]! : lowest;
    this.#seen = new Set(kept);
    // An id that was seen has been given out, whatever a snapshot of a moment before says.
    const end = Math.max(xmax, (kept.at(-1) ?? 0) + 1);
    return { xmax: end, xip, from: this.#from, above: kept };
  }
}
