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
 * So long after the last read that it goes back to a level is kept, in ms. Until then the database's clock is taken to
 * run as ours, and what moves no version, such as a policy that is changed by hand, is not seen.
 */
export const KEPT_MS_MAX = 2_000;
/** So long nothing is kept of a goods that others have moved, in ms. */
export const MOVED_MS = 250;

/** A read, by both clocks, in ms: the database's as it was read, and ours when the answer was there. */
export interface ReadMoment {
  readonly atMs: number;
  readonly receivedMs: number;
}

interface Kept {
  readonly level: Level;
  /** Of the write that made it. */
  readonly atMs: number;
  readonly read: ReadMoment;
}

/** The kept levels of one process. A goods is in one batch at a time; whoever asks sees to that. */
export class KeptLevels {
  readonly #nowMs: () => number;
  /** A number: moved, until then. By when they came, the oldest first. */
  readonly #goods = new Map<StockKey, Kept | number>();

  /** `nowMs` is a clock that runs forward. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Goods that are kept or moved. */
  get size(): number {
    return this.#goods.size;
  }

  /** The levels of all goods of the entries; undefined: some are not kept. */
  of(entries: readonly { readonly stockKeys: readonly StockKey[] }[]): KeptSnapshot | undefined {
    const nowMs = this.#nowMs();
    const levels = new Map<StockKey, Level>();
    let atMs = 0;
    for (const { stockKeys } of entries) {
      for (const stockKey of stockKeys) {
        const kept = this.#goods.get(stockKey);
        if (typeof kept !== "object" || nowMs - kept.read.receivedMs > KEPT_MS_MAX) return undefined;
        levels.set(stockKey, kept.level);
        // Times rise with versions, and none is later than the database's clock: its answer was under way for a while.
        atMs = Math.max(atMs, kept.atMs, kept.read.atMs + nowMs - kept.read.receivedMs);
      }
    }
    return { atMs: Math.floor(atMs), levels };
  }

  /** The changes were committed; `read`: what they were decided on, where that was not kept. */
  wrote({ atMs, levels }: Changes, read?: ReadMoment): void {
    const nowMs = this.#nowMs();
    for (const { after } of levels) {
      const stockKey = keyOf(after);
      const before = this.#goods.get(stockKey);
      if (typeof before === "number" && before > nowMs) continue;
      const from = read ?? (typeof before === "object" ? before.read : undefined);
      if (from !== undefined && mayBeKept(after)) this.#set(stockKey, { level: after, atMs, read: from });
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
    const untilMs = this.#nowMs() + MOVED_MS;
    for (const stockKey of stockKeys) this.#set(stockKey, untilMs);
  }

  #set(stockKey: StockKey, kept: Kept | number): void {
    this.#goods.set(stockKey, kept);
    if (this.#goods.size <= KEPT_LEVELS_MAX) return;
    const [oldest] = this.#goods.keys();
    if (oldest !== undefined) this.#goods.delete(oldest);
  }
}
