/** What came between the position that a client kept and where the tailer stands. */
import { pause } from "../base/bounded_wait.ts";
import type { Place } from "../inventory/stock_key.ts";
import { CLOCK_BACK_MS_MAX } from "../store/statements/read_snapshot.ts";
import type { TailKey, TailLevel, TailRead, TailRow } from "../store/statements/tail_rows.ts";
import type { ScanQuery } from "../store/statements/tail_scan.ts";
import type { VersionRange } from "../store/statements/tail_versions.ts";
import { DatabaseUnavailableError } from "../store/errors.ts";
import { hasSeen, hasSeenAllOf } from "../store/transaction_snapshot.ts";
import { changesOf, type InvChange } from "./changes.ts";
import { inOrder } from "./ordering.ts";
import type { LivePosition, Witness } from "./position.ts";
import { SCAN_ROWS_MAX } from "./tail_reader.ts";
import type { WatchedTailer } from "./tailer.ts";
import { VersionSequence } from "./version_sequence.ts";

/** Reads of the past, each in its turn among all that are read so. */
export interface PastReads {
  scan(query: ScanQuery, signal: AbortSignal): Promise<TailRead>;
  readonly versions: (ranges: readonly VersionRange[], limit: number, signal: AbortSignal) => Promise<TailRead>;
  /** Whether this movement is there, as that transaction wrote it. */
  isThere(witness: Witness, signal: AbortSignal): Promise<boolean>;
}

/** Why a stream can't go on from a position. */
export type ResumeFault = "other_database" | "past_gone";

/** Older positions than this are not gone on from in streams of levels; in microseconds: an hour. */
export const RESUME_US_MAX = 3_600_000_000;
/**
 * Movements that a stream goes on with at once, and that are looked at for it, of whatever goods: its client hears
 * nothing before all of them were read, which has a bound in time as well (joining.ts).
 */
const RESUME_ROWS_MAX = 50_000;
const RESUME_SCANNED_MAX = 200_000;
/** Clocks of two servers of one database, of which one took over, differ by less than this. */
const CLOCKS_US_MAX = 1000 * CLOCK_BACK_MS_MAX;
/** Ids of transactions are compared by their lower 32 bits, which is right as far as half of these. */
const RESUME_XIDS_MAX = 2 ** 30;
/** How long a tailer may take to pass a position of another process, which was a moment ahead of it. */
const PASS_MS_MAX = 2_000;
const PASS_LOOK_MS = 20;

/**
 * Why a stream can't go on from there; undefined: it can. `origin` is where the tailer stands, and `ageUsMax` how old a
 * position may be.
 */
export async function judgeResume(
  from: LivePosition,
  origin: LivePosition,
  { reads, tailer, signal, ageUsMax }: {
    readonly reads: PastReads;
    readonly tailer: WatchedTailer;
    readonly signal: AbortSignal;
    readonly ageUsMax: number;
  },
): Promise<ResumeFault | undefined> {
  if (from.databaseId !== origin.databaseId) return "other_database";
  if (from.witness !== undefined && !await reads.isThere(from.witness, signal)) return "past_gone";
  if (origin.seen.xmax - from.seen.xmax > RESUME_XIDS_MAX) return "past_gone";
  if (origin.sinceUs - from.sinceUs > ageUsMax) return "past_gone";
  return hasSeenAllOf(origin.seen, from.seen) || await passes(from, { tailer, signal }) ? undefined : "past_gone";
}

/**
 * Whether the tailer comes to see all that the position has seen: where the database was set back it does not. Throws
 * DatabaseUnavailableError where it could not read in that time.
 */
async function passes(
  { seen }: LivePosition,
  { tailer, signal }: { readonly tailer: WatchedTailer; readonly signal: AbortSignal },
): Promise<boolean> {
  const askedAt = tailer.clock;
  const untilMs = performance.now() + PASS_MS_MAX;
  while (performance.now() < untilMs) {
    tailer.wake();
    await pause(PASS_LOOK_MS, signal);
    signal.throwIfAborted();
    const at = tailer.position;
    if (at === undefined) continue;
    if (hasSeenAllOf(at.seen, seen)) return true;
    // A read that began since has seen whatever anybody had seen before.
    if (tailer.wholeClock > askedAt) return false;
  }
  throw new DatabaseUnavailableError("the database did not say in time whether it is behind the position");
}

/** What is caught up on, and with what. */
export interface CatchUpParts {
  readonly reads: PastReads;
  readonly signal: AbortSignal;
  readonly isWanted: (place: Place) => boolean;
  /** Whether there is room for so many rows more. */
  readonly take: (rows: number) => boolean;
}

/** All changes from one to the other of places that are wanted, by version for each; undefined: they are too many. */
export async function catchUp(
  from: LivePosition,
  { seen }: LivePosition,
  { reads, signal, isWanted, take }: CatchUpParts,
): Promise<InvChange[] | undefined> {
  const sequence = new VersionSequence(RESUME_ROWS_MAX);
  const isDue = ({ xid }: TailRow) => !hasSeen(from.seen, xid) && hasSeen(seen, xid);
  const rows: TailRow[] = [];
  const levels: TailLevel[] = [];
  let key: TailKey | undefined;
  for (let scanned = 0; scanned < RESUME_SCANNED_MAX; scanned += SCAN_ROWS_MAX) {
    const query = { after: from.seen, upTo: seen, sinceUs: sinceOf(from), key, limit: SCAN_ROWS_MAX };
    const page = await reads.scan(query, signal);
    const wanted = { rows: page.rows.filter(isWanted), levels: page.levels.filter(isWanted) };
    const ordered = await inOrder(wanted, { sequence, versions: reads.versions, isDue }, signal);
    rows.push(...ordered.rows);
    levels.push(...ordered.levels);
    if (rows.length > RESUME_ROWS_MAX || !take(ordered.rows.length)) return undefined;
    // The latest page's levels of a place are the newest.
    if (page.next === undefined) return changesOf(rows, levels);
    key = page.next;
  }
  return undefined;
}

/** From which time on what a position has not seen was written down, by whichever server's clock. */
export function sinceOf({ sinceUs }: LivePosition): number {
  return Math.max(0, sinceUs - CLOCKS_US_MAX);
}
