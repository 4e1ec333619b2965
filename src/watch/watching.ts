/** Streams of changes, all from one tailer. No wire. */
import { type Leaving, NEVER_LEFT } from "../base/leaving.ts";
import type { Log } from "../telemetry/log.ts";
import type { PastReads } from "./catch_up.ts";
import { HEARTBEAT_MS, type InvEvent, type MovementEvent } from "./events.ts";
import { type InvAsk, invEvents, type InvReads, type StreamParts } from "./inv_stream.ts";
import { type MovementAsk, movementEvents } from "./movement_stream.ts";
import { RowBudget } from "./row_budget.ts";
import { Tailer, type TailerParts, type TailerView } from "./tailer.ts";

/** Rows that all streams together catch up on at a time, some 120 MB; more streams begin with a snapshot instead. */
const CAUGHT_UP_ROWS_MAX = 200_000;

/** What it is made of. */
export interface WatchingParts {
  /** On connections of its own, so that the tailer waits behind nobody, and nobody behind it. */
  readonly source: TailerParts["source"];
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** How old a stream gets, in ms. */
  readonly ageMsMax: number;
  /** Instead of SNAPSHOT_MS_MAX of ending.ts. */
  readonly snapshotMsMax?: number | undefined;
  /** Instead of HEARTBEAT_MS. */
  readonly heartbeatMs?: number | undefined;
  /** Instead of LATE_US_MAX of tail_reader.ts. */
  readonly lateUsMax?: number | undefined;
  /** Instead of the bounds of joining.ts. */
  readonly startMsMax?: number | undefined;
  /** Instead of {@link CAUGHT_UP_ROWS_MAX}. */
  readonly caughtUpRowsMax?: number | undefined;
}

/** Opens streams. */
export class Watching {
  readonly #parts: WatchingParts;
  readonly #tailer: Tailer;
  readonly #draining = new AbortController();
  readonly #caughtUp: RowBudget;

  constructor(parts: WatchingParts) {
    this.#parts = parts;
    this.#caughtUp = new RowBudget(parts.caughtUpRowsMax ?? CAUGHT_UP_ROWS_MAX);
    this.#tailer = new Tailer({ ...parts, nowMs: () => performance.now() });
  }

  get view(): TailerView {
    return this.#tailer.view;
  }

  /**
   * A stream of levels. Nothing is read before its first event is asked for; what the client is slow to take is folded.
   * It throws the errors of the reads that it makes for itself, ends with the signal, and says where to go on once
   * its connection is left.
   */
  inv(ask: InvAsk, reads: InvReads, signal: AbortSignal, leaving = NEVER_LEFT): AsyncGenerator<InvEvent> {
    return invEvents(ask, this.#partsOf(reads, signal, leaving));
  }

  /** A stream of movements, as above; also throws ResumeFaultError. What the client is slow to take is read later. */
  movements(
    ask: MovementAsk,
    reads: PastReads,
    signal: AbortSignal,
    leaving = NEVER_LEFT,
  ): AsyncGenerator<MovementEvent> {
    return movementEvents(ask, this.#partsOf(reads, signal, leaving));
  }

  #partsOf<R>(reads: R, signal: AbortSignal, leaving: Leaving): StreamParts<R> {
    const { random, ageMsMax, snapshotMsMax, startMsMax, heartbeatMs = HEARTBEAT_MS } = this.#parts;
    const shared = { tailer: this.#tailer, caughtUp: this.#caughtUp, draining: this.#draining.signal };
    return { ...shared, reads, signal, leaving, random, ageMsMax, snapshotMsMax, startMsMax, heartbeatMs };
  }

  /** Ends all streams, each with what it has and a position; new ones end at once. */
  drain(): void {
    this.#draining.abort();
  }

  /** Reads no more. */
  async stop(): Promise<void> {
    await this.#tailer.stop();
  }
}
