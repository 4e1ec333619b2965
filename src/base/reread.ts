/**
 * What stands in files that others replace, such as a password that is rotated: as last read, and read anew when it did
 * not do. No I/O but the read that it is given.
 *
 *     as read --it did not do, and it was not read just now--> being read
 *     being read --it did not do--> being read: one read serves all who ask
 *     being read --done, or failed--> as read: what it says now; as before where it can't be read or says the same
 *
 * A read that hangs stays the one that is being read, and each who asks waits for it for a bounded time.
 */

import { settled } from "./bounded_wait.ts";

/** Nobody waits longer for a read: its disk may be one that hangs, and whoever waits may keep others waiting. */
const READ_MS_MAX = 1000;
/** Not read again within this time, so that who is refused all the time costs nothing. */
export const REREAD_PAUSE_MS = 500;

/** What a reread is given. */
export interface RereadOptions<T> {
  /** As read at the start. */
  readonly first: T;
  /** Reads it anew. May reject with an Error whose message may be logged. */
  readonly read: () => Promise<T>;
  /** It is another one now. */
  readonly renewed: () => void;
  /** It could not be read, and that is news. */
  readonly failed: (error: Error) => void;
  /** A clock that runs forward, in ms. */
  readonly nowMs: () => number;
  /** How long to wait for a read, in ms; by default {@link READ_MS_MAX}. */
  readonly readMsMax?: number;
}

/** Plain data, as last read. */
export class Reread<T> {
  readonly #options: RereadOptions<T>;
  #current: T;
  #reading: Promise<void> | undefined;
  #readAtMs = -Infinity;
  #failure: string | undefined;

  constructor(options: RereadOptions<T>) {
    this.#options = options;
    this.#current = options.first;
  }

  /** As last read; the same object for as long as it says the same. */
  get current(): T {
    return this.#current;
  }

  /** `seen` did not do: whether there is another one, after a look for it. Never rejects. */
  async isOther(seen: T): Promise<boolean> {
    if (this.#current === seen) {
      if (this.#reading === undefined && this.#options.nowMs() - this.#readAtMs < REREAD_PAUSE_MS) return false;
      this.#reading ??= this.#read().finally(() => this.#reading = undefined);
      await settled(this.#reading, this.#options.readMsMax ?? READ_MS_MAX);
    }
    return this.#current !== seen;
  }

  async #read(): Promise<void> {
    const { read, renewed, failed, nowMs } = this.#options;
    try {
      const found = await read();
      this.#failure = undefined;
      if (JSON.stringify(found) === JSON.stringify(this.#current)) return;
      this.#current = found;
      renewed();
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#failure) failed(error as Error);
      this.#failure = message;
    } finally {
      this.#readAtMs = nowMs();
    }
  }
}
