/**
 * The leases that this process has, from batch to batch while work waits for them.
 *
 * For a bounded time only: a goods that others want is released after a while, and then not asked for again before each
 * of them has asked at least once. Whether others want it is a hint that may be lost, so after a longer while it is
 * released in any case. The states of a goods and their transitions are those of lease_states.ts.
 */
import { type Lease, LeaseTakenError, type Lock } from "../../lock/lock.ts";
import { type LeaseEvent, type LeaseState, nextLeaseState } from "./lease_states.ts";
import type { Refused } from "./mode.ts";
import { RETRY_DELAY_MS_MAX } from "./retry_delay.ts";

/** A goods that others want is released after this; so often it is looked whether they do. */
export const SHARE_AFTER_MS = 50;
/** A goods is released after this, whether others were seen to want it or not. */
export const SHARE_AFTER_MS_MAX = 1000;
/**
 * How long it is left to others then: longer than anybody waits between two attempts, and an attempt on top. Of that
 * so much more than it takes here, since others ask twice: for the lease, and for who has it.
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
  /** Goods in state in_use or idle. */
  readonly #cached = new Map<number, Cached>();
  /** Goods in state released or paused, less than the longest pause ago, the oldest first. */
  readonly #past = new Map<number, Past>();
  /** What an attempt takes, as measured. */
  #attemptMs = 0;

  /** `nowMs` is the monotonic clock. */
  constructor(lock: Lock, nowMs: () => number) {
    this.#lock = lock;
    this.#nowMs = nowMs;
  }

  /** Goods whose lease is ours now. */
  get size(): number {
    return this.#cached.size;
  }

  /** Where the goods stands. */
  stateOf(goodsId: number): LeaseState {
    return this.#cached.get(goodsId)?.state ?? this.#past.get(goodsId)?.state ?? "absent";
  }

  /**
   * Makes all of the goods ours, asking for those that are not yet, all together; answers which can't be had, and then
   * none was acquired. Throws QuorumLostError.
   */
  async take(goodsIds: readonly number[]): Promise<Refused | undefined> {
    const missing: number[] = [];
    for (const goodsId of goodsIds) {
      const cached = this.#cached.get(goodsId);
      if (cached === undefined) missing.push(goodsId);
      else cached.state = nextLeaseState(cached.state, "taken", goodsId);
    }
    if (missing.length === 0) return undefined;
    const nowMs = this.#nowMs();
    const paused = missing.filter((goodsId) => this.#pauseLeftMs(goodsId, nowMs) > 0);
    if (paused.length > 0) {
      const afterMs = Math.max(...paused.map((goodsId) => this.#pauseLeftMs(goodsId, nowMs)));
      return { goodsIds: paused, afterMs, error: new LeaseTakenError("It is the turn of others") };
    }
    for (let attempt = 1;; attempt++) {
      try {
        const lease = await this.#acquire(missing);
        for (const goodsId of missing) this.#keep(goodsId, lease);
        return undefined;
      } catch (error) {
        if (!(error instanceof LeaseTakenError)) throw error;
        if (error.goodsIds.length > 0) return { goodsIds: error.goodsIds, afterMs: undefined, error };
        if (attempt === BLIND_ATTEMPTS_MAX) return { goodsIds: missing, afterMs: undefined, error };
      }
    }
  }

  /** Whether all of the goods are ours for so long, extending what has less left. Never rejects. */
  async extend(goodsIds: readonly number[], neededMs: number): Promise<boolean> {
    const short = new Set<Lease>();
    for (const goodsId of goodsIds) {
      const lease = this.#cached.get(goodsId)?.lease;
      if (lease === undefined) return false;
      if (lease.remainingMs() < neededMs) short.add(lease);
    }
    const extensions = await Promise.allSettled([...short].map((lease) => lease.extend()));
    return extensions.every(({ status }) => status === "fulfilled") && this.remainingMs(goodsIds) >= neededMs;
  }

  /** Milliseconds for which all of the goods are still ours; 0 or less: some may be somebody else's by now. */
  remainingMs(goodsIds: readonly number[]): number {
    let least = Infinity;
    for (const goodsId of goodsIds) least = Math.min(least, this.#cached.get(goodsId)?.lease.remainingMs() ?? 0);
    return least;
  }

  /** A batch on these goods is over. */
  batchOver(goodsIds: Iterable<number>): void {
    for (const goodsId of goodsIds) {
      const cached = this.#cached.get(goodsId);
      if (cached !== undefined) cached.state = nextLeaseState(cached.state, "batch_over", goodsId);
    }
  }

  /** Of these goods, releases the idle ones that nobody here wants. */
  releaseUnwanted(goodsIds: Iterable<number>, isWanted: (goodsId: number) => boolean): void {
    if (this.#cached.size === 0) return;
    const unwanted = [...goodsIds].filter((goodsId) => this.#idle(goodsId) !== undefined && !isWanted(goodsId));
    if (unwanted.length > 0) this.release(unwanted);
  }

  /** Of these goods, releases the idle ones whose turn it is to be another process's. Never rejects. */
  async releaseDue(goodsIds: Iterable<number>): Promise<void> {
    const askedMs = this.#nowMs();
    const due = [...goodsIds].filter((goodsId) => {
      const idle = this.#idle(goodsId);
      return idle !== undefined && askedMs - Math.max(idle.sinceMs, idle.lookedMs) >= SHARE_AFTER_MS;
    });
    if (due.length === 0) return;
    const wanted = new Set(await this.#lock.wantedByOthers(due));
    const nowMs = this.#nowMs();
    const turns = due.filter((goodsId) => {
      const cached = this.#cached.get(goodsId);
      if (cached !== undefined) cached.lookedMs = nowMs;
      return cached !== undefined && (wanted.has(goodsId) || nowMs - cached.sinceMs >= SHARE_AFTER_MS_MAX);
    });
    this.#leave(turns, "yielded");
  }

  /** Releases everything. */
  releaseAll(): void {
    this.release([...this.#cached.keys()]);
  }

  /** Releases those of the goods that are ours, in use or not. */
  release(goodsIds: readonly number[]): void {
    this.#leave(goodsIds, "released");
  }

  /** One attempt; how long it takes till the nodes have answered says how long others' take. */
  async #acquire(goodsIds: readonly number[]): Promise<Lease> {
    const askedMs = this.#nowMs();
    const note = () => this.#attemptMs += ATTEMPT_WEIGHT * (this.#nowMs() - askedMs - this.#attemptMs);
    try {
      const lease = await this.#lock.acquire(goodsIds);
      note();
      return lease;
    } catch (error) {
      if (error instanceof LeaseTakenError) note();
      throw error;
    }
  }

  #idle(goodsId: number): Cached | undefined {
    const cached = this.#cached.get(goodsId);
    return cached?.state === "idle" ? cached : undefined;
  }

  #keep(goodsId: number, lease: Lease): void {
    const state = nextLeaseState(this.stateOf(goodsId), "acquired", goodsId);
    const nowMs = this.#nowMs();
    const past = this.#past.get(goodsId);
    this.#past.delete(goodsId);
    const goesOn = past?.state === "released" && nowMs - past.atMs < past.pauseMs;
    this.#cached.set(goodsId, { state, lease, sinceMs: goesOn ? past.sinceMs : nowMs, lookedMs: -Infinity });
  }

  #leave(goodsIds: readonly number[], event: Extract<LeaseEvent, "released" | "yielded">): void {
    const nowMs = this.#nowMs();
    const pauseMs = Math.min(
      Math.max(PAUSE_MS_MIN, RETRY_DELAY_MS_MAX + ATTEMPTS_IN_PAUSE * this.#attemptMs),
      PAUSE_MS_MAX,
    );
    for (const [goodsId, { atMs }] of this.#past) {
      if (nowMs - atMs < PAUSE_MS_MAX) break;
      this.#past.delete(goodsId);
    }
    const byLease = new Map<Lease, number[]>();
    for (const goodsId of goodsIds) {
      const cached = this.#cached.get(goodsId);
      if (cached === undefined) continue;
      const state = nextLeaseState(cached.state, event, goodsId);
      this.#cached.delete(goodsId);
      this.#past.delete(goodsId);
      this.#past.set(goodsId, { state, atMs: nowMs, pauseMs, sinceMs: cached.sinceMs });
      const together = byLease.get(cached.lease);
      if (together === undefined) byLease.set(cached.lease, [goodsId]);
      else together.push(goodsId);
    }
    for (const [lease, together] of byLease) lease.release(together);
  }

  /** How long this process still leaves the goods to others. */
  #pauseLeftMs(goodsId: number, nowMs: number): number {
    const past = this.#past.get(goodsId);
    return past?.state === "paused" ? past.atMs + past.pauseMs - nowMs : 0;
  }
}
