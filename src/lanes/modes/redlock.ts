/**
 * Mode `redlock`: a batch goes under leases on its goods. Where the loss of the quorum is to stop nobody, it goes by
 * row locks while the lock has none.
 */
import { QuorumLostError } from "../../lock/lock.ts";
import type { Log } from "../../telemetry/log.ts";
import { LeaseCache } from "./lease_cache.ts";
import type { Guard, Guards, Mode, Taken } from "./mode.ts";
import { type FallbackView, QuorumFallback } from "./quorum_fallback.ts";
import { ROW_LOCKS } from "./row.ts";

const BY_ROW_LOCKS: Taken = { is: "guarded", guard: ROW_LOCKS };

/** Guards of a process in mode `redlock`. */
export class RedlockGuards implements Guards {
  readonly #leases: LeaseCache;
  readonly #byLeases: Taken;
  /** Only where the loss of the quorum is to stop nobody. */
  readonly #fallback: QuorumFallback | undefined;

  constructor({ lock, quorumLoss }: Extract<Mode, { concurrency: "redlock" }>, log: Log) {
    const monotonicMs = () => performance.now();
    const leases = new LeaseCache(lock, monotonicMs);
    const guard: Guard = {
      rowLocks: false,
      extend: (goodsIds, neededMs) => leases.extend(goodsIds, neededMs),
      remainingMs: (goodsIds) => leases.remainingMs(goodsIds),
    };
    this.#leases = leases;
    this.#byLeases = { is: "guarded", guard };
    this.#fallback = quorumLoss === "row" ? new QuorumFallback({ monotonicMs, timeMs: Date.now }, log) : undefined;
  }

  get fallback(): FallbackView {
    return this.#fallback?.view ?? { sinceMs: undefined, batches: 0 };
  }

  async take(goodsIds: readonly number[]): Promise<Taken> {
    const fallback = this.#fallback;
    try {
      if (fallback?.isOn !== true) return await this.#takeLeases(goodsIds);
    } catch (error) {
      if (!(error instanceof QuorumLostError)) throw error;
      if (fallback === undefined) return { is: "refused", refused: { goodsIds, afterMs: undefined, error } };
      fallback.lost(error);
    }
    fallback.count();
    return BY_ROW_LOCKS;
  }

  batchOver(goodsIds: Iterable<number>): void {
    this.#leases.batchOver(goodsIds);
  }

  releaseUnwanted(goodsIds: Iterable<number>, isWanted: (goodsId: number) => boolean): void {
    this.#leases.releaseUnwanted(goodsIds, isWanted);
  }

  releaseDue(goodsIds: Iterable<number>): Promise<void> {
    return this.#leases.releaseDue(goodsIds);
  }

  release(goodsIds: readonly number[]): void {
    this.#leases.release(goodsIds);
  }

  releaseAll(): void {
    this.#leases.releaseAll();
  }

  async #takeLeases(goodsIds: readonly number[]): Promise<Taken> {
    // Of goods that are ours, or are left to others for a moment, the nodes are not asked.
    const isAsked = this.#leases.remainingMs(goodsIds) <= 0;
    const refused = await this.#leases.take(goodsIds);
    if (isAsked && refused?.afterMs === undefined) this.#fallback?.regained();
    return refused === undefined ? this.#byLeases : { is: "refused", refused };
  }
}
