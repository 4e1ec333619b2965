/**
 * Mode `redlock`: a batch goes under leases on its goods. Where the loss of the quorum is to stop nobody, it goes by
 * row locks while the lock has none.
 */
import type { StockKey } from "../../inventory/stock_key.ts";
import { QuorumLostError } from "../../lock/lock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { StockObserver } from "../../telemetry/observer.ts";
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

  constructor(
    { lock, quorumLoss }: Extract<Mode, { concurrency: "redlock" }>,
    log: Log,
    observer?: StockObserver | undefined,
  ) {
    const monotonicMs = () => performance.now();
    const leases = new LeaseCache(lock, monotonicMs, observer);
    const guard: Guard = {
      rowLocks: false,
      extend: (stockKeys, neededMs) => leases.extend(stockKeys, neededMs),
      remainingMs: (stockKeys) => leases.remainingMs(stockKeys),
    };
    this.#leases = leases;
    this.#byLeases = { is: "guarded", guard };
    this.#fallback = quorumLoss === "row" ? new QuorumFallback({ monotonicMs, timeMs: Date.now }, log) : undefined;
  }

  get fallback(): FallbackView {
    return this.#fallback?.view ?? { sinceMs: undefined, batches: 0 };
  }

  async take(stockKeys: readonly StockKey[]): Promise<Taken> {
    const fallback = this.#fallback;
    try {
      if (fallback?.isOn !== true) return await this.#takeLeases(stockKeys);
    } catch (error) {
      if (!(error instanceof QuorumLostError)) throw error;
      if (fallback === undefined) return { is: "refused", refused: { stockKeys, afterMs: undefined, error } };
      fallback.lost(error);
    }
    fallback.count();
    return BY_ROW_LOCKS;
  }

  batchOver(stockKeys: Iterable<StockKey>): void {
    this.#leases.batchOver(stockKeys);
  }

  releaseUnwanted(stockKeys: Iterable<StockKey>, isWanted: (stockKey: StockKey) => boolean): void {
    this.#leases.releaseUnwanted(stockKeys, isWanted);
  }

  releaseDue(stockKeys: Iterable<StockKey>): Promise<void> {
    return this.#leases.releaseDue(stockKeys);
  }

  release(stockKeys: readonly StockKey[]): void {
    this.#leases.release(stockKeys);
  }

  releaseAll(): void {
    this.#leases.releaseAll();
  }

  async #takeLeases(stockKeys: readonly StockKey[]): Promise<Taken> {
    // Of goods that are ours, or are left to others for a moment, the nodes are not asked.
    const isAsked = this.#leases.remainingMs(stockKeys) <= 0;
    const refused = await this.#leases.take(stockKeys);
    if (isAsked && refused?.afterMs === undefined) this.#fallback?.regained();
    return refused === undefined ? this.#byLeases : { is: "refused", refused };
  }
}
