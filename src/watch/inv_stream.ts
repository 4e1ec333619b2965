/**
 * One stream of levels: a snapshot, or what came since a position; then every change.
 *
 *     joining     --from a position that can be gone on from--> catching up
 *     joining     --from now on-------------------------------> live
 *     joining     --else--------------------------------------> reading the snapshot
 *     catching up, reading the snapshot --done----------------> live
 *     live        --more places changed than may wait---------> ended
 *     any         --the server drains, or it is too old-------> ended
 *     any         --the client has gone-----------------------> left
 *
 * What the tailer brings meanwhile waits, bounded, and is left out where the snapshot or the position has it already.
 */
import type { LevelKey, LevelQuery, ListedLevel, Page, PageOf } from "../inventory/queries.ts";
import { hasSeen, hasSeenAllOf, type SeenTransactions } from "../store/transaction_snapshot.ts";
import { Bell } from "./bell.ts";
import { catchUp, judgeResume, type PastReads, RESUME_US_MAX } from "./catch_up.ts";
import type { InvChange } from "./changes.ts";
import { Ending, type EndingParts, POSITION_MS_MAX } from "./ending.ts";
import type { InvEvent, Start } from "./events.ts";
import { Heartbeats } from "./heartbeats.ts";
import { type ChangesByGoods, fitsInv, fitsPlace, type InvFilter, selectInv } from "./filter.ts";
import { PendingChanges, type Taken } from "./pending_changes.ts";
import { bounded, inTime } from "./joining.ts";
import type { LivePosition } from "./position.ts";
import type { RowBudget } from "./row_budget.ts";
import { SnapshotPages } from "./snapshot_pages.ts";
import { DatabaseSetBackError } from "./tail_reader.ts";
import type { TailBatch, WatchedTailer } from "./tailer.ts";

/** Places on a page of the snapshot, and changes in one event of what came since a position. */
const PAGE_PLACES = 500;

/** What a stream is of, and from where. */
export interface InvAsk {
  readonly filter: InvFilter;
  /** Absent: from now on. */
  readonly from?: LivePosition | undefined;
  /** Without a snapshot, wherever it begins. */
  readonly changesOnly: boolean;
}

/** What a stream reads for itself. */
export interface InvReads extends PastReads {
  levels(query: LevelQuery, page: PageOf<LevelKey>, signal: AbortSignal): Promise<Page<ListedLevel, LevelKey>>;
}

/** What it works with. */
export interface StreamParts<R> extends EndingParts {
  /** Longest time between two events, in ms. */
  readonly heartbeatMs: number;
  readonly tailer: WatchedTailer;
  readonly reads: R;
  /** Of rows that streams catch up on. */
  readonly caughtUp: RowBudget;
  /** Instead of the bounds of joining.ts. */
  readonly startMsMax?: number | undefined;
}

/** The events of one stream, until the client has gone or the server ends it. Throws the errors of the reads. */
export async function* invEvents(ask: InvAsk, parts: StreamParts<InvReads>): AsyncGenerator<InvEvent> {
  const stream = new InvStream(ask, parts);
  try {
    if (ask.from === undefined || !(yield* stream.resume(ask.from))) yield* stream.begin();
    yield* stream.live();
  } finally {
    stream.close();
  }
}

class InvStream {
  readonly #bell = new Bell();
  readonly #ask: InvAsk;
  readonly #parts: StreamParts<InvReads>;
  readonly #ending: Ending;
  readonly #heartbeats: Heartbeats;
  readonly #fits: (change: InvChange) => boolean;
  readonly #select: (all: ChangesByGoods) => readonly InvChange[];
  /** What the client is to get. */
  #pending = new PendingChanges();
  /** What came while a page is read, of places that no page has had before; else the page that has it is read later. */
  #early = new PendingChanges();
  #isReading = false;
  #pages: SnapshotPages | undefined;
  /** The database is not the one that the stream began with. */
  #isLost = false;
  /** The client has nothing yet to go on from behind what it has; and once there is, it gets it at once. */
  #isWithoutPosition = false;
  #isPositionDue = false;
  /** What this snapshot saw the client has. */
  #resumed: SeenTransactions | undefined;
  /** Rows that it catches up on, of the budget of all streams. */
  #caughtUp = 0;
  /** Why it could not go on from the position. */
  #fault: Extract<Start, "other_database" | "past_gone"> | undefined;
  #leave = () => {};

