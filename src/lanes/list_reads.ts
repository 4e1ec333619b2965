/**
 * Reads of lists, a few at a time: each may take as long as a statement may, and sales must not wait for connections
 * that they have. Whoever comes when these are taken waits, first come, first served.
 */
import { StatementTimeoutError } from "../store/errors.ts";
import { Capacity } from "./admission.ts";
import { readAgain } from "./again.ts";
import { deadlineTooShort, failureOf } from "./failure.ts";
import { Pace } from "./pace.ts";

/** Bounds of the reads of one process. */
export interface ListReadsLimits {
  /** At a time; each has one connection to the database. */
  readonly readsMax: number;
  /** Under way or waiting. */
  readonly waitingMax: number;
  /** Of these, those of one address. */
  readonly waitingPerAddressMax: number;
}

/** PostgreSQL did not get through the read in the time that a statement has. */
export class ReadTooLongError extends Error {
  override name = "ReadTooLongError";
}

/** Gives each read its turn. */
export class ListReads {
  readonly #readsMax: number;
  readonly #capacity: Capacity;
  /** By arrival. */
  readonly #waiting = new Set<() => void>();
  readonly #pace = new Pace();
  #underWay = 0;

  constructor({ readsMax, waitingMax: max, waitingPerAddressMax: addressMax }: ListReadsLimits) {
    this.#readsMax = readsMax;
    this.#capacity = new Capacity({ max, addressMax }, (count, whose) => `${count} lists${whose} are being read`);
  }

  /**
   * What the read answers. `address` is the caller's, and `remainingMs` what is left of its deadline: what can't be
   * begun by then is refused at once. Throws Failure, ReadTooLongError, or the signal's reason.
   */
  async run<T>(
    read: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    address?: string,
    remainingMs?: number,
  ): Promise<T> {
    const tooShort = deadlineTooShort(this.#pace.waitMs(this.#waiting.size, this.#readsMax), remainingMs);
    if (tooShort !== undefined) throw tooShort;
    const full = this.#capacity.take(1, address);
    if (full !== undefined) throw full;
    try {
      await this.#turn(signal);
      const begunAt = performance.now();
      try {
        return await readAgain(() => read(signal));
      } finally {
        this.#pace.note(performance.now() - begunAt);
        this.#pass();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StatementTimeoutError) {
        throw new ReadTooLongError("The database did not get through the list in time", { cause: error });
      }
      throw failureOf(error);
    } finally {
      this.#capacity.free(1, address);
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#underWay < this.#readsMax) {
      this.#underWay++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting.delete(begin);
      reject(signal.reason);
    };
    const begin = () => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    this.#waiting.add(begin);
    signal.addEventListener("abort", leave, { once: true });
    await promise;
  }

  /** The next in line begins in the place of one that has ended. */
  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#underWay--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
