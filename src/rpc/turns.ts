/**
 * Reading of large messages, so many bytes in a turn of the event loop: a megabyte takes 100 ms to read, and several that have
 * come at once must not be read one behind the other while everybody else waits.
 */

/** Messages up to this are read at once, in bytes: some 1 ms. */
export const LARGE_BYTES = 16 * 1024;
/** Bytes of large messages in one turn, unless one alone has more. */
export const TURN_BYTES = 64 * 1024;

/** Who reads a large message waits here for its turn, first come, first served. */
export class Turns {
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  #spent = 0;
  #turnAsked = false;

  /** @param next calls back in the next turn of the loop, after others had theirs */
  constructor(private readonly next: (then: () => void) => void) {}

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
    this.next(() => {
      this.#turnAsked = false;
      this.#spent = 0;
      this.#go();
    });
  }
}
