/**
 * The leases that this process has, kept from batch to batch while work waits for them.
 *
 * Kept for a bounded time only: a goods that others want is let go after a while, and then not asked for again before
 * each of them has asked at least once. Whether others want it is a hint that may be lost, so after a longer while it is
 * let go in any case.
 */
import { type Lease, LeaseTakenError, type Lock } from "../../lock/lock.ts";
import { RETRY_DELAY_MS_MAX } from "./retry_delay.ts";
import type { Leases, Refused } from "./leases.ts";

/** A goods that others want is let go after this; so often it is looked whether they do. */
export const HOLD_MS = 50;
/** A goods is let go after this, whether others were seen to want it or not. */
export const HOLD_MS_MAX = 1000;
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
/** How often goods of several orders are asked for at once when it can't be told which of them are held. */
const BLIND_ATTEMPTS_MAX = 3;

interface Hold {
  readonly lease: Lease;
  /** Since when it is ours; a break that was shorter than a pause is no break. */
  readonly sinceMs: number;
  /** When it was last looked whether others want it. */
  lookedMs: number;
}

interface LetGo {
  readonly atMs: number;
  readonly pauseMs: number;
  readonly sinceMs: number;
  /** It was left to others, who get a pause. */
  readonly isTurn: boolean;
}

/** The leases of a process in the way with Redis. */
export class LeaseCache implements Leases {
  readonly #lock: Lock;
  readonly #nowMs: () => number;
  readonly #holds = new Map<number, Hold>();
  /** Those of them that no batch has. */
  readonly #idle = new Set<number>();
  /** Goods that were let go less than the longest pause ago, the oldest first. */
  readonly #letGo = new Map<number, LetGo>();
  /** What an attempt takes, as measured. */
  #attemptMs = 0;

  /** `nowMs` is the monotonic clock. */
  constructor(lock: Lock, nowMs: () => number) {
    this.#lock = lock;
    this.#nowMs = nowMs;
  }

  /** Goods held now. */
  get held(): number {
    return this.#holds.size;
  }

  async take(goodsIds: readonly number[]): Promise<Refused | undefined> {
    for (const goodsId of goodsIds) this.#idle.delete(goodsId);
    const missing = goodsIds.filter((goodsId) => !this.#holds.has(goodsId));
    if (missing.length === 0) return undefined;
    const nowMs = this.#nowMs();
    const pausing = missing.filter((goodsId) => this.#pauseMs(goodsId, nowMs) > 0);
    if (pausing.length > 0) {
      const afterMs = Math.max(...pausing.map((goodsId) => this.#pauseMs(goodsId, nowMs)));
      return { goodsIds: pausing, afterMs, error: new LeaseTakenError("It is the turn of others") };
    }
    for (let attempt = 1;; attempt++) {
      try {
        const lease = await this.#acquire(missing);
        for (const goodsId of missing) this.#hold(goodsId, lease);
        return undefined;
      } catch (error) {
        if (!(error instanceof LeaseTakenError)) throw error;
        if (error.goodsIds.length > 0) return { goodsIds: error.goodsIds, afterMs: undefined, error };
        if (attempt === BLIND_ATTEMPTS_MAX) return { goodsIds: missing, afterMs: undefined, error };
      }
    }
  }

  /** One attempt; how long it takes till the nodes have answered tells how long others' take. */
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

  /** How long goods are left to others now. */
  get #pauseMsNow(): number {
    return Math.min(Math.max(PAUSE_MS_MIN, RETRY_DELAY_MS_MAX + ATTEMPTS_IN_PAUSE * this.#attemptMs), PAUSE_MS_MAX);
  }

  async keep(goodsIds: readonly number[], neededMs: number): Promise<boolean> {
    const short = new Set<Lease>();
    for (const goodsId of goodsIds) {
      const lease = this.#holds.get(goodsId)?.lease;
      if (lease === undefined) return false;
      if (lease.remainingMs() < neededMs) short.add(lease);
    }
    const extensions = await Promise.allSettled([...short].map((lease) => lease.extend()));
    return extensions.every(({ status }) => status === "fulfilled") && this.remainingMs(goodsIds) >= neededMs;
  }

  remainingMs(goodsIds: readonly number[]): number {
    let least = Infinity;
    for (const goodsId of goodsIds) least = Math.min(least, this.#holds.get(goodsId)?.lease.remainingMs() ?? 0);
    return least;
  }

  afterBatch(goodsIds: Iterable<number>): void {
    for (const goodsId of goodsIds) {
      if (this.#holds.has(goodsId)) this.#idle.add(goodsId);
    }
  }

  releaseIdle(goodsIds: Iterable<number>, isWanted: (goodsId: number) => boolean): void {
    if (this.#idle.size === 0) return;
    const unwanted = [...goodsIds].filter((goodsId) => this.#idle.has(goodsId) && !isWanted(goodsId));
    if (unwanted.length > 0) this.release(unwanted);
  }

  async releaseDue(goodsIds: Iterable<number>): Promise<void> {
    const askedMs = this.#nowMs();
    const due = [...goodsIds].filter((goodsId) => {
      const hold = this.#idle.has(goodsId) ? this.#holds.get(goodsId) : undefined;
      return hold !== undefined && askedMs - Math.max(hold.sinceMs, hold.lookedMs) >= HOLD_MS;
    });
    if (due.length === 0) return;
    const wanted = new Set(await this.#lock.wantedByOthers(due));
    const nowMs = this.#nowMs();
    const turns = due.filter((goodsId) => {
      const hold = this.#holds.get(goodsId);
      if (hold !== undefined) hold.lookedMs = nowMs;
      return hold !== undefined && (wanted.has(goodsId) || nowMs - hold.sinceMs >= HOLD_MS_MAX);
    });
    this.#release(turns, true);
  }

  releaseAll(): void {
    this.release([...this.#holds.keys()]);
  }

  release(goodsIds: readonly number[]): void {
    this.#release(goodsIds, false);
  }

  #release(goodsIds: readonly number[], isTurn: boolean): void {
    const nowMs = this.#nowMs();
    const pauseMs = this.#pauseMsNow;
    for (const [goodsId, { atMs }] of this.#letGo) {
      if (nowMs - atMs < PAUSE_MS_MAX) break;
      this.#letGo.delete(goodsId);
    }
    const byLease = new Map<Lease, number[]>();
    for (const goodsId of goodsIds) {
      const hold = this.#holds.get(goodsId);
      if (hold === undefined) continue;
      this.#holds.delete(goodsId);
      this.#idle.delete(goodsId);
      this.#letGo.delete(goodsId);
      this.#letGo.set(goodsId, { atMs: nowMs, pauseMs, sinceMs: hold.sinceMs, isTurn });
      const together = byLease.get(hold.lease);
      if (together === undefined) byLease.set(hold.lease, [goodsId]);
      else together.push(goodsId);
    }
    for (const [lease, together] of byLease) lease.release(together);
  }

  /** How long this process still leaves the goods to others. */
  #pauseMs(goodsId: number, nowMs: number): number {
    const before = this.#letGo.get(goodsId);
    return before?.isTurn === true ? before.atMs + before.pauseMs - nowMs : 0;
  }

  #hold(goodsId: number, lease: Lease): void {
    const nowMs = this.#nowMs();
    const before = this.#letGo.get(goodsId);
    this.#letGo.delete(goodsId);
    const goesOn = before !== undefined && !before.isTurn && nowMs - before.atMs < before.pauseMs;
    this.#holds.set(goodsId, { lease, sinceMs: goesOn ? before.sinceMs : nowMs, lookedMs: -Infinity });
  }
}
