/**
 * Whose rows foreign sessions have locked. Goods and orders are looked at, so that nobody waits on a connection twice
 * for what is not free: while one order waits for its own record, the goods that it moves are nobody else's either.
 */
import type { StockKey } from "../inventory/stock_key.ts";
import { NEVER } from "../base/never.ts";
import { changedOrder } from "../inventory/operations/operation.ts";
import type { Store } from "../store/store.ts";
import { readAgain } from "./again.ts";
import { type Entry, keysOfAll } from "./entry.ts";

/** An order that was seen locked is looked at before it is tried again, for so long. */
const REMEMBERED_MS = 5000;
/** Orders that are remembered; of more the oldest are forgotten. */
const REMEMBERED_MAX = 1000;

/** Entries by what was seen. */
export interface Looked {
  readonly free: Entry[];
  /** They wait for some of these goods. */
  readonly waiting: Entry[];
  readonly stockKeys: ReadonlySet<StockKey>;
  /** The record of their own order is locked. */
  readonly locked: Entry[];
}

/** The looks of one process. */
export class LockedRows {
  readonly #store: Store;
  readonly #nowMs: () => number;
  /** By order, until when it is remembered; the oldest first. */
  readonly #orders = new Map<string, number>();

  /** `nowMs` is a clock that runs forward. */
  constructor(store: Store, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** Whether the entry is looked at before it is tried. */
  isSuspect(entry: Entry): boolean {
    return entry.rowsWereLocked || this.#remembers(entry);
  }

  /**
   * Looks at the goods of the entries, and at the orders that they change: `suspectsOnly` for a look before anybody
   * waited, when only those that were locked a moment ago are asked about. Throws the errors of the store.
   */
  async look(entries: readonly Entry[], suspectsOnly: boolean): Promise<Looked> {
    const stockKeys = new Set(await readAgain(() => this.#store.readLocked(keysOfAll(entries), NEVER)));
    const waiting = entries.filter((entry) => entry.stockKeys.some((stockKey) => stockKeys.has(stockKey)));
    const others = entries.filter((entry) => !waiting.includes(entry));
    const asked = others.filter((entry) => !suspectsOnly || this.#remembers(entry)).flatMap((entry) =>
      changedOrder(entry.operation) ?? []
    );
    const orderIds = asked.length === 0
      ? new Set<string>()
      : new Set(await readAgain(() => this.#store.readLockedOrders([...new Set(asked)], NEVER)));
    for (const orderId of orderIds) this.#remember(orderId);
    const locked = others.filter((entry) => orderIds.has(changedOrder(entry.operation) ?? ""));
    return { free: others.filter((entry) => !locked.includes(entry)), waiting, stockKeys, locked };
  }

  #remembers(entry: Entry): boolean {
    if (this.#orders.size === 0) return false;
    return (this.#orders.get(changedOrder(entry.operation) ?? "") ?? -Infinity) > this.#nowMs();
  }

  #remember(orderId: string): void {
    this.#orders.delete(orderId);
    this.#orders.set(orderId, this.#nowMs() + REMEMBERED_MS);
    for (const [oldest, untilMs] of this.#orders) {
      if (untilMs > this.#nowMs() && this.#orders.size <= REMEMBERED_MAX) break;
      this.#orders.delete(oldest);
    }
  }
}
