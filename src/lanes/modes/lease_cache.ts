/**
 * The leases that this process has, from batch to batch while work waits for them.
 *
 * For a bounded time only: a goods that others want is released after a while, and then not asked for again before each
 * of them has asked at least once. Whether others want it is a hint that may be lost, so after a longer while it is
 * released in any case. The states of a goods and their transitions are those of lease_states.ts.
 */
import type { StockKey } from "../../inventory/stock_key.ts";
import type { StockObserver } from "../../telemetry/observer.ts";
import { type Lease, LeaseTakenError, type Lock } from "../../lock/lock.ts";
import { type LeaseEvent, type LeaseState, nextLeaseState } from "./lease_states.ts";
import type { Refused } from "./mode.ts";
import { RETRY_DELAY_MS_MAX } from "./retry_delay.ts";

/** A goods that others want is released after this; so often it is looked whether they do. */
export const SHARE_AFTER_MS = 50;
/** A goods is released after this, whether others were seen to want it or not. */
export const SHARE_AFTER_MS_MAX = 1000;
/**
 * How long it is left to others then: longer than anybody waits between two attempts, or looks, and an attempt on top.
 * Of that so much more than it takes here, since others ask twice: for the lease, and for who has it.
 */
const ATTEMPTS_IN_PAUSE = 2;
/** Bounds of the pause: nodes may be near, or in another town, or not answer at all. */
export const PAUSE_MS_MIN = RETRY_DELAY_MS_MAX + 5;
export const PAUSE_MS_MAX = RETRY_DELAY_MS_MAX + 100;
/** Weight of the newest attempt in what one takes: a stall of this process must not pass for slow nodes. */
const ATTEMPT_WEIGHT = 1 / 8;
/** How often goods of several entries are asked for at once when nobody knows which of them others have. */
const BLIND_ATTEMPTS_MAX = 3;

/** A lease that is ours, of one goods. */
interface Cached {
  state: LeaseState;
  readonly lease: Lease;
  /** Since when it is ours; a break that was shorter than a pause is no break. */
  readonly sinceMs: number;
  /** When it was last looked whether others want it. */
  lookedMs: number;
}

/** A goods whose lease was ours a moment ago. */
interface Past {
  readonly state: LeaseState;
  readonly atMs: number;
  readonly pauseMs: number;
  readonly sinceMs: number;
}

/** The leases of a process in mode `redlock`. One batch at a time may use a goods; whoever asks sees to that. */
export class LeaseCache {
  readonly #lock: Lock;
  readonly #nowMs: () => number;
  readonly #observer: StockObserver | undefined;
  /** Goods in state in_use or idle. */
  readonly #cached = new Map<StockKey, Cached>();
  /** Goods in state released or paused, less than the longest pause ago, the oldest first. */
  readonly #past = new Map<StockKey, Past>();
  /** What an attempt takes, as measured. */
  #attemptMs = 0;

  /** `nowMs` is the monotonic clock. */
  constructor(lock: Lock, nowMs: () => number, observer?: StockObserver | undefined) {
    this.#lock = lock;
    this.#nowMs = nowMs;
    this.#observer = observer;
  }

  /** Goods whose lease is ours now. */
  get size(): number {
    return this.#cached.size;
  }

  /** Where the goods stands. */
  stateOf(stockKey: StockKey): LeaseState {
    return this.#cached.get(stockKey)?.state ?? this.#past.get(stockKey)?.state ?? "absent";
  }

