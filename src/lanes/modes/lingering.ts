/**
 * Leases that linger: of goods that nobody here wants just now, for a moment, as whoever was answered may come back at
 * once, and would ask all nodes for what they had to release a moment before.
 *
 *     (none)    --begin--> lingering    unless others wanted the goods a while ago
 *     lingering --begin--> lingering    a batch had it meanwhile, and its moment begins anew
 *     lingering --its moment is over, stop--> (none)    and it is released, where nobody here wants it by then
 *
 * Others that come within that moment are refused, and wait some milliseconds; where somebody here comes back each
 * time, until it is looked whether they wait (SHARE_AFTER_MS of lease_cache.ts). Once they were seen to want a goods
 * its lease does not linger for a while, so that it costs them that now and then and not each time.
 */
import type { StockKey } from "../../inventory/stock_key.ts";

/** How long a lease lingers, in ms: a caller near by is back sooner, and no other waits for much longer than anyway. */
export const LINGER_MS = 3;
/** Leases of larger batches are released at once: the next one will hardly have many of the same goods. */
export const LINGER_GOODS_MAX = 64;
/** So long a goods that others wanted does not linger, in ms. */
export const SHARED_MS = 5000;
/** So many goods are known to be wanted by others; of more the oldest are forgotten. */
const SHARED_GOODS_MAX = 10_000;

/** Runs something later, and answers how to prevent that. */
export type Later = (run: () => void, ms: number) => () => void;

/** The lingering leases of one process. */
export class Lingering {
  readonly #over: (stockKeys: readonly StockKey[]) => void;
  readonly #nowMs: () => number;
  readonly #later: Later;
  /** Until when; those that began first before others. */
  readonly #untilMs = new Map<StockKey, number>();
  /** Goods that others wanted, until when that counts; the oldest first. */
  readonly #shared = new Map<StockKey, number>();
  #cancel: (() => void) | undefined;

  /** `over` is called with goods whose moment is over; `nowMs` is a clock that runs forward. */
  constructor(over: (stockKeys: readonly StockKey[]) => void, nowMs: () => number, later: Later = byTimeout) {
    this.#over = over;
    this.#nowMs = nowMs;
    this.#later = later;
  }

  /** Lets the leases of those of the goods linger that others have not wanted lately; answers the others. */
  begin(stockKeys: ReadonlySet<StockKey>): StockKey[] {
    if (stockKeys.size > LINGER_GOODS_MAX) return [...stockKeys];
    const nowMs = this.#nowMs();
    const not: StockKey[] = [];
    for (const stockKey of stockKeys) {
      this.#untilMs.delete(stockKey);
      if ((this.#shared.get(stockKey) ?? 0) > nowMs) not.push(stockKey);
      else this.#untilMs.set(stockKey, nowMs + LINGER_MS);
    }
    if (this.#untilMs.size > 0) this.#cancel ??= this.#later(() => this.#look(), LINGER_MS);
    return not;
  }

  /** Others want these goods; from now on that counts for `forMs`. */
  share(stockKeys: readonly StockKey[], forMs: number = SHARED_MS): void {
    const untilMs = this.#nowMs() + forMs;
    for (const stockKey of stockKeys) {
      this.#shared.delete(stockKey);
      this.#shared.set(stockKey, untilMs);
    }
    for (const [oldest] of this.#shared) {
      if (this.#shared.size <= SHARED_GOODS_MAX) break;
      this.#shared.delete(oldest);
    }
  }

  /** Nothing lingers any more, and nobody is called. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#untilMs.clear();
  }

  #look(): void {
    this.#cancel = undefined;
    const nowMs = this.#nowMs();
    const over: StockKey[] = [];
    for (const [stockKey, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) {
        this.#cancel = this.#later(() => this.#look(), untilMs - nowMs);
        break;
      }
      this.#untilMs.delete(stockKey);
      over.push(stockKey);
    }
    if (over.length > 0) this.#over(over);
  }
}

/** The real one. */
export function byTimeout(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