  constructor(ask: InvAsk, parts: StreamParts<InvReads>) {
    this.#ask = ask;
    this.#parts = parts;
    this.#ending = new Ending(parts, () => this.#bell.ring());
    this.#heartbeats = new Heartbeats(parts.heartbeatMs);
    this.#fits = fitsInv(ask.filter);
    this.#select = selectInv(ask.filter);
  }

  /** Gets nothing any more. */
  close(): void {
    this.#leave();
    this.#bell.close();
    this.#ending.stop();
    this.#freeCaughtUp();
  }

  #takeCaughtUp(rows: number): boolean {
    if (!this.#parts.caughtUp.take(rows)) return false;
    this.#caughtUp += rows;
    return true;
  }

  #freeCaughtUp(): void {
    this.#parts.caughtUp.free(this.#caughtUp);
    this.#caughtUp = 0;
  }

  /** From the position; false, and nothing is said, where that can't be. */
  async *resume(from: LivePosition): AsyncGenerator<InvEvent, boolean> {
    const { signal, startMsMax } = this.#parts;
    // Before anything is waited for: what comes from now on is distinguished from what the client has.
    this.#resumed = from.seen;
    const origin = await this.#join();
    const changes = await inTime((signal) => this.#changesSince(from, origin, signal), signal, startMsMax);
    if (changes === undefined) {
      this.#freeCaughtUp();
      this.#fault ??= "past_gone";
      return false;
    }
    yield {
      kind: "started",
      start: "resumed",
      databaseId: origin.databaseId,
      heartbeatMs: this.#parts.heartbeatMs,
      position: from,
    };
    const wanted = changes.filter(this.#fits);
    for (let at = 0; at < wanted.length; at += PAGE_PLACES) {
      // What waits came behind the rest, and its position has what the client did not get.
      if (this.#ending.isOver) {
        this.#pending.overflow();
        break;
      }
      const part = wanted.slice(at, at + PAGE_PLACES).map((change) => ({ change, folded: 0 }));
      const isLast = at + PAGE_PLACES >= wanted.length && hasSeenAllOf(origin.seen, from.seen);
      yield { kind: "changes", changes: part, position: isLast ? origin : undefined };
    }
    this.#freeCaughtUp();
    return true;
  }

  /** Undefined: the position can't be gone on from; `#fault` is why, where it is not that there is too much. */
  async #changesSince(
    from: LivePosition,
    origin: LivePosition,
    signal: AbortSignal,
  ): Promise<InvChange[] | undefined> {
    const { reads, tailer } = this.#parts;
    const fault = await judgeResume(from, origin, { reads, tailer, signal, ageUsMax: RESUME_US_MAX });
    signal.throwIfAborted();
    this.#fault = fault;
    if (fault !== undefined) return undefined;
    const isWanted = fitsPlace(this.#ask.filter);
    const take = (rows: number) => !signal.aborted && this.#takeCaughtUp(rows);
    return await catchUp(from, origin, { reads, signal, isWanted, take });
  }

  /** With a snapshot, or from now on. */
  async *begin(): AsyncGenerator<InvEvent> {
    const { filter, changesOnly } = this.#ask;
    this.#resumed = undefined;
    this.#pages = changesOnly ? undefined : new SnapshotPages(filter);
    this.#isWithoutPosition = !changesOnly;
    const origin = await this.#join();
    yield {
      kind: "started",
      start: this.#fault ?? (changesOnly ? "now" : "snapshot"),
      databaseId: origin.databaseId,
      heartbeatMs: this.#parts.heartbeatMs,
      position: changesOnly ? origin : undefined,
    };
    if (this.#pages !== undefined) yield* this.#snapshot(this.#pages);
  }

  /** Gets all that comes from now on, and nothing of what came before. */
  async #join(): Promise<LivePosition> {
    this.#leave();
    this.#pending = new PendingChanges();
    this.#early = new PendingChanges();
    const { origin, leave } = this.#parts.tailer.join((batch) => this.#take(batch));
    this.#leave = leave;
    return await bounded(origin, this.#parts.signal, this.#parts.startMsMax);
  }

  #take(batch: TailBatch | undefined): void {
    if (batch === undefined) {
      this.#isLost = true;
      return this.#bell.ring();
    }
    const { begun, position } = batch;
    let wanted = this.#select(batch);
    const resumed = this.#resumed;
    if (resumed !== undefined) {
      wanted = wanted.filter(({ movement }) => !hasSeen(resumed, movement.xid));
      if (position !== undefined && hasSeenAllOf(position.seen, resumed)) this.#resumed = undefined;
    }
    const pages = this.#pages;
    if (pages !== undefined) {
      if (this.#isReading) this.#early.add(wanted.filter((change) => !pages.covers(change)), undefined);
      wanted = wanted.filter((change) => pages.isNewer(change));
      if (position !== undefined) pages.forgetBefore(begun);
      if (position !== undefined && pages.isPassedBy(begun)) this.#pages = undefined;
    }
    const isExact = this.#pages === undefined && this.#resumed === undefined;
    this.#pending.add(wanted, isExact ? position : undefined);
    this.#isPositionDue ||= this.#isWithoutPosition && this.#pending.position !== undefined;
    if (!this.#pending.isEmpty || this.#pending.isOver || this.#isPositionDue) this.#bell.ring();
  }

  async *#snapshot(pages: SnapshotPages): AsyncGenerator<InvEvent> {
    const { reads, signal, tailer } = this.#parts;
    this.#heartbeats.said();
    this.#ending.beginSnapshot();
    while (!pages.isComplete && !this.#ending.isOver && !this.#pending.isOver) {
      this.#isReading = true;
      const reading = reads.levels(pages.query, { size: PAGE_PLACES, after: pages.after }, signal);
      const page = yield* this.#heartbeats.through(reading);
      // Nothing is waited for from here to where the changes are distinguished.
      this.#isReading = false;
      pages.add(page, tailer.clock);
      const news = this.#early.takeAll().filter(({ change }) => pages.isNewer(change));
      const changes = news.map((each) => pages.withoutHad(each));
      if (this.#early.isOver) this.#pending.overflow();
      this.#early = new PendingChanges();
      if (pages.isComplete) tailer.wake();
      yield { kind: "snapshot", levels: page.rows, isComplete: pages.isComplete };
      if (changes.length > 0) yield { kind: "changes", changes };
      for (let taken = this.#pending.take(); taken !== undefined; taken = this.#pending.take()) {
        yield { kind: "changes", ...taken };
      }
      this.#heartbeats.said();
    }
    if (pages.isComplete) this.#ending.beginAge();
  }

  /** The position that the client gets; undefined: none that it does not have. */
  #takePosition(): LivePosition | undefined {
    const position = this.#pending.takePosition();
    this.#isPositionDue = false;
    if (position !== undefined) this.#isWithoutPosition = false;
    return position;
  }

  /** What the client gets, and with it a position or none. */
  #noted(taken: Taken): Taken {
    this.#isPositionDue = false;
    this.#isWithoutPosition = taken.position === undefined;
    return taken;
  }

  /** Whether a position is to be expected that the client would need. */
  get #isPositionWaitedFor(): boolean {
    return this.#isWithoutPosition && !this.#pending.isOver && this.#pages?.isComplete !== false;
  }

  async *live(): AsyncGenerator<InvEvent> {
    this.#heartbeats.said();
    let endsAtMs: number | undefined;
    while (!this.#ending.isGone) {
      if (this.#isLost) throw new DatabaseSetBackError();
      const taken = this.#pending.take();
      const end = this.#ending.end ?? (this.#pending.isOver ? "behind" : undefined);
      if (taken !== undefined) yield { kind: "changes", ...this.#noted(taken) };
      else if (end !== undefined) {
        const position = this.#takePosition();
        endsAtMs ??= performance.now() + POSITION_MS_MAX;
        const waitMs = endsAtMs - performance.now();
        if (!this.#isPositionWaitedFor || waitMs <= 0) return yield { kind: "ended", end, position };
        await this.#bell.wait(waitMs);
        continue;
      } else if (this.#isPositionDue || this.#heartbeats.dueInMs <= 0) {
        yield { kind: "heartbeat", position: this.#takePosition() };
      } else {
        await this.#bell.wait(this.#heartbeats.dueInMs);
        continue;
      }
      this.#heartbeats.said();
    }
  }
}