  /**
   * Makes all of the goods ours, asking for those that are not yet, all together; answers which can't be had, and then
   * none was acquired. Throws QuorumLostError.
   */
  async take(stockKeys: readonly StockKey[]): Promise<Refused | undefined> {
    const missing: StockKey[] = [];
    for (const stockKey of stockKeys) {
      const cached = this.#cached.get(stockKey);
      if (cached === undefined) missing.push(stockKey);
      else cached.state = nextLeaseState(cached.state, "taken", stockKey);
    }
    if (missing.length === 0) return undefined;
    const nowMs = this.#nowMs();
    const paused = missing.filter((stockKey) => this.#pauseLeftMs(stockKey, nowMs) > 0);
    if (paused.length > 0) {
      const afterMs = Math.max(...paused.map((stockKey) => this.#pauseLeftMs(stockKey, nowMs)));
      return { stockKeys: paused, afterMs, error: new LeaseTakenError("It is the turn of others") };
    }
    for (let attempt = 1;; attempt++) {
      try {
        const lease = await this.#acquire(missing);
        for (const stockKey of missing) this.#keep(stockKey, lease);
        return undefined;
      } catch (error) {
        if (!(error instanceof LeaseTakenError)) throw error;
        if (error.stockKeys.length > 0) return { stockKeys: error.stockKeys, afterMs: undefined, error };
        if (attempt === BLIND_ATTEMPTS_MAX) return { stockKeys: missing, afterMs: undefined, error };
      }
    }
  }

  /** Whether all of the goods are ours for so long, extending what has less left. Never rejects. */
  async extend(stockKeys: readonly StockKey[], neededMs: number): Promise<boolean> {
    const short = new Set<Lease>();
    for (const stockKey of stockKeys) {
      const lease = this.#cached.get(stockKey)?.lease;
      if (lease === undefined) return false;
      if (lease.remainingMs() < neededMs) short.add(lease);
    }
    const extensions = await Promise.allSettled([...short].map((lease) => this.#extend(lease, stockKeys.length)));
    return extensions.every(({ status }) => status === "fulfilled") && this.remainingMs(stockKeys) >= neededMs;
  }

  /** Milliseconds for which all of the goods are still ours; 0 or less: some may be somebody else's by now. */
  remainingMs(stockKeys: readonly StockKey[]): number {
    let least = Infinity;
    for (const stockKey of stockKeys) least = Math.min(least, this.#cached.get(stockKey)?.lease.remainingMs() ?? 0);
    return least;
  }

  /** A batch on these goods is over. */
  batchOver(stockKeys: Iterable<StockKey>): void {
    for (const stockKey of stockKeys) {
      const cached = this.#cached.get(stockKey);
      if (cached !== undefined) cached.state = nextLeaseState(cached.state, "batch_over", stockKey);
    }
  }

  /** Of these goods, releases the idle ones that nobody here wants. */
  releaseUnwanted(stockKeys: Iterable<StockKey>, isWanted: (stockKey: StockKey) => boolean): void {
    if (this.#cached.size === 0) return;
    const unwanted = [...stockKeys].filter((stockKey) => this.#idle(stockKey) !== undefined && !isWanted(stockKey));
    if (unwanted.length > 0) this.release(unwanted);
  }

  /**
   * Of these goods, releases the idle ones whose turn it is to be another process's; answers those that others were
   * seen to want. Never rejects.
   */
  async releaseDue(stockKeys: Iterable<StockKey>): Promise<readonly StockKey[]> {
    const askedMs = this.#nowMs();
    const due = [...stockKeys].filter((stockKey) => {
      const idle = this.#idle(stockKey);
      return idle !== undefined && askedMs - Math.max(idle.sinceMs, idle.lookedMs) >= SHARE_AFTER_MS;
    });
    if (due.length === 0) return due;
    const wanted = new Set(await this.#lock.wantedByOthers(due));
    const nowMs = this.#nowMs();
    const turns = due.filter((stockKey) => {
      const cached = this.#cached.get(stockKey);
      if (cached !== undefined) cached.lookedMs = nowMs;
      return cached !== undefined && (wanted.has(stockKey) || nowMs - cached.sinceMs >= SHARE_AFTER_MS_MAX);
    });
    this.#leave(turns, "yielded");
    return due.filter((stockKey) => wanted.has(stockKey));
  }

  /**
   * Of these goods, releases the idle ones that have been ours for the longest, and begins their time anew: for those
   * that nobody here waits for, so that others find them free as often as they would if none were cached.
   */
  releaseOld(stockKeys: Iterable<StockKey>): StockKey[] {
    const nowMs = this.#nowMs();
    const old = [...stockKeys].filter((stockKey) => {
      const idle = this.#idle(stockKey);
      return idle !== undefined && nowMs - idle.sinceMs >= SHARE_AFTER_MS_MAX;
    });
    this.release(old);
    for (const stockKey of old) this.#past.delete(stockKey);
    return old;
  }

  /** Releases everything. */
  releaseAll(): void {
    this.release([...this.#cached.keys()]);
  }

  /** Releases those of the goods that are ours, in use or not. */
  release(stockKeys: readonly StockKey[]): void {
    this.#leave(stockKeys, "released");
  }

  async #extend(lease: Lease, goods: number): Promise<void> {
    const ended = this.#observer?.lease("extend", goods);
    try {
      await lease.extend();
      ended?.();
    } catch (error) {
      ended?.(error);
      throw error;
    }
  }

  /** One attempt; how long it takes till the nodes have answered says how long others' take. */
  async #acquire(stockKeys: readonly StockKey[]): Promise<Lease> {
    const ended = this.#observer?.lease("acquire", stockKeys.length);
    const askedMs = this.#nowMs();
    const note = () => this.#attemptMs += ATTEMPT_WEIGHT * (this.#nowMs() - askedMs - this.#attemptMs);
    try {
      const lease = await this.#lock.acquire(stockKeys);
      note();
      ended?.();
      return lease;
    } catch (error) {
      ended?.(error);
      if (error instanceof LeaseTakenError) note();
      throw error;
    }
  }

  #idle(stockKey: StockKey): Cached | undefined {
    const cached = this.#cached.get(stockKey);
    return cached?.state === "idle" ? cached : undefined;
  }

  #keep(stockKey: StockKey, lease: Lease): void {
    const state = nextLeaseState(this.stateOf(stockKey), "acquired", stockKey);
    const nowMs = this.#nowMs();
    const past = this.#past.get(stockKey);
    this.#past.delete(stockKey);
    const goesOn = past?.state === "released" && nowMs - past.atMs < past.pauseMs;
    this.#cached.set(stockKey, { state, lease, sinceMs: goesOn ? past.sinceMs : nowMs, lookedMs: -Infinity });
  }

  #leave(stockKeys: readonly StockKey[], event: Extract<LeaseEvent, "released" | "yielded">): void {
    const nowMs = this.#nowMs();
    const pauseMs = Math.min(
      Math.max(PAUSE_MS_MIN, RETRY_DELAY_MS_MAX + ATTEMPTS_IN_PAUSE * this.#attemptMs),
      PAUSE_MS_MAX,
    );
    for (const [stockKey, { atMs }] of this.#past) {
      if (nowMs - atMs < PAUSE_MS_MAX) break;
      this.#past.delete(stockKey);
    }
    const byLease = new Map<Lease, StockKey[]>();
    for (const stockKey of stockKeys) {
      const cached = this.#cached.get(stockKey);
      if (cached === undefined) continue;
      const state = nextLeaseState(cached.state, event, stockKey);
      this.#cached.delete(stockKey);
      this.#past.delete(stockKey);
      this.#past.set(stockKey, { state, atMs: nowMs, pauseMs, sinceMs: cached.sinceMs });
      const together = byLease.get(cached.lease);
      if (together === undefined) byLease.set(cached.lease, [stockKey]);
      else together.push(stockKey);
    }
    for (const [lease, together] of byLease) {
      const ended = this.#observer?.lease("release", together.length);
      const released = lease.release(together);
      if (ended !== undefined) void released.then(() => ended());
    }
  }

  /** How long this process still leaves the goods to others. */
  #pauseLeftMs(stockKey: StockKey, nowMs: number): number {
    const past = this.#past.get(stockKey);
    return past?.state === "paused" ? past.atMs + past.pauseMs - nowMs : 0;
  }
}
