/**
 * One stream of rows of the ledger: at least once, by version for each place, from any point of the past.
 *
 *     joining   --from a point of the past-----------------> walking
 *     joining   --from now on------------------------------> live
 *     walking   --up to where the tailer stood, and what it
 *                 brought meanwhile has all waited---------> live
 *     walking   --the same, and it was more than may wait--> walking, from there to where the tailer stands now
 *     live      --more rows than may wait------------------> walking, from where the client stands
 *     either    --the same, and no position says where-----> ended
 *     any       --the server drains, or it is too old------> ended
 *     any       --the client has gone----------------------> left
 *
 * A walk leads from one moment to another, each a snapshot: exactly the rows between them, by time. So what was under
 * way where one ends comes with the next.
 */
import { compareTailKeys, type TailKey, tailKeyOf, type TailRow } from "../store/statements/tail_rows.ts";
import { hasSeen, hasSeenAllOf, type SeenTransactions } from "../store/transaction_snapshot.ts";
import { Bell } from "./bell.ts";
import { judgeResume, type PastReads, type ResumeFault, sinceOf } from "./catch_up.ts";
import { Ending, POSITION_MS_MAX } from "./ending.ts";
import type { MovementEvent } from "./events.ts";
import { Heartbeats } from "./heartbeats.ts";
import { fitsMovements, type MovementFilter } from "./filter.ts";
import type { StreamParts } from "./inv_stream.ts";
import { bounded } from "./joining.ts";
import type { LivePosition, PastPosition, Position } from "./position.ts";
import { inOrder } from "./ordering.ts";
import { DatabaseSetBackError, SCAN_ROWS_MAX } from "./tail_reader.ts";
import type { TailBatch } from "./tailer.ts";
import { VersionSequence } from "./version_sequence.ts";
import { WaitingRows } from "./waiting_rows.ts";

/** Places whose versions a walk remembers; those of others it looks up. */
const WALKED_PLACES_MAX = 2000;

/** Of the rows of one event, as a message; one row is in an event whatever it takes. */
export const EVENT_BYTES_MAX = 512 * 1024;
/** A row without its texts, of which each character takes four bytes at most. */
const ROW_BYTES = 200;
const CHARACTER_BYTES_MAX = 4;

/** What a stream is of, and from where. */
export interface MovementAsk {
  readonly filter: MovementFilter;
  /** A position; or whatever was written down at a time or later, in microseconds since 1970. Absent: from now on. */
  readonly from?: Position | { readonly fromUs: number } | undefined;
}

/** A position that a stream can't go on from. */
export class ResumeFaultError extends Error {
  override name = "ResumeFaultError";
  readonly fault: ResumeFault;

  constructor(fault: ResumeFault) {
    super(fault === "other_database" ? "it is of another database" : "what came after it is gone");
    this.fault = fault;
  }
}

/** Where a walk begins: what `after` saw is left out, and so is what is not behind the key. */
interface WalkStart {
  readonly after: SeenTransactions | undefined;
  readonly sinceUs: number;
  readonly key?: TailKey | undefined;
}

/**
 * The events of one stream, until the client has gone or the server ends it. Throws the errors of the reads, and
 * ResumeFaultError.
 */
export async function* movementEvents(
  ask: MovementAsk,
  parts: StreamParts<PastReads>,
): AsyncGenerator<MovementEvent> {
  const stream = new MovementStream(ask, parts);
  try {
    yield* stream.events();
  } finally {
    stream.close();
  }
}

class MovementStream {
  readonly #bell = new Bell();
  readonly #ask: MovementAsk;
  readonly #parts: StreamParts<PastReads>;
  readonly #ending: Ending;
  readonly #heartbeats: Heartbeats;
  readonly #fits: (row: TailRow) => boolean;
  #waiting = new WaitingRows();
  /** The database is not the one that the stream began with. */
  #isLost = false;
  /** What this snapshot saw the client has. */
  #resumed: SeenTransactions | undefined;
  #leave = () => {};

