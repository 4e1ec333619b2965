/** What ends a stream: its client goes, the server drains, or it, or its connection, is as old as they get. */
import type { Leaving } from "../base/leaving.ts";
import type { End } from "./events.ts";

/** The part of the age that chance takes, at the most: streams that began together don't end together. */
const AGE_JITTER = 1 / 4;

/**
 * How long a stream may read its snapshot, in ms, less up to a quarter by chance; longer where that is less than it may
 * get old. Before its end there is nothing to go on from: a stream that is too old by then begins anew, and never comes
 * to it.
 */
const SNAPSHOT_MS_MAX = 3_600_000;

/**
 * A stream that is to end waits so long for a position behind what its client has, in ms: some reads of the tailer.
 * Without one the client would get again what came behind the latest that it has.
 */
export const POSITION_MS_MAX = 1_000;

/** What an ending is made of. */
export interface EndingParts {
  /** Aborts with the client. */
  readonly signal: AbortSignal;
  /** Aborts when the server drains. */
  readonly draining: AbortSignal;
  readonly leaving: Leaving;
  /** How old a stream gets, in ms, less up to a quarter by chance. */
  readonly ageMsMax: number;
  /** Instead of {@link SNAPSHOT_MS_MAX}. */
  readonly snapshotMsMax?: number | undefined;
  /** Answers in [0, 1). */
  readonly random: () => number;
}

/** Of one stream. */
export class Ending {
  readonly #parts: EndingParts;
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOld = false;
  /** It stays on its connection until this is called. */
  #endStay: (() => void) | undefined;

  /** Calls `ring` with every end that comes. */
  constructor(parts: EndingParts, ring: () => void) {
    this.#parts = parts;
    this.#ring = ring;
    this.beginAge();
    parts.signal.addEventListener("abort", ring);
    parts.draining.addEventListener("abort", ring);
    parts.leaving.signal.addEventListener("abort", ring);
  }

  /** It gets as old as streams do from now on. */
  beginAge(): void {
    this.#leaveStay();
    this.#endWithin(this.#parts.ageMsMax);
  }

  /** Its snapshot is read from now on: behind that its age begins, and that its connection is left ends it. */
  beginSnapshot(): void {
    this.#endStay = this.#parts.leaving.stay();
    const { snapshotMsMax = SNAPSHOT_MS_MAX, ageMsMax } = this.#parts;
    this.#endWithin(Math.max(snapshotMsMax, ageMsMax));
  }

  #leaveStay(): void {
    this.#endStay?.();
    this.#endStay = undefined;
  }

  /** Less up to a quarter by chance. What is old stays so. */
  #endWithin(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isOld = true;
      this.#ring();
    }, ms * (1 - AGE_JITTER * this.#parts.random()));
  }

  /** The client has gone: nobody hears of anything. */
  get isGone(): boolean {
    return this.#parts.signal.aborted;
  }

  /** Why the server ends the stream; undefined: it does not. */
  get end(): Extract<End, "age" | "draining"> | undefined {
    const { draining, leaving } = this.#parts;
    const isLeft = leaving.signal.aborted && this.#endStay === undefined;
    return draining.aborted ? "draining" : this.#isOld || isLeft ? "age" : undefined;
  }

  /** Either. */
  get isOver(): boolean {
    return this.isGone || this.end !== undefined;
  }

  /** Calls nobody any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#leaveStay();
    this.#parts.signal.removeEventListener("abort", this.#ring);
    this.#parts.draining.removeEventListener("abort", this.#ring);
    this.#parts.leaving.signal.removeEventListener("abort", this.#ring);
  }
}
