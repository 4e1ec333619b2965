/**
 * What becomes of entries whose goods can't be had now: they wait behind parked lanes, for a bounded time, or go by row
 * locks where several goods are seldom free at once.
 */
import type { StockKey } from "../inventory/stock_key.ts";
import { LeaseTakenError } from "../lock/lock.ts";
import { lookedDelayMs, retryDelayMs } from "./modes/retry_delay.ts";
import type { RefusedEntry } from "./requeued.ts";
import type { Entry } from "./entry.ts";
import type { LanesLimits } from "./lanes_limits.ts";
import type { Refused } from "./modes/mode.ts";
import type { Queue } from "./queue.ts";
import { untilFree } from "./until_free.ts";

/**
 * Lines of entries that are ended in one turn of the loop, when the callers of many leave at once or the goods of many
 * can't be had: some ms.
 */
export const ENDED_SIZE_MAX = 20_000;
/**
 * An entry of several goods goes by row locks once it, or one of its goods, was refused so often: what it needs is
 * seldom free at once.
 */
const LEASE_REFUSALS_MAX = 8;

/** The refusals of one process's lanes. */
export class Refusals {
  readonly #queue: Queue<Entry>;
  readonly #limits: LanesLimits;
  readonly #random: () => number;
  readonly #seemsFree: (stockKey: StockKey) => Promise<boolean>;
  readonly #unparked: () => void;

  /** `random` answers in [0, 1); `unparked` is called when lanes are parked no more. */
  constructor(
    queue: Queue<Entry>,
    limits: LanesLimits,
    { random, seemsFree, unparked }: {
      readonly random: () => number;
      /** As of Guards. */
      readonly seemsFree: (stockKey: StockKey) => Promise<boolean>;
      readonly unparked: () => void;
    },
  ) {
    this.#queue = queue;
    this.#limits = limits;
    this.#random = random;
    this.#seemsFree = seemsFree;
    this.#unparked = unparked;
  }

  /** Entries whose goods can't be had now wait on, behind parked lanes, or end. */
  refuse(entries: readonly Entry[], { stockKeys, afterMs, error }: Refused): void {
    const refusals = Math.max(...entries.map((entry) => entry.refusals + 1));
    // Of several goods a look would have to find all free.
    const isTaken = afterMs === undefined && error instanceof LeaseTakenError;
    // Who saw it free, and did not get it, was one of several: they would go on asking in the same moments.
    const looked = isTaken && stockKeys.length === 1 && !this.#wasSeenFree(stockKeys[0]!) ? stockKeys[0] : undefined;
    const random = this.#random();
    const delayMs = afterMs ?? (looked === undefined ? retryDelayMs(refusals, random) : lookedDelayMs(random));
    const nowMs = performance.now();
    for (const stockKey of stockKeys) this.#queue.park(stockKey, afterMs === undefined ? nowMs : undefined);
    const refused = new Set(stockKeys);
    for (const entry of entries) {
      if (afterMs === undefined) entry.refusals++;
      const refusedGoods = entry.stockKeys.filter((stockKey) => refused.has(stockKey));
      if (afterMs === undefined && this.#isOver(entry, refusedGoods, delayMs)) entry.fail(error);
      else if (!entry.leave()) this.#queue.requeue(entry);
    }
    const unpark = (seenFree = false) => {
      const refusal = looked === undefined ? undefined : this.#queue.refusal(looked);
      if (refusal !== undefined) refusal.seenFree = seenFree;
      for (const stockKey of stockKeys) this.#queue.unpark(stockKey);
      this.#unparked();
    };
    if (looked === undefined) setTimeout(unpark, delayMs);
    else untilFree({ delayMs, seemsFree: () => this.#seemsFree(looked), random: this.#random }, unpark);
  }

  #wasSeenFree(stockKey: StockKey): boolean {
    return this.#queue.refusal(stockKey)?.seenFree === true;
  }

  /** The same for what a batch could not write; answers the goods that can't be had. */
  refuseAll(refused: readonly RefusedEntry[]): StockKey[] {
    for (const [error, together] of Map.groupBy(refused, ({ error }) => error)) {
      const stockKeys = [...new Set(together.flatMap(({ stockKeys }) => stockKeys))];
      this.refuse(together.map(({ entry }) => entry), { stockKeys, afterMs: undefined, error });
    }
    return refused.flatMap(({ stockKeys }) => stockKeys);
  }

  /**
   * Ends those who stand behind the goods and whose wait is over as well: each by itself would take an attempt more.
   */
  endBehind({ stockKeys, error }: Refused): void {
    let size = 0;
    for (const stockKey of stockKeys) {
      for (let first = this.#queue.first(stockKey); first !== undefined; first = this.#queue.first(stockKey)) {
        if (!this.#isOver(first, [stockKey], 0)) break;
        if (!first.leave()) first.fail(error);
        this.#queue.remove(first);
        size += first.size;
        // The others are ended at the next attempt, some ms later.
        if (size >= ENDED_SIZE_MAX) return;
      }
    }
  }

  /**
   * Whether the entry's wait for these goods, which are refused, is over before an attempt that begins in `delayMs`
   * could hear from a silent node. They are waited for from when they first were refused.
   */
  #isOver({ waitUntilMs }: Entry, stockKeys: readonly StockKey[], delayMs: number): boolean {
    const { lockAttemptMsMax, lockWaitMsMax } = this.#limits;
    const sinceMs = Math.min(...stockKeys.map((stockKey) => this.#queue.refusal(stockKey)?.sinceMs ?? Infinity));
    const untilMs = sinceMs === Infinity ? waitUntilMs : Math.max(waitUntilMs, sinceMs + lockWaitMsMax);
    return performance.now() + delayMs + lockAttemptMsMax > untilMs;
  }

  /** Whether the entry goes by row locks, because some of its several goods were refused for long enough. */
  insists({ stockKeys, refusals }: Entry, { error, afterMs, stockKeys: others }: Refused): boolean {
    if (stockKeys.length === 1 || afterMs !== undefined || !(error instanceof LeaseTakenError)) return false;
    return others.some((stockKey) =>
      stockKeys.includes(stockKey) &&
      Math.max(refusals, this.#queue.refusal(stockKey)?.times ?? 0) >= LEASE_REFUSALS_MAX
    );
  }

  /** The goods of a batch were ours, but for those that entries were refused for. */
  had(goods: ReadonlySet<StockKey>, refused: readonly { readonly stockKeys: readonly StockKey[] }[]): void {
    const had = new Set(goods);
    for (const { stockKeys } of refused) for (const stockKey of stockKeys) had.delete(stockKey);
    this.#queue.had(had);
  }
}
