/**
 * Turns of large batches. What one becomes (its orders, their lines, its answer) is some twenty times its bytes, so a batch
 * waits for its turn as it came, in bytes, and becomes objects while it has its turn. Those of one address wait in the order
 * in which they came; the addresses take turns.
 *
 *     waiting -> at work    there is room for what it becomes; one alone always has its turn
 *     waiting -> refused    it has waited for {@link TURN_WAIT_MS_MAX}
 *     waiting -> left       its call has ended
 *     at work -> over       it gives back its room
 */
import { budgetSpent } from "./errors.ts";

/** Longest wait for a turn, in ms: less than a call may last, so that who had no turn hears that, and that nothing was done. */
export const TURN_WAIT_MS_MAX = 10_000;

/** One that waits for its turn. */
interface Waiter {
  readonly bytes: number;
  go(): void;
}

/** The turns of one process. */
export class BatchTurns {
  /** Who waits, by address; the first address is the next. */
  readonly #waiting = new Map<string, Set<Waiter>>();
  #bytes = 0;

  /** @param bytesMax of all that are at work, as objects */
  constructor(readonly bytesMax: number, private readonly waitMsMax: number) {}

  /** Of those that are at work, as objects. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves at the turn of a batch that becomes so many bytes; with what ends the turn, to be called once.
   *
   * Rejects with RESOURCE_EXHAUSTED when it has waited too long, and with the signal's reason as soon as that aborts.
   */
  take(becomes: number, address: string, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const bytes = Math.min(becomes, this.bytesMax);
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiter: Waiter = {
      bytes,
      go: () => {
        stop();
        resolve(() => this.#end(bytes));
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
      // Whoever stood behind it may need less room.
      this.#go();
    };
    const leave = () => leaveFor(signal.reason);
    const timer = setTimeout(() => leaveFor(budgetSpent()), this.waitMsMax);
    signal.addEventListener("abort", leave, { once: true });
    const own = this.#waiting.get(address) ?? new Set();
    this.#waiting.set(address, own.add(waiter));
    this.#go();
    return promise;
  }

  /** Nobody overtakes who is next: a batch that needs all of the room would wait for as long as smaller ones come. */
  #go(): void {
    for (const [address, own] of this.#waiting) {
      const [next] = own;
      if (next === undefined || this.#bytes + next.bytes > this.bytesMax) return;
      this.#bytes += next.bytes;
      // To the end of the addresses, where it has others that wait; a map goes on to them in this same loop.
      this.#waiting.delete(address);
      own.delete(next);
      if (own.size > 0) this.#waiting.set(address, own);
      next.go();
    }
  }

  #end(bytes: number): void {
    this.#bytes -= bytes;
    this.#go();
  }

  #remove(address: string, waiter: Waiter): void {
    const own = this.#waiting.get(address);
    own?.delete(waiter);
    if (own?.size === 0) this.#waiting.delete(address);
  }
}
