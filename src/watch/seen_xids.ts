/** Ids of the transactions whose movements a tailer has seen, from the lowest on that is under way; bounded. */
import type { DatabaseSnapshot, SeenTransactions } from "../store/transaction_snapshot.ts";

/**
 * Ids that are remembered. Where a transaction hangs while more than these are given out, the lowest ones are taken as
 * PostgreSQL's snapshots say it, which is exact but for savepoints.
 */
export const SEEN_XIDS_MAX = 500;

/** Of one tailer. */
export class SeenXids {
  #seen: Set<number>;
  /** From here on every id that was seen is there. */
  #from: number;

  /** @param seen from `from` on; whatever of them has been seen */
  constructor(from: number, seen: readonly number[]) {
    this.#from = from;
    this.#seen = new Set(seen);
  }

  /** Its rows were given. */
  add(xid: number): void {
    if (xid >= this.#from) this.#seen.add(xid);
  }

  /** What was seen, now that the database has come to this snapshot. Forgets what needs no list any more. */
  at({ xmax, xip }: DatabaseSnapshot): SeenTransactions {
    const above = [...this.#seen].sort((a, b) => a - b);
    const lowest = Math.max(this.#from, Math.min(xip[0] ?? xmax, xmax));
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