  constructor(ask: MovementAsk, parts: StreamParts<PastReads>) {
    this.#ask = ask;
    this.#parts = parts;
    this.#ending = new Ending(parts, () => this.#bell.ring());
    this.#heartbeats = new Heartbeats(parts.heartbeatMs);
    this.#fits = fitsMovements(ask.filter);
  }

  /** Gets nothing any more. */
  close(): void {
    this.#leave();
    this.#bell.close();
    this.#ending.stop();
  }

  async *events(): AsyncGenerator<MovementEvent> {
    const { from } = this.#ask;
    const { reads, tailer, signal, startMsMax } = this.#parts;
    if (from !== undefined && "seen" in from) this.#resumed = from.seen;
    let upTo = await this.#join();
    let start: WalkStart | undefined;
    if (from !== undefined && "seen" in from) {
      const judging = judgeResume(from, upTo, { reads, tailer, signal, ageUsMax: Infinity });
      const fault = await bounded(judging, signal, startMsMax);
      if (fault !== undefined) throw new ResumeFaultError(fault);
      start = { after: from.seen, sinceUs: sinceOf(from) };
    } else if (from !== undefined) start = { after: undefined, sinceUs: from.fromUs };
    const position = from === undefined ? upTo : "seen" in from ? from : undefined;
    const { databaseId } = upTo;
    const { heartbeatMs } = this.#parts;
    const how = from === undefined ? "now" : "resumed";
    yield this.#said({ kind: "started", start: how, databaseId, heartbeatMs, position });
    if (from !== undefined && "past" in from) {
      const { past: { after, key }, ...upToThen } = from;
      yield* this.#walk({ after, key, sinceUs: key[0] }, upToThen);
    }
    // The client may have more than the tailer of this process had seen.
    let isBehind = from !== undefined && "seen" in from && !hasSeenAllOf(upTo.seen, from.seen);
    for (;;) {
      if (start !== undefined) yield* this.#walk(start, upTo, isBehind);
      const isWalked = !this.#ending.isOver;
      let stands = isBehind ? undefined : upTo;
      if (isWalked && !this.#waiting.isOver) stands = yield* this.#live(stands);
      if (this.#ending.isGone) return;
      const { end } = this.#ending;
      // A walk that was not at its end has said where its client stands.
      if (end !== undefined) return yield { kind: "ended", end, position: isWalked ? stands : undefined };
      // No walk can begin here; the client has a token, and drops what it gets again.
      if (stands === undefined) return yield { kind: "ended", end: "behind", position: undefined };
      start = { after: stands.seen, sinceUs: sinceOf(stands) };
      upTo = yield* this.#heartbeats.through(this.#join());
      isBehind = false;
    }
  }

  /** Gets all that comes from now on, and nothing of what came before. */
  async #join(): Promise<LivePosition> {
    this.#leave();
    this.#waiting = new WaitingRows();
    const { origin, leave } = this.#parts.tailer.join((batch) => this.#take(batch));
    this.#leave = leave;
    return await bounded(origin, this.#parts.signal, this.#parts.startMsMax);
  }

  #take(batch: TailBatch | undefined): void {
    if (batch === undefined) {
      this.#isLost = true;
      return this.#bell.ring();
    }
    const { rows, position } = batch;
    const resumed = this.#resumed;
    const wanted = rows.filter((row) => this.#fits(row) && (resumed === undefined || !hasSeen(resumed, row.xid)));
    if (resumed !== undefined && position !== undefined && hasSeenAllOf(position.seen, resumed)) {
      this.#resumed = undefined;
    }
    this.#waiting.add(wanted, this.#resumed === undefined ? position : undefined);
    if (wanted.length > 0 || this.#ending.isOver) this.#bell.ring();
  }

  /** The rows from one moment to another, by time; without positions where the client is ahead of the latter. */
  async *#walk(start: WalkStart, upTo: LivePosition, isBehind = false): AsyncGenerator<MovementEvent> {
    const { reads, signal } = this.#parts;
    const { after, sinceUs } = start;
    let { key } = start;
    const sequence = new VersionSequence(WALKED_PLACES_MAX);
    /** Where the client stands behind pages that had nothing for it. */
    let position: Position | undefined;
    while (!this.#ending.isOver) {
      // Also where it was lost before: what follows there is not what follows on what the client has.
      if (this.#isLost) throw new DatabaseSetBackError();
      const reading = reads.scan({ after, upTo: upTo.seen, sinceUs, key, limit: SCAN_ROWS_MAX }, signal);
      const page = yield* this.#heartbeats.through(reading, position);
      // What comes before the page by its time was given, whether or not that is remembered.
      const from: TailKey = key ?? [sinceUs, 0, 0, 0];
      const isDue = (row: TailRow) =>
        compareTailKeys(tailKeyOf(row), from) > 0 && hasSeen(upTo.seen, row.xid) &&
        (after === undefined || !hasSeen(after, row.xid));
      const ordering = inOrder(page, { sequence, versions: reads.versions, isDue }, signal);
      const ordered = yield* this.#heartbeats.through(ordering, position);
      key = page.next;
      const { databaseId, seen, witness } = upTo;
      const reached: PastPosition | LivePosition = key === undefined
        ? upTo
        : { databaseId, seen, sinceUs: upTo.sinceUs, witness, past: { after, key } };
      position = isBehind ? undefined : reached;
      const rows = ordered.rows.filter(this.#fits);
      if (rows.length > 0) yield* this.#movements(rows, position);
      else if (this.#heartbeats.dueInMs <= 0) {
        yield this.#said({ kind: "heartbeat", position });
      }
      if (key === undefined) return;
    }
  }

  /**
   * What the tailer brings, to a client that stands there; answers where it stands when that is over. Undefined, of
   * both: it has more than any position that is known, and by an earlier one would get some of that again.
   */
  async *#live(from: LivePosition | undefined): AsyncGenerator<MovementEvent, LivePosition | undefined> {
    let stands = from;
    let isMoved = false;
    let endsAtMs: number | undefined;
    while (!this.#ending.isGone && !this.#waiting.isOver) {
      if (this.#isLost) throw new DatabaseSetBackError();
      if (this.#ending.end !== undefined) endsAtMs ??= performance.now() + POSITION_MS_MAX;
      if (endsAtMs !== undefined && (stands !== undefined || performance.now() >= endsAtMs)) break;
      const next = this.#waiting.shift();
      const dueInMs = endsAtMs === undefined ? this.#heartbeats.dueInMs : endsAtMs - performance.now();
      if (next !== undefined) {
        const { rows, position } = next;
        isMoved ||= position !== undefined;
        stands = position ?? (rows.length === 0 ? stands : undefined);
        if (rows.length === 0) continue;
        isMoved = false;
        yield* this.#movements(rows, position);
      } else if (dueInMs <= 0) {
        yield this.#said({ kind: "heartbeat", position: isMoved ? stands : undefined });
        isMoved = false;
      } else {
        await this.#bell.wait(dueInMs);
      }
    }
    return stands;
  }

  /** The rows in events of which each fits in a message; the position comes with the last one. */
  *#movements(rows: readonly TailRow[], position: Position | undefined): Generator<MovementEvent> {
    let begin = 0;
    let bytes = 0;
    for (const [i, row] of rows.entries()) {
      bytes += bytesOf(row);
      if (i + 1 < rows.length && bytes + bytesOf(rows[i + 1]!) <= EVENT_BYTES_MAX) continue;
      const isLast = i + 1 === rows.length;
      yield this.#said({ kind: "movements", rows: rows.slice(begin, i + 1), position: isLast ? position : undefined });
      begin = i + 1;
      bytes = 0;
    }
  }

  #said(event: MovementEvent): MovementEvent {
    this.#heartbeats.said();
    return event;
  }
}

/** What a row takes as a message at most. */
function bytesOf({ orderId = "", operationId = "", reason = "", documentUri = "", actor = "" }: TailRow): number {
  const characters = orderId.length + operationId.length + reason.length + documentUri.length + actor.length;
  return ROW_BYTES + CHARACTER_BYTES_MAX * characters;
}
