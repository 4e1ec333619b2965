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
 * It is moved for {@link MOVED_MS} at first, and each time for twice as long as the time before, up to the most; each
 * batch of sales that is written on its kept level halves that again. So a goods that others move all the time costs
 * hardly any vain writes, however seldom it is sold here, and who is alone with it hardly any reads.
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
/**
 * The same of a level with reserved units: only a read finds those whose time is up, and they are to be taken off soon.
 * Long enough for some batches to go without: where the time of 10,000 is up in each second, 1.3 times as many of their
 * goods are sold as with a read for each batch.
 */
export const KEPT_RESERVED_MS_MAX = 25;
/** So long nothing is kept of a goods that others have moved, in ms: at the least, and at the most. */
export const MOVED_MS = 250;
export const MOVED_MS_MAX = 16_000;

interface Kept {
  readonly level: Level;
  /** When the last read was that it goes back to. */
  readonly readMs: number;
  /** For how long the goods was moved, halved by each write on its kept level since; 0: it never was. */
  readonly movedMs: number;
}

interface Moved {
  readonly untilMs: number;
  readonly movedMs: number;
}

/** Clocks in ms: a monotonic one, and the time of day. */
export interface KeptClocks {
  monotonicMs(): number;
  timeMs(): number;
}

/** The kept levels of one process. A goods is in one batch at a time; whoever asks sees to that. */
export class KeptLevels {
  readonly #clocks: KeptClocks;
  /** By when they came, the oldest first. */
  readonly #goods = new Map<StockKey, Kept | Moved>();

  constructor(clocks: KeptClocks) {
    this.#clocks = clocks;
  }

  /** The time, by the clock that levels are kept by. */
  get nowMs(): number {
    return this.#clocks.monotonicMs();
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
        if (!isKept(kept) || nowMs - kept.readMs > msMaxOf(kept.level)) return undefined;
        levels.set(stockKey, kept.level);
      }
    }
    return { atMs: this.#clocks.timeMs(), levels };
  }

  /** The changes were committed; `readMs`: when what they were decided on was read, where that was not kept. */
  wrote({ levels, holdsFromMs }: Changes, readMs?: number): void {
    const nowMs = this.#clocks.monotonicMs();
    for (const { after } of levels) {
      const stockKey = keyOf(after);
      const before = this.#goods.get(stockKey);
      if (before !== undefined && !isKept(before) && before.untilMs > nowMs) continue;
      const sinceMs = readMs ?? (isKept(before) ? before.readMs : undefined);
      const movedMs = (before?.movedMs ?? 0) / (readMs === undefined ? 2 : 1);
      // Where the time of more is up than one read has, the next is to come at once.
      const isThrough = holdsFromMs === undefined || after.reserved === 0;
      if (sinceMs !== undefined && isThrough && mayBeKept(after)) {
        this.#set(stockKey, { level: after, readMs: sinceMs, movedMs });
      } else this.#drop(stockKey, movedMs);
    }
  }

  /** What stands in the database is not known any more. */
  forget(stockKeys: Iterable<StockKey>): void {
    for (const stockKey of stockKeys) {
      const before = this.#goods.get(stockKey);
      if (isKept(before)) this.#drop(stockKey, before.movedMs);
    }
  }

  /** A write on their kept levels was lost to the fence. */
  moved(stockKeys: Iterable<StockKey>): void {
    const nowMs = this.#clocks.monotonicMs();
    for (const stockKey of stockKeys) {
      const movedMs = Math.min(Math.max(MOVED_MS, 2 * (this.#goods.get(stockKey)?.movedMs ?? 0)), MOVED_MS_MAX);
      this.#set(stockKey, { untilMs: nowMs + movedMs, movedMs });
    }
  }

  /** Nothing is kept of the goods but for how long it was moved, where that matters the next time. */
  #drop(stockKey: StockKey, movedMs: number): void {
    if (2 * movedMs <= MOVED_MS) this.#goods.delete(stockKey);
    else this.#set(stockKey, { untilMs: -Infinity, movedMs });
  }

  #set(stockKey: StockKey, kept: Kept | Moved): void {
    this.#goods.set(stockKey, kept);
    if (this.#goods.size <= KEPT_LEVELS_MAX) return;
    const [oldest] = this.#goods.keys();
    if (oldest !== undefined) this.#goods.delete(oldest);
  }
}

/** For how long it is kept. */
function msMaxOf({ reserved }: Level): number {
  return reserved > 0 ? KEPT_RESERVED_MS_MAX : KEPT_MS_MAX;
}

function isKept(known: Kept | Moved | undefined): known is Kept {
  return known !== undefined && "level" in known;
}
