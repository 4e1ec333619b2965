/**
 * What a tailer knows from one read to the next, and the reads themselves: which movements came since the one before.
 *
 * Two reads follow on each other by their snapshots: what the one has not seen and the other has is new, whatever its
 * time and the sequence of its commit, and no row is new twice. A transaction that hangs delays nobody: what it wrote
 * is new once it is over, and what others wrote while it hung has been new before.
 *
 * The ledger has no index of transactions, so rows are looked for by their time:
 *
 *   - A decision is written while it is younger than DECISION_AGE_MS_MAX, and a row has the time of its decision. So
 *     whatever was not even begun at one read has a time not longer before it than {@link LATE_US_MAX}, and is found by
 *     the next. Servers' clocks may differ: where the database was taken over by another, the time that has passed
 *     counts by this process's clock.
 *   - Of a transaction that was under way at a read, rows may have any time since it began. Once it is over, those from
 *     when it was first seen on are looked for, a bounded piece beside each read. Until that is done no positions are
 *     given out, and nobody joins. Who is under way is known by snapshots, and by looks at who writes (under_way.ts).
 *   - Whatever slips through all of that, such as a row that somebody writes by hand with a time of long ago, is missed
 *     by the next version of its place, and read by its key.
 */
import { pause } from "../base/bounded_wait.ts";
import { invariant } from "../base/invariant.ts";
import { DatabaseUnavailableError } from "../store/errors.ts";
import type { TailQuery } from "../store/statements/tail.ts";
import type { TailRead, TailRow } from "../store/statements/tail_rows.ts";
import type { ScanQuery } from "../store/statements/tail_scan.ts";
import type { TailStore } from "../store/store.ts";
import {
  type DatabaseSnapshot,
  FIRST_XID,
  hasSeen,
  lowXid,
  type SeenTransactions,
} from "../store/transaction_snapshot.ts";
import { changesOf, type InvChange } from "./changes.ts";
import { inOrder } from "./ordering.ts";
import type { LivePosition, Witness } from "./position.ts";
import { FAR_BEHIND, SeenXids } from "./seen_xids.ts";
import { TransactionsUnderWay } from "./under_way.ts";
import { VersionSequence } from "./version_sequence.ts";

/** Rows of one read; what is more comes with further ones of the same difference. */
const TAIL_ROWS_MAX = 2000;
/** Movements that one read of the past looks at. */
export const SCAN_ROWS_MAX = 2000;
/** See above: how old a decision is when it is written, and what a statement takes until it has a transaction. */
export const LATE_US_MAX = 3_000_000;
/** Rows are read from so much longer before a read, so that transactions of less than a second need no looking for. */
const OVERLAP_PER_LATE = 4 / 3;
/** Pages of such a look beside one read. */
const SCAN_PAGES_MAX = 20;
/** Movements that are looked at for who wrote them lately. */
const START_ROWS_MAX = 20_000;
/**
 * Reads at the start, and the pause before each, until none of what was under way at the first is: of what has begun
 * since it is known from when on it may have written. Mostly the second is the last one.
 */
const START_AGAIN_MAX = 5;
const START_PAUSE_MS = 20;
/** So far before its start a tailer looks for rows of transactions that are under way all that time. */
const START_LOOKBACK_US = 300_000_000;

/** Where movements are read from. */
export type TailSource = Pick<TailStore, "identify" | "xids" | "writers" | "read" | "scan" | "versions">;

/** The database is not the one that it was, or has lost what had been committed. */
export class DatabaseSetBackError extends DatabaseUnavailableError {
  override name = "DatabaseSetBackError";

  constructor() {
    super("the database is another one, or was set back");
  }
}

/** A part of what is new. */
export interface TailPart {
  /** By version for each place. */
  readonly rows: readonly TailRow[];
  /** The same as changes of levels. */
  readonly changes: readonly InvChange[];
  /** Where one stands who has all parts up to this one; undefined: more follow. */
  readonly position: LivePosition | undefined;
}

