/**
 * Levels as this process has written them last, so that a sale of goods that nobody else moves needs no read. What is
 * decided on them is in inventory/settle_kept.ts; this file says for how long they are kept, and reads no clock itself.
 *
 *     absent --wrote--> kept       where the level may be kept
 *     kept   --wrote--> kept       or absent, where it may not any more
 *     kept   --forget, out of time, too many--> absent
 *     any    --moved--> moved      a write has found that somebody else moved the goods, or has the order already
 *     moved  --wrote, forget--> moved
 *     moved  --out of time--> absent
 *
 * A goods that is moved by others all the time costs so one vain write in {@link MOVED_MS}.
 */
import type { Changes, Level } from "../inventory/model.ts";
import { type KeptSnapshot, mayBeKept } from "../inventory/settle_kept.ts";
import { keyOf, type StockKey } from "../inventory/stock_key.ts";

/** Goods that are known here; of more the oldest are forgotten. */
export const KEPT_LEVELS_MAX = 10_000;
/**
 * So long after the last read that it goes back to a level is kept, in ms. Nothing is right by that alone, as the write
 * compares all that a decision looks at; what was found out too late ends here.
 */
export const KEPT_MS_MAX = 2_000;
/** So long nothing is kept of a goods that others have moved, in ms. */
export const MOVED_MS = 250;

interface Kept {
  readonly level: Level;
  /** When the last read was that it goes back to. */
  readonly readMs: number;
}

/** Clocks in ms: a monotonic one, and the time of day. */
export interface KeptClocks {
  monotonicMs(): number;
  timeMs(): number;
}

/** The kept levels of one process. A goods is in one batch at a time; whoever asks sees to that. */
export class KeptLevels {
  readonly #clocks: KeptClocks;
  /** A number: moved, until then. By when they came, the oldest first. */
  readonly #goods = new Map<StockKey, Kept | number>();

  constructor(clocks: KeptClocks) {
    this.#clocks = clocks;
  }

  /** Goods that are kept or moved. */
  get size(): number {
    return this.#goods.size;
  }

  /** The levels of all goods of the entries; undefined: some are not kept. */
  of(entries: readonly { readonly stockKeys: readonly StockKey[] }[]): KeptSnapshot | undefined {
    const nowMs = this.#clocks.monotonicMs();
    const levels = new Map<StockKey, Level>();
    for (const { stockKeys } of entries) {
      for (const stockKey of stockKeys) {
        const kept = this.#goods.get(stockKey);
        if (typeof kept !== "object" || nowMs - kept.readMs > KEPT_MS_MAX) return undefined;
        levels.set(stockKey, kept.level);
      }
    }
    return { atMs: this.#clocks.timeMs(), levels };
  }

  /** The changes were committed; `readMs`: when what they were decided on was read, where that was not kept. */
  wrote({ levels }: Changes, readMs?: number): void {
    const nowMs = this.#clocks.monotonicMs();
    for (const { after } of levels) {
      const stockKey = keyOf(after);
      const before = this.#goods.get(stockKey);
      if (typeof before === "number" && before > nowMs) continue;
      const sinceMs = readMs ?? (typeof before === "object" ? before.readMs : undefined);
      if (sinceMs !== undefined && mayBeKept(after)) this.#set(stockKey, { level: after, readMs: sinceMs });
      else this.#goods.delete(stockKey);
    }
  }

  /** What stands in the database is not known any more. */
  forget(stockKeys: Iterable<StockKey>): void {
    for (const stockKey of stockKeys) {
      if (typeof this.#goods.get(stockKey) === "object") this.#goods.delete(stockKey);
    }
  }

  /** A write on their kept levels was lost to the fence. */
  moved(stockKeys: Iterable<StockKey>): void {
    const untilMs = this.#clocks.monotonicMs() + MOVED_MS;
    for (const stockKey of stockKeys) this.#set(stockKey, untilMs);
  }

  #set(stockKey: StockKey, kept: Kept | number): void {
    this.#goods.set(stockKey, kept);
    if (this.#goods.size <= KEPT_LEVELS_MAX) return;
    const [oldest] = this.#goods.keys();
    if (oldest !== undefined) this.#goods.delete(oldest);
  }
}
