/**
 * What a batch goes under, by the way of concurrency: leases, row locks, or nothing but the fence of its write.
 */
import { QuorumLostError } from "../../lock/lock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Guard } from "../run_batch.ts";
import { LeaseCache } from "./lease_cache.ts";
import { type Leases, NO_LEASES, type Refused } from "./leases.ts";
import { type FallbackView, QuorumFallback } from "./quorum_fallback.ts";
import { RowLockDetours } from "./row_lock_detours.ts";
import type { Mode } from "./mode.ts";

/** Goes under row locks alone, beside whoever has leases on the goods: the fence of the writes keeps all of them right. */
const ROW_LOCKS: Guard = { rowLocks: true, keep: NO_LEASES.keep, remainingMs: NO_LEASES.remainingMs };

/** Makes the guards of one process's batches. */
export class Guards {
  /** Of this process; none in the ways without Redis. */
  readonly leases: Leases;
  /** Batches that go by row locks beside their way. */
  readonly detours: RowLockDetours;
  readonly #mode: Mode;
  /** Only where the loss of the quorum is to stop nobody. */
  readonly #fallback: QuorumFallback | undefined;

  constructor(mode: Mode, log: Log) {
    const monotonicMs = () => performance.now();
    this.#mode = mode;
    this.detours = new RowLockDetours(log, monotonicMs);
    this.leases = mode.concurrency === "redlock" ? new LeaseCache(mode.lock, monotonicMs) : NO_LEASES;
    this.#fallback = mode.concurrency === "redlock" && mode.quorumLoss === "row"
      ? new QuorumFallback({ monotonicMs, timeMs: Date.now }, log)
      : undefined;
  }

  /** Whether batches go by row locks for want of a quorum. */
  get fallback(): FallbackView {
    return this.#fallback?.view ?? { sinceMs: undefined, batches: 0 };
  }

  /** Makes the goods ours, or answers which can't be had now. */
  async take(goodsIds: readonly number[]): Promise<Refused | Guard> {
    if (this.#mode.concurrency === "row") return ROW_LOCKS;
    const fallback = this.#fallback;
    try {
      if (fallback?.isOn !== true) return await this.#takeLeases(goodsIds);
    } catch (error) {
      if (!(error instanceof QuorumLostError)) throw error;
      if (fallback === undefined) return { goodsIds, afterMs: undefined, error };
      fallback.lost(error);
    }
    fallback.count();
    return ROW_LOCKS;
  }

  /** For a batch that goes although others have some of its goods. */
  insist(): Guard {
    this.detours.note("severalGoods");
    return ROW_LOCKS;
  }

  async #takeLeases(goodsIds: readonly number[]): Promise<Refused | Guard> {
    const { leases } = this;
    // Of goods that are ours, or are left to others for a moment, the nodes are not asked.
    const isAsked = leases.remainingMs(goodsIds) <= 0;
    const refused = await leases.take(goodsIds);
    if (isAsked && refused?.afterMs === undefined) this.#fallback?.regained();
    return refused ?? {
      rowLocks: false,
      keep: (ids, neededMs) => leases.keep(ids, neededMs),
      remainingMs: (ids) => leases.remainingMs(ids),
    };
  }
}
