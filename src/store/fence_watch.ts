/**
 * Distinguishes a goods that stands off its ledger, which loses its fence for ever, from one that others keep changing.
 */
import type { StockKey } from "../inventory/stock_key.ts";
import { errorSummary, type Log } from "../telemetry/log.ts";
import { FenceLostError, OffLedgerError } from "./errors.ts";
import type { Pool } from "./postgres/pool.ts";
import { readOffLedger } from "./statements/read_off_ledger.ts";

/**
 * Fences that a goods lost in a row before the ledger is looked at: by others' changes alone it seldom comes to that.
 */
const LOSSES_TO_LOOK = 3;
/** Goods whose losses are counted; beyond it all are forgotten. */
const GOODS_COUNTED_MAX = 10_000;

/** Counts how often goods lost their fence in a row. */
export class FenceWatch {
  readonly #pool: Pool;
  readonly #log: Log;
  readonly #losses = new Map<StockKey, number>();

  constructor(pool: Pool, log: Log) {
    this.#pool = pool;
    this.#log = log;
  }

  /**
   * Runs a write of these goods. Throws what it throws; OffLedgerError instead of FenceLostError where the next
   * movement of a goods is on record although its row of levels stands before it: somebody has changed one without the
   * other.
   */
  async watch<T>(stockKeys: readonly StockKey[], write: () => Promise<T>, signal: AbortSignal): Promise<T> {
    let written: T;
    try {
      written = await write();
    } catch (error) {
      if (!(error instanceof FenceLostError)) throw error;
      const suspects = this.#count(stockKeys);
      const off = suspects.length === 0 ? [] : await this.#look(suspects, signal);
      throw off.length === 0 ? error : new OffLedgerError(off, { cause: error });
    }
    if (this.#losses.size > 0) { for (const stockKey of stockKeys) this.#losses.delete(stockKey); }
    return written;
  }

  /** Those that are off. A look that fails is no word on the write, which was undone: none are blamed. */
  async #look(suspects: readonly StockKey[], signal: AbortSignal): Promise<StockKey[]> {
    try {
      return await readOffLedger(this.#pool, suspects, signal);
    } catch (error) {
      this.#log.warn({ error: errorSummary(error) }, "the ledger of goods that keep losing their fence can't be read");
      return [];
    }
  }

  /** Counts one more for each, and answers those that have lost often enough. */
  #count(stockKeys: readonly StockKey[]): StockKey[] {
    if (this.#losses.size > GOODS_COUNTED_MAX) this.#losses.clear();
    return stockKeys.filter((stockKey) => {
      const losses = (this.#losses.get(stockKey) ?? 0) + 1;
      this.#losses.set(stockKey, losses);
      return losses >= LOSSES_TO_LOOK;
    });
  }
}
