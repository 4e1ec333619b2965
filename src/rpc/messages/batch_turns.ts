/**
 * Turns of large batches. What one becomes (its orders, their lines, its answer) is some twenty times its bytes, so a
 * batch waits for its turn as it came, in bytes, and becomes objects while it has its turn. Those of one address wait
 * by arrival, and have their share of the capacity; the addresses take turns.
 *
 *     waiting -> at work    what it becomes is within the capacity; one alone always has its turn
 *     (new)   -> refused    as much waits of its address as can have its turn in time
 *     waiting -> refused    it has waited for {@link TURN_WAIT_MS_MAX} all the same
 *     waiting -> left       its call has ended
 *     at work -> over       its capacity is free again
 */
import { invariant } from "../../base/invariant.ts";
import { budgetSpent } from "../errors.ts";

/**
 * Longest wait for a turn, in ms: less than a call may last, so that who had no turn hears that, and that nothing was
 * done.
 */
export const TURN_WAIT_MS_MAX = 10_000;

/** Of one address may wait so many times what it may have at work: some 1 s each on a quiet machine. */
export const WAITING_TURNS_MAX = 8;

/** One that waits for its turn. */
interface Waiter {
  readonly bytes: number;
  go(): void;
}

/** The turns of one process. */
export class BatchTurns {
  /** Who waits, by address; the first address is the next. */
  readonly #waiting = new Map<string, Set<Waiter>>();
  /** Of those that are at work, as objects, by address. */
  readonly #atWork = new Map<string, number>();
  readonly #addressMax: number;
  #bytes = 0;

  /**
   * @param bytesMax of all that are at work, as objects
   * @param addressBytesMax of those of one address
   */
  constructor(readonly bytesMax: number, addressBytesMax: number, private readonly waitMsMax: number) {
    this.#addressMax = Math.min(addressBytesMax, bytesMax);
  }

  /** Of those that are at work, as objects. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves at the turn of a batch that becomes so many bytes; with what ends the turn, to be called once.
   *
   * Rejects with RESOURCE_EXHAUSTED at once where too much waits, or when it has waited too long, and with the signal's
   * reason as soon as that aborts.
   */
  take(becomes: number, address: string, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const bytes = Math.min(becomes, this.#addressMax);
    const own = this.#waiting.get(address) ?? new Set();
    const waiting = own.values().reduce((sum, { bytes }) => sum + bytes, 0);
    if (waiting + bytes > WAITING_TURNS_MAX * this.#addressMax) return Promise.reject(budgetSpent());
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiter: Waiter = {
      bytes,
      go: () => {
        stop();
        resolve(() => this.#end(bytes, address));
      },
    };
    const stop = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    };
    const leaveFor = (reason: unknown) => {
      stop();
      this.#remove(address, waiter);
      reject(reason);
      // Whoever stood behind it may need less.
      this.#go();
    };
    const leave = () => leaveFor(signal.reason);
    const timer = setTimeout(() => leaveFor(budgetSpent()), this.waitMsMax);
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.set(address, own.add(waiter));
    this.#go();
    return promise;
  }

  /**
   * Nobody overtakes who is next: a batch that needs much would wait for as long as smaller ones come. But who waits
   * for others of its own address blocks nobody else.
   */
  #go(): void {
    for (const [address, own] of this.#waiting) {
      const [next] = own;
      if (next === undefined) continue;
      const atWork = this.#atWork.get(address) ?? 0;
      if (atWork + next.bytes > this.#addressMax) continue;
      if (this.#bytes + next.bytes > this.bytesMax) return;
      this.#bytes += next.bytes;
      this.#atWork.set(address, atWork + next.bytes);
      // To the end of the addresses, where it has others that wait; a map goes on to them in this same loop.
      this.#waiting.delete(address);
      own.delete(next);
      if (own.size > 0) this.#waiting.set(address, own);
      next.go();
    }
  }

  #end(bytes: number, address: string): void {
    const atWork = this.#atWork.get(address);
    invariant(atWork !== undefined && atWork >= bytes, "a turn of an address that has none at work ended");
    this.#bytes -= bytes;
    const left = atWork - bytes;
    if (left > 0) this.#atWork.set(address, left);
    else this.#atWork.delete(address);
    this.#go();
  }

  #remove(address: string, waiter: Waiter): void {
    const own = this.#waiting.get(address);
    own?.delete(waiter);
    if (own?.size === 0) this.#waiting.delete(address);
  }
}
