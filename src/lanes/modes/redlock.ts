/**
 * Mode `redlock`: a batch goes under leases on its goods. Where the loss of the quorum is to stop nobody, it goes by
 * row locks while the lock has none.
 */
import type { StockKey } from "../../inventory/stock_key.ts";
import { type Lock, QuorumLostError } from "../../lock/lock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { StockObserver } from "../../telemetry/observer.ts";
import { LeaseCache, PAUSE_MS_MIN } from "./lease_cache.ts";
import { Lingering } from "./lingering.ts";
import type { Guard, Guards, Mode, Taken } from "./mode.ts";
import { type FallbackView, QuorumFallback } from "./quorum_fallback.ts";
import { ROW_LOCKS } from "./row.ts";

const BY_ROW_LOCKS: Taken = { is: "guarded", guard: ROW_LOCKS };

/** Guards of a process in mode `redlock`. */
export class RedlockGuards implements Guards {
  readonly #lock: Lock;
  readonly #leases: LeaseCache;
  readonly #lingering: Lingering;
  /** Whether somebody here wants the goods. */
  #isWanted: (stockKey: StockKey) => boolean = () => false;
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
    this.#lock = lock;
    this.#leases = leases;
    this.#lingering = new Lingering((stockKeys) => leases.releaseUnwanted(stockKeys, this.#isWanted), monotonicMs);
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

  seemsFree(stockKey: StockKey): Promise<boolean> {
    return this.#lock.seemsFree(stockKey);
  }

  batchOver(stockKeys: Iterable<StockKey>): void {
    this.#leases.batchOver(stockKeys);
  }

  releaseUnwanted(stockKeys: Iterable<StockKey>, isWanted: (stockKey: StockKey) => boolean): void {
    this.#leases.releaseUnwanted(stockKeys, isWanted);
  }

  linger(stockKeys: ReadonlySet<StockKey>, isWanted: (stockKey: StockKey) => boolean): void {
    this.#isWanted = isWanted;
    const unwanted = new Set<StockKey>();
    for (const stockKey of stockKeys) if (!isWanted(stockKey)) unwanted.add(stockKey);
    if (unwanted.size === 0) return;
    this.#lingering.share(this.#leases.releaseOld(unwanted), PAUSE_MS_MIN);
    this.#leases.releaseUnwanted(this.#lingering.begin(unwanted), isWanted);
  }

  async releaseDue(stockKeys: Iterable<StockKey>): Promise<void> {
    this.#lingering.share(await this.#leases.releaseDue(stockKeys));
  }

  release(stockKeys: readonly StockKey[]): void {
    this.#leases.release(stockKeys);
  }

  releaseAll(): void {
    this.#lingering.stop();
    this.#leases.releaseAll();
  }

  async #takeLeases(stockKeys: readonly StockKey[]): Promise<Taken> {
    // Of goods that are ours, or are left to others for a moment, the nodes are not asked.
    const isAsked = this.#leases.remainingMs(stockKeys) <= 0;
    const refused = await this.#leases.take(stockKeys);
    if (refused !== undefined && refused.afterMs === undefined) this.#lingering.share(refused.stockKeys);
    if (isAsked && refused?.afterMs === undefined) this.#fallback?.regained();
    return refused === undefined ? this.#byLeases : { is: "refused", refused };
  }
}
