/**
 * The leases that this process has, kept from batch to batch while work waits for them.
 *
 * Kept for a bounded time only: a goods that was held for that long is let go, and not asked for again before
 * everybody else who wants it has asked at least once. Whether somebody else had it meanwhile shows in its version.
 * While nobody turns up the bound doubles, so that a process that is alone with a hot goods hardly ever pauses.
 */
import { type Lease, type Lock, LockHeldError } from "../lock/lock.ts";
import { RETRY_DELAY_MS_MAX } from "../lock/retry_delay.ts";

/** Bounds of the time for which a goods is held without a pause. */
export const HOLD_MS_FIRST = 50;
export const HOLD_MS_MAX = 400;
/** Longer than anybody waits between two attempts, and the time of one attempt on top. */
export const PAUSE_MS = RETRY_DELAY_MS_MAX + 5;
/** For how long a goods that was let go is remembered. */
const MEMORY_MS = 2 * PAUSE_MS;
/** How often goods of several orders are asked for at once when it can't be told which of them are held. */
const BLIND_ATTEMPTS_MAX = 3;

interface Hold {
  readonly lease: Lease;
  /** Since when it is ours, short breaks in which nobody else had it included. */
  sinceMs: number;
  holdMsMax: number;
  /** The goods' version as we left it last. */
  version: number | undefined;
  /** Taken again after a break; the next version that is found tells whether somebody else had it. */
  resumed: boolean;
}

interface LetGo {
  readonly atMs: number;
  readonly hold: Hold;
}

/** Goods that can't be had now. `afterMs`: when this process may ask again; undefined: somebody else has them. */
export interface Refused {
  readonly goodsIds: readonly number[];
  readonly afterMs: number | undefined;
  readonly error: Error;
}

/** Leases by goods. One batch at a time may use a goods; whoever asks sees to that. */
export class KeptLeases {
  readonly #lock: Lock;
  readonly #nowMs: () => number;
  readonly #holds = new Map<number, Hold>();
  /** Those of them that no batch has. */
  readonly #idle = new Set<number>();
  /** Goods that were let go not long ago, the oldest first. */
  readonly #letGo = new Map<number, LetGo>();

  /** `nowMs` is the monotonic clock. */
  constructor(lock: Lock, nowMs: () => number) {
    this.#lock = lock;
    this.#nowMs = nowMs;
  }

  /** Goods held now. */
  get held(): number {
    return this.#holds.size;
  }

