/**
 * What a peer's windows let out of the streams of one HTTP/2 connection (RFC 9113, section 6.9), seen by its frames.
 * node:http2 of Deno 2.9.3 takes whatever is written to a stream, calls back at once, and shows nothing of a stream's
 * window: without this nobody could write as fast as a peer reads. Pure: no clock.
 */

/** Of a stream where a peer's SETTINGS say nothing else. */
const INITIAL = 65_535;
/** Streams of which it is known at a time what was let out beyond that; of more those that have ended are forgotten. */
const STREAMS_MAX = 400;

/** The windows of the streams of one connection. */
export class StreamWindows {
  #initial = INITIAL;
  /** What was opened of streams that may not have begun yet, or have ended. */
  readonly #opened = new Map<number, number>();
  readonly #waiting = new Map<number, () => void>();

  /** @param live the ids of the streams that have not ended */
  constructor(private readonly live: () => Iterable<number>) {}

  /** The peer says how much each stream may have at first. */
  setInitial(bytes: number): void {
    this.#initial = bytes;
    this.#wakeAll();
  }

  /** The peer lets out more of a stream, or, as stream 0, of all together. */
  open(stream: number, bytes: number): void {
    if (stream === 0) return this.#wakeAll();
    if (!this.#opened.has(stream) && this.#opened.size >= STREAMS_MAX) this.#forgetEnded(stream);
    this.#opened.set(stream, (this.#opened.get(stream) ?? 0) + bytes);
    const wake = this.#waiting.get(stream);
    this.#waiting.delete(stream);
    wake?.();
  }

  /** The bytes of its messages that a stream may have sent in all, since it began. */
  of(stream: number): number {
    return this.#initial + (this.#opened.get(stream) ?? 0);
  }

  /**
   * Has `wake` called when a window opens next that a stream may be waiting for, once; without one: nobody. A peer says
   * as often as it likes that windows open, 5,000 times in one read of its socket.
   */
  wakeOn(stream: number, wake: (() => void) | undefined): void {
    if (wake === undefined) this.#waiting.delete(stream);
    else this.#waiting.set(stream, wake);
  }

  /** A stream has ended. */
  forget(stream: number): void {
    this.#opened.delete(stream);
    this.#waiting.delete(stream);
  }

  /** A peer may open windows of streams that have ended, and for good. */
  #forgetEnded(latest: number): void {
    const live = new Set(this.live());
    for (const stream of this.#opened.keys()) if (stream < latest && !live.has(stream)) this.#opened.delete(stream);
    // What is left are streams that nobody began, whose connection ends for it.
    if (this.#opened.size >= STREAMS_MAX) this.#opened.clear();
  }

  #wakeAll(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