/** From the start of a tailer to its end. */
export class TailReader {
  readonly #source: TailSource;
  /** A clock that runs forward, in ms. */
  readonly #nowMs: () => number;
  readonly #lateUs: number;
  readonly #overlapUs: number;
  readonly #sequence = new VersionSequence();
  readonly #underWay: TransactionsUnderWay;
  /** What is to be looked for of those that are over, each behind what was seen when it was under way. */
  readonly #scans: (ScanQuery & { readonly after: SeenTransactions })[] = [];
  #seen: SeenXids | undefined;
  /** What was seen at the start. */
  #startedWith: SeenTransactions | undefined;
  #snapshot: DatabaseSnapshot = { xmax: FIRST_XID, xip: [] };
  #position: LivePosition | undefined;
  #nowUs = 0;
  #readAtMs = 0;

  /** @param lateUsMax instead of {@link LATE_US_MAX} */
  constructor(source: TailSource, nowMs: () => number, lateUsMax = LATE_US_MAX) {
    this.#source = source;
    this.#nowMs = nowMs;
    this.#lateUs = lateUsMax;
    this.#overlapUs = Math.ceil(lateUsMax * OVERLAP_PER_LATE);
    this.#underWay = new TransactionsUnderWay(lateUsMax);
  }

  /** Where one stands who has all that was given; undefined: that can't be said now. */
  get position(): LivePosition | undefined {
    return this.#scans.length === 0 ? this.#position : undefined;
  }

