/**
 * The mode in which this process keeps writers of the same goods apart, and what the lanes ask of it. Whatever the
 * mode, every write is fenced by the ledger, so processes in different modes may work side by side.
 */
import type { StockKey } from "../../inventory/stock_key.ts";
import type { ModeName, QuorumLoss } from "../../config/mode_names.ts";
import type { Lock } from "../../lock/lock.ts";
import type { FallbackView } from "./quorum_fallback.ts";

/** A mode, with what it needs. */
export type Mode =
  | { readonly concurrency: "redlock"; readonly lock: Lock; readonly quorumLoss: QuorumLoss }
  | { readonly concurrency: Exclude<ModeName, "redlock"> };

/** What keeps others away from the goods of a batch. */
export interface Guard {
  /** Rows are locked from before the read until the commit. */
  readonly rowLocks: boolean;
  /** Whether all of the goods are ours for so long, extending the leases that have less left. Never rejects. */
  extend(stockKeys: readonly StockKey[], neededMs: number): Promise<boolean>;
  /** Milliseconds for which all of the goods are still ours; 0 or less: some may be somebody else's by now. */
  remainingMs(stockKeys: readonly StockKey[]): number;
}

/** Goods that can't be had now. `afterMs`: when this process may ask again; undefined: somebody else has them. */
export interface Refused {
  readonly stockKeys: readonly StockKey[];
  readonly afterMs: number | undefined;
  readonly error: Error;
}

/** What came of taking the goods of a batch. */
export type Taken =
  | { readonly is: "guarded"; readonly guard: Guard }
  | { readonly is: "refused"; readonly refused: Refused };

/**
 * Makes the guards of one process's batches, in one mode. One batch at a time may use a goods; whoever asks sees to
 * that. Only a mode with leases has anything to do beside `take`.
 */
export interface Guards {
  /** Whether batches go by row locks for want of a quorum. */
  readonly fallback: FallbackView;
  /** Makes all of the goods ours, or none of those that were not yet. Throws the lock's faults. */
  take(stockKeys: readonly StockKey[]): Promise<Taken>;
  /** Whether a goods that was refused seems to be free by now: a hint, which takes little. Never rejects. */
  seemsFree(stockKey: StockKey): Promise<boolean>;
  /** A batch on these goods is over. What was theirs stays ours until it is released. */
  batchOver(stockKeys: Iterable<StockKey>): void;
  /** Of these goods, releases those that no batch has and nobody here wants. */
  releaseUnwanted(stockKeys: Iterable<StockKey>, isWanted: (stockKey: StockKey) => boolean): void;
  /**
   * The same of the goods of a batch that is over, for which somebody may come in a moment: those may stay ours for as
   * long.
   */
  linger(stockKeys: ReadonlySet<StockKey>, isWanted: (stockKey: StockKey) => boolean): void;
  /** Of these goods, releases those that no batch has and whose turn it is to be another process's. Never rejects. */
  releaseDue(stockKeys: Iterable<StockKey>): Promise<void>;
  /** Releases those of the goods that are ours, whoever has them. */
  release(stockKeys: readonly StockKey[]): void;
  /** Releases everything. */
  releaseAll(): void;
}

/** PostgreSQL alone keeps writers apart: by its row locks, or by the fence of their writes. */
export abstract class GuardsWithoutLeases implements Guards {
  readonly fallback: FallbackView = { sinceMs: undefined, batches: 0 };
  readonly #taken: Promise<Taken>;

  /** Every batch gets the same guard. */
  constructor(guard: Guard) {
    this.#taken = Promise.resolve({ is: "guarded", guard });
  }

  take(): Promise<Taken> {
    return this.#taken;
  }

  /** None is ever refused for another process. */
  seemsFree(): Promise<boolean> {
    return Promise.resolve(false);
  }

  batchOver(): void {}
  releaseUnwanted(): void {}
  linger(): void {}
  releaseDue(): Promise<void> {
    return Promise.resolve();
  }
  release(): void {}
  releaseAll(): void {}
}
