/**
 * Reading of large messages, so many bytes in a turn of the event loop: a megabyte takes 100 ms to read, and several that have
 * come at once must not be read one behind the other while everybody else waits. After a long turn the loop is left to others
 * for as long as it took: a call needs some six turns, and when all of them were long, one took 820 ms.
 */

/** Messages up to this are read at once, in bytes: some 1 ms. */
export const LARGE_BYTES = 16 * 1024;
/** Bytes of large messages in one turn, unless one alone has more. */
export const TURN_BYTES = 64 * 1024;
/** A turn of reading that took longer than this, in ms, is followed by a pause. */
export const LONG_TURN_MS = 20;
/** Longest pause, in ms: a stall of the machine is not to be doubled. */
export const PAUSE_MS_MAX = 200;

/** What turns are measured with. */
export interface TurnsClock {
  /** A clock that runs forward, in ms. */
  nowMs(): number;
  /** Calls back in another turn of the loop, after others had theirs, and not before so many ms are over. */
  later(then: () => void, afterMs: number): void;
}

/** Who reads a large message waits here for its turn, first come, first served. */
export class Turns {
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  readonly #clock: TurnsClock;
  #spent = 0;
  #turnAsked = false;

  constructor(clock: TurnsClock) {
    this.#clock = clock;
  }

  /** Resolves when so many bytes may be read; at once where this turn is not spent. */
  take(bytes: number): Promise<void> {
    if (bytes <= LARGE_BYTES) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, go: resolve });
      this.#go();
    });
  }

  #go(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (this.#spent > 0 && this.#spent + first.bytes > TURN_BYTES) break;
      this.#spent += first.bytes;
      this.#waiting.shift();
      first.go();
    }
    if (this.#spent === 0 || this.#turnAsked) return;
    this.#turnAsked = true;
    const sinceMs = this.#clock.nowMs();
    this.#clock.later(() => {
      const tookMs = this.#clock.nowMs() - sinceMs;
      if (tookMs > LONG_TURN_MS) this.#clock.later(() => this.#next(), Math.min(tookMs, PAUSE_MS_MAX));
      else this.#next();
    }, 0);
  }

  #next(): void {
    this.#turnAsked = false;
    this.#spent = 0;
    this.#go();
  }
}