  /** Reads where the database stands. Throws the errors of the source, as all that reads. */
  async start(signal: AbortSignal): Promise<LivePosition> {
    const databaseId = await this.#source.identify(signal);
    const first = await this.#source.xids({ from: FIRST_XID, limit: 1 }, signal);
    const { snapshot: { xmax, xip }, nowUs: firstUs, newest } = first;
    const newestXid = newest?.xid ?? FIRST_XID - 1;
    // Ids above the newest movement's may be given out once more, and belong to nothing that was seen.
    const from = Math.max(Math.min(xip[0] ?? xmax, newestXid + 1), xmax - FAR_BEHIND);
    // Before the read: who writes then and is above its snapshot is under way.
    const look = await this.#source.writers(signal);
    let begunMs = this.#nowMs();
    let read = await this.#source.xids({ from, limit: START_ROWS_MAX }, signal);
    const isOld = (xid: number) => xip.includes(xid);
    for (let again = 0; again < START_AGAIN_MAX && read.snapshot.xip.some(isOld); again++) {
      await pause(START_PAUSE_MS, signal);
      begunMs = this.#nowMs();
      read = await this.#source.xids({ from, limit: START_ROWS_MAX }, signal);
    }
    const { snapshot, nowUs, xids } = read;
    const isNew = (xid: number) => xid < snapshot.xmax && !isOld(xid);
    this.#underWay.begin(snapshot, look, (xid) => isNew(xid) ? firstUs - this.#lateUs : nowUs - START_LOOKBACK_US);
    // Where there are more than can be listed, all are taken as the snapshot says it.
    this.#seen = xids === undefined ? new SeenXids(snapshot.xmax, []) : new SeenXids(from, xids);
    const position = this.#moveTo({ snapshot, nowUs, begunMs }, {
      databaseId,
      witness: read.newest && { ...read.newest, xid: lowXid(read.newest.xid) },
      sinceUs: nowUs,
    });
    this.#startedWith = position.seen;
    return position;
  }

  /**
   * Looks whether the database is the one that it was: after a failure it may be another. Every read looks whether it
   * has the past that it had. Throws DatabaseSetBackError where it is not.
   */
  async verify(signal: AbortSignal): Promise<void> {
    const from = this.#position;
    invariant(from !== undefined, "a tailer looks back before it has started");
    if (await this.#source.identify(signal) !== from.databaseId) throw new DatabaseSetBackError();
  }

  /** Gives what is new; the last part has a position. Throws DatabaseSetBackError, too. */
  async read(give: (part: TailPart) => void, signal: AbortSignal): Promise<void> {
    const from = this.#position;
    invariant(from !== undefined, "a tailer reads before it has started");
    await this.#scan(from, give, signal);
    if (this.#underWay.isLookDue(this.#nowUs)) {
      this.#underWay.look(await this.#source.writers(signal), this.#snapshot.xmax);
    }
    const begunMs = this.#nowMs();
    const query: TailQuery = {
      after: from.seen,
      sinceUs: Math.min(this.#nowUs, this.#underWay.coveredUs) - this.#overlapUs,
      agoUs: Math.ceil((begunMs - this.#readAtMs) * 1000) + this.#overlapUs,
      witness: from.witness,
      limit: TAIL_ROWS_MAX,
    };
    let page = await this.#source.read(query, signal);
    const { snapshot, nowUs } = page;
    if (!page.isPastThere || snapshot.xmax <= (from.seen.above.at(-1) ?? 0)) throw new DatabaseSetBackError();
    let { witness } = from;
    for (;;) {
      const part = await this.#inOrder(asSeenBy(snapshot, page), from.seen, signal);
      witness = witnessOf(part.rows) ?? witness;
      if (page.next === undefined) {
        const sinceUs = Math.min(query.sinceUs, nowUs - query.agoUs);
        this.#moveTo({ snapshot, nowUs, begunMs }, { databaseId: from.databaseId, witness, sinceUs });
        return give({ ...part, position: this.position });
      }
      give({ ...part, position: undefined });
      page = await this.#source.read({ ...query, key: page.next }, signal);
    }
  }

  /** A bounded number of pages of what transactions wrote that hung and are over. */
  async #scan({ seen }: LivePosition, give: (part: TailPart) => void, signal: AbortSignal): Promise<void> {
    for (let pages = 0; pages < SCAN_PAGES_MAX; pages++) {
      const [scan] = this.#scans;
      if (scan === undefined) return;
      const page = await this.#source.scan(scan, signal);
      const part = await this.#inOrder(asSeenBy(this.#snapshot, page), seen, signal);
      if (part.rows.length > 0) give({ ...part, position: undefined });
      if (page.next === undefined) this.#scans.shift();
      else this.#scans[0] = { ...scan, key: page.next };
    }
  }

  /** `sinceUs`: from when on rows were read. */
  #moveTo(
    { snapshot, nowUs, begunMs }: Pick<TailRead, "snapshot" | "nowUs"> & { readonly begunMs: number },
    { databaseId, witness, sinceUs }: Pick<LivePosition, "databaseId" | "witness" | "sinceUs">,
  ): LivePosition {
    const overUs = this.#underWay.moveTo(snapshot, sinceUs + this.#overlapUs);
    if (overUs < sinceUs && this.#position !== undefined) {
      // What they wrote before that: what is younger came with this read.
      const range = { sinceUs: Math.max(0, overUs), untilUs: sinceUs, limit: SCAN_ROWS_MAX };
      this.#scans.push({ ...range, after: this.#position.seen });
    }
    this.#snapshot = snapshot;
    this.#nowUs = nowUs;
    this.#readAtMs = begunMs;
    this.#position = {
      databaseId,
      seen: this.#seen!.at(snapshot),
      sinceUs: Math.max(0, Math.min(nowUs - this.#lateUs, this.#underWay.sinceUs)),
      witness,
    };
    return this.#position;
  }

  /**
   * Whether a row before the first of a place that is not remembered is new: it was not seen before this read, or is
   * being looked for. As long as all places are remembered, none of this one's was given since the start.
   */
  #isDue(xid: number, from: SeenTransactions): boolean {
    const given = this.#sequence.hasForgotten ? from : this.#startedWith ?? from;
    return [given, from, ...this.#scans.map(({ after }) => after)].some((seen) => !hasSeen(seen, xid));
  }

  /** What of a page is new, with what is missing before it. */
  async #inOrder(
    page: TailRead,
    from: SeenTransactions,
    signal: AbortSignal,
  ): Promise<Omit<TailPart, "position">> {
    const { rows, levels } = await inOrder(page, {
      sequence: this.#sequence,
      versions: this.#source.versions,
      isDue: ({ xid }) => this.#isDue(xid, from),
    }, signal);
    for (const { xid } of rows) this.#seen!.add(xid);
    return { rows, changes: changesOf(rows, levels) };
  }
}

/** Without what was committed after that: of those transactions a page may have a part. */
function asSeenBy({ xmax, xip }: DatabaseSnapshot, page: TailRead): TailRead {
  return { ...page, rows: page.rows.filter(({ xid }) => xid < xmax && !xip.includes(xid)) };
}

function witnessOf(rows: readonly TailRow[]): Witness | undefined {
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  const { goodsId, locationId, version, xid, atUs } = last;
  return { goodsId, locationId, version, xid: lowXid(xid), atUs };
}
