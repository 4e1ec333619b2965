/**
 * What becomes of a group of entries whose read or write failed. No I/O: the batch (run_batch.ts) carries it out.
 *
 * A write that failed, and was not lost, changed nothing, and most of what can fail is over by the next attempt; what
 * fails again is for the sake of one entry, so the group goes on in halves until that entry is alone. `n` counts the
 * attempts, this one included.
 *
 *     cause         of several entries, in time        of one entry, in time      out of time
 *     lost_write    n < 20: again; else fail           n < 20: again; else fail   fail
 *     fence         n < 8: again; else halves          n < 20: again; else fail   several: requeue; one: fail
 *     conflict      n < 2: again; else halves          n < 20: again; else fail   several: requeue; one: fail
 *     block_lost    n < 2: again; else fail            n < 20: again; else fail   fail
 *     database      fail                               fail                       fail
 *     other         halves                             fail                       several: requeue; one: fail
 *     row_locked    it is looked who waits for what, then {@link afterLook}
 *
 * With `lost_write`, `block_lost` and `database` it is everybody's failure and no single entry's, so there is no use in
 * halves: {@link isOfDatabase}.
 */
import { type Backoff, backoffMs } from "../base/backoff.ts";
import {
  BlockLostError,
  ConflictError,
  DatabaseUnavailableError,
  FenceLostError,
  OutcomeUnknownError,
  RowLockedError,
} from "../store/errors.ts";

/** Attempts of a single entry, or of a write that was lost. */
const ATTEMPTS_MAX = 20;
/** Attempts of several entries together before they go on in halves. */
export const GROUP_ATTEMPTS_MAX = 2;
/** The same where others changed the rows: without leases that happens often, and soon ends. */
const FENCE_ATTEMPTS_MAX = 8;
/**
 * So many entries whose own order is seen locked try once more, for it may be another process that has it for a moment.
 */
const LOCKED_ORDERS_MAX = 4;
/** So many entries go on one by one when one of them waits for its own record; more go on in pieces. */
const SINGLES_MAX = 24;
/** Whoever was tried so often goes on under row locks, whatever the mode: PostgreSQL gives everybody his turn. */
export const ATTEMPTS_WITHOUT_ROW_LOCKS = 3;

/** Before another attempt; each may take twice as long as the one before it. */
const PAUSE: Backoff = { leastMs: 0, firstMs: 2, growth: 2, maxMs: 50 };

/**
 * - `lost_write`: the connection went away under the write, which may have committed.
 * - `fence`: others have changed the rows since they were read.
 * - `conflict`: PostgreSQL chose the statement as the victim of a conflict.
 * - `block_lost`: the connection of a transaction went away before anything was written.
 * - `row_locked`: others had a row locked for too long.
 * - `database`: it can't be reached.
 * - `other`: everything else, which may be for the sake of one entry.
 */
export type Cause = "lost_write" | "fence" | "conflict" | "block_lost" | "row_locked" | "database" | "other";

/** A group when its attempt has failed. */
export interface Tried {
  /** From 1, this one included. */
  readonly attempt: number;
  readonly entries: number;
  /** The batch has time left. */
  readonly inTime: boolean;
}

/** What becomes of the group. */
export type Next = "again" | "halves" | "requeue" | "fail";

/** What an error of the store, or a fault of the program, is to the rule. */
export function causeOf(error: unknown): Cause {
  if (error instanceof OutcomeUnknownError) return "lost_write";
  if (error instanceof FenceLostError) return "fence";
  if (error instanceof ConflictError) return "conflict";
  if (error instanceof BlockLostError) return "block_lost";
  if (error instanceof RowLockedError) return "row_locked";
  return error instanceof DatabaseUnavailableError ? "database" : "other";
}

/** Whether a group that fails for this ends because of the database as such, as others of its batch may. */
export function isOfDatabase(cause: Cause): boolean {
  return cause === "database" || cause === "lost_write" || cause === "block_lost";
}

