/**
 * Which transactions' rows were seen up to a moment. Pure.
 *
 * Ids of transactions are whole (xid8), as numbers: at a million a second they are exact for two centuries.
 *
 * What PostgreSQL says of a snapshot names transactions, and not what is written under savepoints: such a row has an id
 * of its own, above that of its transaction, and looks as if it had been seen from the moment on at which the id was
 * given out. And after a crash, or by a standby that takes over, ids are given out once more that belonged to nothing
 * that was committed. So from the lowest id on that was under way, or from behind the highest one that was seen, what
 * was seen is listed one by one, as far as rows of the ledger go.
 */

/** What one statement of PostgreSQL says that it saw. */
export interface DatabaseSnapshot {
  /** Transactions from here on had not begun. */
  readonly xmax: number;
  /** Those that were under way; ascending. */
  readonly xip: readonly number[];
}

/** Of which transactions the rows were seen. */
export interface SeenTransactions extends DatabaseSnapshot {
  /** Below this one all but those of `xip`; from here on those of `above`, and no others. At most `xmax`. */
  readonly from: number;
  /** Ascending. */
  readonly above: readonly number[];
}

/** The first transaction id of all. */
export const FIRST_XID = 3;

/** What pg_current_snapshot() answers, as text: `xmin:xmax:xip,xip,...`. */
export function parseSnapshot(text: string): DatabaseSnapshot {
  const [, xmax, xip = ""] = text.split(":");
  const snapshot = { xmax: Number(xmax), xip: xip === "" ? [] : xip.split(",").map(Number) };
  if (!isSeen({ ...snapshot, from: snapshot.xmax, above: [] })) {
    throw new Error("PostgreSQL answered a snapshot that can't be read");
  }
  return snapshot;
}

/** Whether these numbers go together. */
export function isSeen({ xmax, xip, from, above }: SeenTransactions): boolean {
  return [xmax, from, ...xip, ...above].every((xid) => Number.isSafeInteger(xid) && xid >= FIRST_XID) &&
    from <= xmax && isAscending(xip) && isAscending(above) && (xip.at(-1) ?? 0) < xmax && (above[0] ?? from) >= from;
}

function isAscending(xids: readonly number[]): boolean {
  return xids.every((xid, i) => i === 0 || xid > xids[i - 1]!);
}

/** Whether what this transaction wrote was seen. */
export function hasSeen({ xip, from, above }: SeenTransactions, xid: number): boolean {
  return xid >= from ? above.includes(xid) : !xip.includes(xid);
}

/**
 * Whether a later moment of the same database has seen all that an earlier one has: PostgreSQL's snapshot is of later,
 * or, where ids were given out once more meanwhile, the highest one that was seen earlier was seen.
 */
export function hasSeenAllOf(later: SeenTransactions, earlier: SeenTransactions): boolean {
  const highest = earlier.above.at(-1) ?? earlier.from - 1;
  return (later.xmax >= earlier.xmax || hasSeen(later, highest)) &&
    later.xip.every((xid) => !hasSeen(earlier, xid)) && earlier.above.every((xid) => hasSeen(later, xid));
}

/** The whole id of which these are the lower 32 bits, as rows have it: the last one up to `next`. */
export function wholeXid(low: number, next: number): number {
  const whole = next - next % 2 ** 32 + low;
  return whole > next ? whole - 2 ** 32 : whole;
}

/** The lower 32 bits of an id. */
export function lowXid(xid: number): number {
  return xid % 2 ** 32;
}
