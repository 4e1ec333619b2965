/** What came between the position that a client kept and where the tailer stands. */
import { pause } from "../base/bounded_wait.ts";
import type { TailKey, TailQuery, TailRead } from "../store/statements/tail.ts";
import { hasSeenAllOf } from "../store/transaction_snapshot.ts";
import { changesOf, type InvChange } from "./changes.ts";
import type { LivePosition, Witness } from "./position.ts";
import { TAIL_ROWS_MAX, type Tailer } from "./tailer.ts";
import { inVersionOrder } from "./version_order.ts";

/** Reads of the past, each in its turn among all that are read so. */
export interface PastReads {
  tail(query: TailQuery, signal: AbortSignal): Promise<TailRead>;
  /** Whether this movement is there, as that transaction wrote it. */
  isThere(witness: Witness, signal: AbortSignal): Promise<boolean>;
}

/** Why a stream can't go on from a position. */
export type ResumeFault = "other_database" | "past_gone";

/** Older positions than this are not gone on from; in microseconds: an hour. */
export const RESUME_US_MAX = 3_600_000_000;
/** Movements that are read to go on from a position, of whatever goods. */
export const RESUME_ROWS_MAX = 50_000;
/** Ids of transactions are compared by their lower 32 bits, which is right as far as half of these. */
const RESUME_XIDS_MAX = 2 ** 30;
/** How long a tailer may take to pass a position of another process, which was a moment ahead of it. */
const PASS_MS_MAX = 2_000;
const PASS_LOOK_MS = 20;

/** Why a stream can't go on from there; undefined: it can. `origin` is where the tailer stands. */
export async function judgeResume(
  from: LivePosition,
  origin: LivePosition,
  { reads, tailer, signal }: { readonly reads: PastReads; readonly tailer: Tailer; readonly signal: AbortSignal },
): Promise<ResumeFault | undefined> {
  if (from.databaseId !== origin.databaseId) return "other_database";
  if (from.witness !== undefined && !await reads.isThere(from.witness, signal)) return "past_gone";
  if (origin.snapshot.xmax - from.snapshot.xmax > RESUME_XIDS_MAX) return "past_gone";
  if (origin.sinceUs - from.sinceUs > RESUME_US_MAX) return "past_gone";
  return hasSeenAllOf(origin.snapshot, from.snapshot) || await passes(from, { tailer, signal })
    ? undefined
    : "past_gone";
}

/** Whether the tailer comes to see all that the position has seen: where the database was set back it does not. */
async function passes(
  { snapshot }: LivePosition,
  { tailer, signal }: { readonly tailer: Tailer; readonly signal: AbortSignal },
): Promise<boolean> {
  const joinedAt = tailer.clock;
  const untilMs = performance.now() + PASS_MS_MAX;
  while (!signal.aborted && performance.now() < untilMs) {
    tailer.wake();
    await pause(PASS_LOOK_MS, signal);
    const at = tailer.position;
    if (at !== undefined && hasSeenAllOf(at.snapshot, snapshot)) return true;
    // Two reads that began since have ended, or fail.
    if (tailer.clock > joinedAt + 2) return false;
  }
  return false;
}

/** All changes from one to the other, by version for each place; undefined: they are too many. */
export async function catchUp(
  from: LivePosition,
  { snapshot }: LivePosition,
  { reads, signal }: { readonly reads: PastReads; readonly signal: AbortSignal },
): Promise<InvChange[] | undefined> {
  const pages: TailRead[] = [];
  let key: TailKey | undefined;
  for (;;) {
    const query = { after: from.snapshot, upTo: snapshot, sinceUs: from.sinceUs, key, limit: TAIL_ROWS_MAX };
    const page = await reads.tail(query, signal);
    pages.push(page);
    const last = page.rows.at(-1);
    if (last === undefined || !page.hasMore) break;
    if (pages.length * TAIL_ROWS_MAX >= RESUME_ROWS_MAX) return undefined;
    key = [last.atUs, last.goodsId, last.locationId, last.version];
  }
  // The latest page's levels of a place are the newest.
  return changesOf(inVersionOrder(pages.flatMap(({ rows }) => rows)), pages.flatMap(({ levels }) => levels));
}
