/**
 * Reads that arrive together become one: while some are under way, whoever comes waits and goes with the next.
 * A caller is never given what was read before it asked.
 */
import { Failure } from "./failure.ts";

/** Bounds of a reader. */
export interface CoalescedReadsLimits {
  /** Reads at a time. */
  readonly readsMax: number;
  /** Keys in one read. */
  readonly keysMax: number;
  /** Keys that may wait for a read. */
  readonly waitingMax: number;
}

interface Wanted<V> {
  readonly promise: Promise<V | undefined>;
  resolve(value: V | undefined): void;
  reject(reason: unknown): void;
}

/** Reads values by keys, many at a time. */
export class CoalescedReads<K, V> {
  readonly #read: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>;
  readonly #limits: CoalescedReadsLimits;
  #wanted = new Map<K, Wanted<V>>();
  #underWay = 0;
  #planned = false;

  /** `read` answers the values that exist. */
  constructor(read: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>, limits: CoalescedReadsLimits) {
    this.#read = read;
    this.#limits = limits;
  }

  /** The value of the key, as of now or later; undefined if there is none. Throws Failure "queue_full", or what the read throws. */
  get(key: K): Promise<V | undefined> {
    const known = this.#wanted.get(key);
    if (known !== undefined) return known.promise;
    if (this.#wanted.size >= this.#limits.waitingMax) {
      return Promise.reject(new Failure("queue_full", `${this.#limits.waitingMax} reads already wait`));
    }
    const wanted = Promise.withResolvers<V | undefined>();
    this.#wanted.set(key, wanted);
    // Not at once: those that come in the same breath go together.
    if (!this.#planned) {
      this.#planned = true;
      queueMicrotask(() => {
        this.#planned = false;
        this.#start();
      });
    }
    return wanted.promise;
  }

  #start(): void {
    while (this.#wanted.size > 0 && this.#underWay < this.#limits.readsMax) {
      const batch = new Map<K, Wanted<V>>();
      for (const [key, wanted] of this.#wanted) {
        if (batch.size === this.#limits.keysMax) break;
        batch.set(key, wanted);
        this.#wanted.delete(key);
      }
      void this.#answer(batch);
    }
  }

  async #answer(batch: ReadonlyMap<K, Wanted<V>>): Promise<void> {
    this.#underWay++;
    try {
      const values = await this.#read([...batch.keys()]);
      for (const [key, wanted] of batch) wanted.resolve(values.get(key));
    } catch (error) {
      for (const wanted of batch.values()) wanted.reject(error);
    } finally {
      this.#underWay--;
      this.#start();
    }
  }
}