/** What becomes of a group that failed for this. */
export function afterFailure(cause: Exclude<Cause, "row_locked">, { attempt, entries, inTime }: Tried): Next {
  const attemptsMax = ATTEMPTS_OF[cause][entries > 1 ? "several" : "one"];
  if (inTime && attempt < attemptsMax) return "again";
  if (entries === 1 || isOfDatabase(cause)) return "fail";
  // Out of time: it may be one entry's fault, and which one is not known yet.
  return inTime ? "halves" : "requeue";
}

const ATTEMPTS_OF: Readonly<Record<Exclude<Cause, "row_locked">, { several: number; one: number }>> = {
  lost_write: { several: ATTEMPTS_MAX, one: ATTEMPTS_MAX },
  fence: { several: FENCE_ATTEMPTS_MAX, one: ATTEMPTS_MAX },
  conflict: { several: GROUP_ATTEMPTS_MAX, one: ATTEMPTS_MAX },
  block_lost: { several: GROUP_ATTEMPTS_MAX, one: ATTEMPTS_MAX },
  database: { several: 1, one: 1 },
  other: { several: 1, one: 1 },
};

/** How many of a group that met a locked row were seen to wait, each of its entries in one of the counts. */
export interface Seen {
  /** For goods that others have locked. They are requeued, whatever becomes of the others. */
  readonly waiting: number;
  /** For their own order, whose record others have locked. */
  readonly locked: number;
  /** For nothing that can be seen. */
  readonly free: number;
}

/** What becomes of those that don't wait for goods; a number: they go on in pieces of so many. */
export interface NextOfSeen {
  readonly locked: "alone" | "requeue" | "fail";
  readonly free: "again" | "requeue" | "fail" | number;
}

/**
 * What becomes of a group that met a locked row, once it was looked at. The first line that fits counts; the entries
 * that wait for goods are requeued beside it.
 *
 *     one entry that waits for no goods, at its second attempt     fail
 *     more than 4 whose order is locked                            these fail; the free as below
 *     out of time, or the 20th attempt                             requeue
 *     somebody was seen to wait, or it is a single entry           the free go again; each whose order is locked goes
 *                                                                  once more, alone
 *     nobody of several was seen to wait                           in pieces
 *
 * In the last case it is one entry's own record that somebody has locked, which no look can find while it is not
 * committed. The group goes on in as many pieces as each has entries, and that piece one by one, so that whatever the
 * size of the group it waits twice, and that entry ends alone.
 */
export function afterLook({ attempt, entries, inTime }: Tried, { waiting, locked, free }: Seen): NextOfSeen {
  if (entries === 1 && waiting === 0 && attempt === GROUP_ATTEMPTS_MAX) return { locked: "fail", free: "fail" };
  const tooMany = locked > LOCKED_ORDERS_MAX;
  if (!inTime || attempt === ATTEMPTS_MAX) return { locked: tooMany ? "fail" : "requeue", free: "requeue" };
  if (free < entries || entries === 1) return { locked: tooMany ? "fail" : "alone", free: "again" };
  return { locked: "alone", free: free <= SINGLES_MAX ? 1 : Math.ceil(Math.sqrt(free)) };
}

/** Both halves; of an odd number the second one has more. */
export function inHalves<T>(list: readonly T[]): T[][] {
  const middle = list.length >> 1;
  return [list.slice(0, middle), list.slice(middle)];
}

/** Pieces of that size; the last may have less. */
export function inPieces<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** The pause in ms before the attempt of this number, from 2; `random` is in [0, 1). */
export function pauseMs(attempt: number, random: number): number {
  return backoffMs(PAUSE, attempt - 1, random);
}

/** Whether the attempt of this number goes by row locks, whatever the mode. */
export function goesByRowLocks(attempt: number): boolean {
  return attempt > ATTEMPTS_WITHOUT_ROW_LOCKS;
}
