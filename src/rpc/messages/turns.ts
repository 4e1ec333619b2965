/**
 * Reading of large messages, so many bytes in a turn of the event loop: a megabyte takes 100 ms to read, and several
 * that have come at once must not be read one behind the other while everybody else waits. After a long turn the loop
 * is left to others for as long as it took: a call needs some six turns, and when all of them were long, one took 820
 * ms.
 *
 * Addresses go by turns, and each by arrival: 3,000 packed messages of a kilobyte that become a megabyte each,
 * all of one address, would else be read before anybody else's, for minutes.
 */

/** Messages up to this are read at once, in bytes: some 1 ms. */
export const LARGE_BYTES = 16 * 1024;
/** Bytes of large messages in one turn, unless one alone has more. */
export const TURN_BYTES = 64 * 1024;
/**
 * A turn of reading that took longer than this, in ms, is followed by a pause. Beside 1,800 packed messages that take 6
 * ms each an honest call took 14 ms in the median, and 172 where 20 ms were allowed; what is made of them was not freed
 * in time either.
 */
export const LONG_TURN_MS = 5;
/** Longest pause, in ms: a stall of the machine is not to be doubled. */
export const PAUSE_MS_MAX = 200;

/** What turns are measured with. */
export interface TurnsClock {
  /** A clock that runs forward, in ms. */
  nowMs(): number;
  /** Calls back in another turn of the loop, after others had theirs, and not before so many ms are over. */
  later(then: () => void, afterMs: number): void;
}

/** Whose message it is. */
export interface Reader {
  /** Key of its address. */
  readonly address: string;
  /** Whether its call is over meanwhile: then it has no turn. */
  readonly isOver: () => boolean;
}

/** Who reads a large message waits here for its turn. */
export class Turns {
  /** By address, each by arrival; the first address is the next. */
  readonly #waiting = new Map<
    string,
    { readonly bytes: number; readonly isOver: () => boolean; readonly go: () => void }[]
  >();
  readonly #clock: TurnsClock;
  #spent = 0;
  #turnAsked = false;

  constructor(clock: TurnsClock) {
    this.#clock = clock;
  }

  /**
   * Resolves when so many bytes may be read; at once where this turn is not spent. Perhaps never, once the call is
   * over.
   */
  take(bytes: number, { address, isOver }: Reader): Promise<void> {
    if (bytes <= LARGE_BYTES) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(address);
      const message = { bytes, isOver, go: resolve };
      if (waiting === undefined) this.#waiting.set(address, [message]);
      else waiting.push(message);
      this.#go();
    });
  }

  #go(): void {
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      const [address, waiting] = next;
      const left = waiting.findIndex(({ isOver }) => !isOver());
      waiting.splice(0, left === -1 ? waiting.length : left);
      const [first] = waiting;
      if (first !== undefined) {
        if (this.#spent > 0 && this.#spent + first.bytes > TURN_BYTES) break;
        this.#spent += first.bytes;
        waiting.shift();
        first.go();
      }
      this.#waiting.delete(address);
      if (waiting.length > 0) this.#waiting.set(address, waiting);
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