  /**
   * Makes all of the goods ours, in one attempt on those that are not yet; answers which can't be had, and then none
   * was taken. Throws QuorumLostError.
   */
  async take(goodsIds: readonly number[]): Promise<Refused | undefined> {
    const missing = goodsIds.filter((goodsId) => !this.#holds.has(goodsId));
    for (const goodsId of goodsIds) this.#idle.delete(goodsId);
    if (missing.length === 0) return undefined;
    const nowMs = this.#nowMs();
    const pausing = missing.filter((goodsId) => this.#pauseMs(goodsId, nowMs) > 0);
    if (pausing.length > 0) {
      const afterMs = Math.max(...pausing.map((goodsId) => this.#pauseMs(goodsId, nowMs)));
      return { goodsIds: pausing, afterMs, error: new LockHeldError("It is the turn of others") };
    }
    for (let attempt = 1;; attempt++) {
      try {
        const lease = await this.#lock.acquire(missing);
        for (const goodsId of missing) this.#hold(goodsId, lease);
        return undefined;
      } catch (error) {
        if (!(error instanceof LockHeldError)) throw error;
        if (error.goodsIds.length > 0) return { goodsIds: error.goodsIds, afterMs: undefined, error };
        if (attempt === BLIND_ATTEMPTS_MAX) return { goodsIds: missing, afterMs: undefined, error };
      }
    }
  }

  /** Milliseconds for which all of the goods are still ours; 0 or less: some may be somebody else's by now. */
  remainingMs(goodsIds: readonly number[]): number {
    let least = Infinity;
    for (const goodsId of goodsIds) least = Math.min(least, this.#holds.get(goodsId)?.lease.remainingMs() ?? 0);
    return least;
  }

  /** Tells at which version a goods was found. */
  found(goodsId: number, version: number): void {
    const hold = this.#holds.get(goodsId);
    if (hold === undefined || !hold.resumed) return;
    hold.resumed = false;
    if (hold.version !== version) {
      hold.sinceMs = this.#nowMs();
      hold.holdMsMax = HOLD_MS_FIRST;
    }
  }

  /** Tells at which version we left a goods. */
  left(goodsId: number, version: number): void {
    const hold = this.#holds.get(goodsId);
    if (hold !== undefined) hold.version = version;
  }

  /** A batch on these goods is over. Those that are ours stay so until `letGoIdle`. */
  afterBatch(goodsIds: Iterable<number>): void {
    for (const goodsId of goodsIds) {
      if (this.#holds.has(goodsId)) this.#idle.add(goodsId);
    }
  }

  /** Lets go of what no batch has and nobody here wants, or what was held for long enough. */
  letGoIdle(isWanted: (goodsId: number) => boolean): void {
    if (this.#idle.size === 0) return;
    const nowMs = this.#nowMs();
    this.letGo([...this.#idle].filter((goodsId) => {
      const hold = this.#holds.get(goodsId) as Hold;
      return !isWanted(goodsId) || nowMs - hold.sinceMs >= hold.holdMsMax;
    }));
  }

  /** Lets go of everything. */
  letGoAll(): void {
    this.letGo([...this.#holds.keys()]);
  }

  /** Lets go of those of the goods that are ours. */
  letGo(goodsIds: readonly number[]): void {
    const nowMs = this.#nowMs();
    for (const [goodsId, { atMs }] of this.#letGo) {
      if (nowMs - atMs < MEMORY_MS) break;
      this.#letGo.delete(goodsId);
    }
    const byLease = new Map<Lease, number[]>();
    for (const goodsId of goodsIds) {
      const hold = this.#holds.get(goodsId);
      if (hold === undefined) continue;
      this.#holds.delete(goodsId);
      this.#idle.delete(goodsId);
      this.#letGo.delete(goodsId);
      this.#letGo.set(goodsId, { atMs: nowMs, hold });
      const together = byLease.get(hold.lease);
      if (together === undefined) byLease.set(hold.lease, [goodsId]);
      else together.push(goodsId);
    }
    for (const [lease, together] of byLease) lease.release(together);
  }

  /** How long this process still leaves the goods to others. */
  #pauseMs(goodsId: number, nowMs: number): number {
    const before = this.#letGo.get(goodsId);
    if (before === undefined || before.atMs - before.hold.sinceMs < before.hold.holdMsMax) return 0;
    return before.atMs + PAUSE_MS - nowMs;
  }

  #hold(goodsId: number, lease: Lease): void {
    const nowMs = this.#nowMs();
    const before = this.#letGo.get(goodsId);
    this.#letGo.delete(goodsId);
    const paused = before !== undefined && before.atMs - before.hold.sinceMs >= before.hold.holdMsMax;
    if (before === undefined || nowMs - before.atMs >= (paused ? MEMORY_MS : PAUSE_MS)) {
      const hold = { lease, sinceMs: nowMs, holdMsMax: HOLD_MS_FIRST, version: undefined, resumed: false };
      this.#holds.set(goodsId, hold);
      return;
    }
    const { hold } = before;
    this.#holds.set(goodsId, {
      lease,
      // A break of no more than a pause: others had little chance, unless the version tells that one of them took it.
      sinceMs: paused ? nowMs : hold.sinceMs,
      holdMsMax: paused ? Math.min(hold.holdMsMax * 2, HOLD_MS_MAX) : hold.holdMsMax,
      version: hold.version,
      resumed: true,
    });
  }
}
