/**
 * What one statement of PostgreSQL saw: of which transactions it saw the rows. Pure.
 *
 * Ids of transactions are whole (xid8), as numbers: at a million a second they are exact for two centuries.
 *
 * Only transactions are named here, and no subtransactions (savepoints): a row that one of those wrote has its id,
 * which is above that of its transaction, and looks as if it had been seen from the moment on at which the id was given
 * out.
 */

/** Transactions below `xmin` are over, those from `xmax` on had not begun, of those between `xip` were under way. */
export interface TransactionSnapshot {
  readonly xmin: number;
  readonly xmax: number;
  /** Ascending. */
  readonly xip: readonly number[];
}

/** The first transaction id of all. */
export const FIRST_XID = 3;

/** What pg_current_snapshot() answers, as text: `xmin:xmax:xip,xip,...`. */
export function parseSnapshot(text: string): TransactionSnapshot {
  const [xmin, xmax, xip = ""] = text.split(":");
  const snapshot = { xmin: Number(xmin), xmax: Number(xmax), xip: xip === "" ? [] : xip.split(",").map(Number) };
  if (!isSnapshot(snapshot)) throw new Error("PostgreSQL answered a snapshot that can't be read");
  return snapshot;
}

/** Whether these numbers are a snapshot at all. */
export function isSnapshot({ xmin, xmax, xip }: TransactionSnapshot): boolean {
  return [xmin, xmax, ...xip].every(Number.isSafeInteger) && xmin >= FIRST_XID && xmin <= xmax &&
    xip.every((xid, i) => xid >= xmin && xid < xmax && (i === 0 || xid > xip[i - 1]!));
}

/** Whether it saw what this transaction wrote. */
export function hasSeen({ xmin, xmax, xip }: TransactionSnapshot, xid: number): boolean {
  return xid < xmin || (xid < xmax && !xip.includes(xid));
}

/** Whether one saw all that another saw. */
export function hasSeenAllOf(later: TransactionSnapshot, earlier: TransactionSnapshot): boolean {
  return later.xmax >= earlier.xmax && later.xip.every((xid) => !hasSeen(earlier, xid));
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
