/** What ends a stream: its client goes, the server drains, or it, or its connection, is as old as they get. */
import type { End } from "./events.ts";

/** The part of the age that chance takes, at the most: streams that began together don't end together. */
const AGE_JITTER = 1 / 4;

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
  /** Aborts when its connection is to end. */
  readonly leaving: AbortSignal;
  /** How old a stream gets, in ms, less up to a quarter by chance. */
  readonly ageMsMax: number;
  /** Answers in [0, 1). */
  readonly random: () => number;
}

/** Of one stream. */
export class Ending {
  readonly #parts: EndingParts;
  readonly #ring: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #isOld = false;

  /** Calls `ring` with every end that comes. */
  constructor(parts: EndingParts, ring: () => void) {
    this.#parts = parts;
    this.#ring = ring;
    this.#timer = setTimeout(() => {
      this.#isOld = true;
      ring();
    }, parts.ageMsMax * (1 - AGE_JITTER * parts.random()));
    parts.signal.addEventListener("abort", ring);
    parts.draining.addEventListener("abort", ring);
    parts.leaving.addEventListener("abort", ring);
  }

  /** The client has gone: nobody hears of anything. */
  get isGone(): boolean {
    return this.#parts.signal.aborted;
  }

  /** Why the server ends the stream; undefined: it does not. */
  get end(): Extract<End, "age" | "draining"> | undefined {
    const { draining, leaving } = this.#parts;
    return draining.aborted ? "draining" : this.#isOld || leaving.aborted ? "age" : undefined;
  }

  /** Either. */
  get isOver(): boolean {
    return this.isGone || this.end !== undefined;
  }

  /** Calls nobody any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#parts.signal.removeEventListener("abort", this.#ring);
    this.#parts.draining.removeEventListener("abort", this.#ring);
    this.#parts.leaving.removeEventListener("abort", this.#ring);
  }
}
