/**
 * Reads that arrive together become one: while some are under way, whoever comes waits and goes with the next.
 * A caller is never given what was read before it asked.
 */
import { Capacity } from "./admission.ts";
import { failureOf } from "./failure.ts";

/** Bounds of a reader. */
export interface CoalescedReadsLimits {
  /** Reads at a time. */
  readonly readsMax: number;
  /** Keys in one read, unless one caller alone wants more. */
  readonly keysMax: number;
  /** Keys that callers may wait for, those of reads under way included; each caller's are counted. */
  readonly waitingMax: number;
  /** Of these, those of one address; one caller may have more where its address has no other. Absent: all. */
  readonly waitingPerAddressMax?: number | undefined;
}

interface Caller<K, V> {
  readonly keys: readonly K[];
  readonly address: string | undefined;
  resolve(values: ReadonlyMap<K, V>): void;
  reject(reason: unknown): void;
}

/** Reads values by keys, many at a time. */
export class CoalescedReads<K, V> {
  readonly #read: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>;
  readonly #limits: CoalescedReadsLimits;
  /** By arrival. */
  #callers: Caller<K, V>[] = [];
  readonly #waiting: Capacity;
  #underWay = 0;
  #planned = false;

  /** `read` answers the values that exist. */
  constructor(read: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>, limits: CoalescedReadsLimits) {
    this.#read = read;
    this.#limits = limits;
    const { waitingMax: max, waitingPerAddressMax: addressMax = max } = limits;
    this.#waiting = new Capacity({ max, addressMax }, (count, whose) => `${count} reads${whose} already wait`);
  }

  /**
   * The values of the keys, as of now or later, and maybe some that others asked for; what does not exist is missing.
   * Throws Failure "queue_full", or what the read throws. Without an `address` the question is the process's own.
   */
  get(keys: readonly K[], address?: string): Promise<ReadonlyMap<K, V>> {
    const full = this.#waiting.take(keys.length, address);
    if (full !== undefined) return Promise.reject(full);
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<K, V>>();
    this.#callers.push({ keys, address, resolve, reject });
    // Not at once: those that come in the same turn go together.
    if (!this.#planned) {
      this.#planned = true;
      queueMicrotask(() => {
        this.#planned = false;
        this.#start();
      });
    }
    return promise;
  }

  #start(): void {
    while (this.#callers.length > 0 && this.#underWay < this.#limits.readsMax) {
      const batch: Caller<K, V>[] = [];
      const keys = new Set<K>();
      for (const caller of this.#callers) {
        if (batch.length > 0 && keys.size + caller.keys.length > this.#limits.keysMax) break;
        for (const key of caller.keys) keys.add(key);
        batch.push(caller);
      }
      this.#callers = this.#callers.slice(batch.length);
      void this.#answer(batch, [...keys]);
    }
  }

  async #answer(batch: readonly Caller<K, V>[], keys: readonly K[]): Promise<void> {
    this.#underWay++;
    try {
      const values = await this.#read(keys);
      for (const caller of batch) caller.resolve(values);
    } catch (error) {
      for (const caller of batch) caller.reject(error);
    } finally {
      for (const { keys, address } of batch) this.#waiting.free(keys.length, address);
      this.#underWay--;
      this.#start();
    }
  }
}

/** What was read, for a caller who is still there. Throws Failure, or the signal's reason. */
export async function readFor<T>(reading: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    const values = await reading;
    signal.throwIfAborted();
    return values;
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error);
  }
}
