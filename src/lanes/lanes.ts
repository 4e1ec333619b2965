/**
 * The lanes as the services see them: operations in, verdicts out. Each operation is admitted or refused for want of
 * capacity, and stands in line as an entry; the dispatcher leads it to its end, in batches.
 *
 *     apply -> admission -> entry -> dispatcher: queue -> batch: lease -> read -> settle -> write -> answer
 */
import type { StockKey } from "../inventory/stock_key.ts";
import { settledWithin } from "../base/bounded_wait.ts";
import type { Level, Verdict } from "../inventory/model.ts";
import type { GoodsLevels, NamedLevel } from "../inventory/levels.ts";
import { changedOrder, type Operation, rulesOf } from "../inventory/operations/operation.ts";
import { settle } from "../inventory/settle.ts";
import { settleKept } from "../inventory/settle_kept.ts";
import { Admission } from "./admission.ts";
import { readFor } from "./coalesced_reads.ts";
import { Dispatcher, type DispatcherParts } from "./dispatcher.ts";
import { Entry } from "./entry.ts";
import { deadlineTooShort, Failure } from "./failure.ts";
import { LanesTallies } from "./tallies.ts";
import type { LanesLimits } from "./lanes_limits.ts";
import type { DetourCause } from "./modes/row_lock_detours.ts";
import type { FallbackView } from "./modes/quorum_fallback.ts";
import { createReads, type OrderAt, type Reads } from "./reads.ts";
import type { StockObserver } from "../telemetry/observer.ts";

/** What the lanes work with. */
export interface LanesParts extends Omit<DispatcherParts, "settle" | "settleKept"> {
  /** How a batch is decided; `settle` and `settleKept` where nothing else is given. */
  readonly settle?: typeof settle | undefined;
  readonly settleKept?: typeof settleKept | undefined;
}

/** How long `close` waits for operations under way. */
export const LANES_CLOSE_MS_MAX = 5000;

/** Decides and writes operations, and reads levels. */
export class Lanes {
  readonly #limits: LanesLimits;
  readonly #observer: StockObserver | undefined;
  readonly #admission: Admission;
  readonly #dispatcher: Dispatcher;
  readonly #reads: Reads;
  /** What operations came to, since the start. */
  readonly tallies = new LanesTallies();
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(parts: LanesParts, limits: LanesLimits) {
    this.#limits = limits;
    this.#observer = parts.observer;
    this.#admission = new Admission(limits);
    this.#dispatcher = new Dispatcher(
      { ...parts, settle: parts.settle ?? settle, settleKept: parts.settleKept ?? settleKept },
      limits,
      this.tallies,
      () => this.#noteIdle(),
    );
    this.#reads = createReads(parts.store, limits);
  }

  /** Operations that stand in line now; those of a batch under way do not. */
  get waiting(): number {
    return this.#dispatcher.waiting;
  }

  /** Operations on the goods that stand in line or are under way. */
  operationsOn(stockKey: StockKey): number {
    return this.#dispatcher.entriesOf(stockKey);
  }

  /** Operations that were admitted and have not ended. */
  get operations(): number {
    return this.#admission.operations;
  }

  /** How many there may be. */
  get operationsMax(): number {
    return this.#limits.operationsMax;
  }

  /** Batches that went by row locks although the mode is another, and although nothing is away. */
  get detours(): Readonly<Record<DetourCause, number>> {
    return this.#dispatcher.detours;
  }

  /** Batches under way. */
  get batches(): number {
    return this.#dispatcher.batches;
  }

  /** Whether batches go by row locks for want of a quorum of the lock. */
  get fallback(): FallbackView {
    return this.#dispatcher.fallback;
  }

  /**
   * Applies the operation once, or finds that it was applied before, or refuses it.
   *
   * Work that has not begun to commit ends soon after `signal` has aborted. `address` is the caller's, where it has
   * one, and `remainingMs` what is left of its deadline: what can't be begun by then is refused at once. Throws
   * Failure, or the signal's reason.
   */
  async apply(operation: Operation, signal: AbortSignal, address?: string, remainingMs?: number): Promise<Verdict> {
    return await (this.#begin([operation], signal, address, remainingMs)[0] as Promise<Verdict>);
  }

  /**
   * The same for many operations, which arrive together in their sequence; each comes to its own end. Never rejects.
   */
  async applyAll(
    operations: readonly Operation[],
    signal: AbortSignal,
    address?: string,
    remainingMs?: number,
  ): Promise<PromiseSettledResult<Verdict>[]> {
    return await Promise.allSettled(this.#begin(operations, signal, address, remainingMs));
  }

  /**
   * The committed levels of these goods; of those that are unknown there is none, and there may be others that were
   * asked for at the same time. Throws Failure, or the signal's reason.
   */
  async levels(
    stockKeys: readonly StockKey[],
    signal: AbortSignal,
    address?: string,
  ): Promise<ReadonlyMap<StockKey, NamedLevel>> {
    return await readFor(this.#reads.levels.get(stockKeys, address), signal);
  }

  /** The same of one goods at all of its locations, read at one moment. */
  async locations(goodsId: number, signal: AbortSignal, address?: string): Promise<ReadonlyMap<number, GoodsLevels>> {
    return await readFor(this.#reads.locations.get([goodsId], address), signal);
  }

  /** The order as committed; undefined: there is none. Throws Failure, or the signal's reason. */
  async order(orderId: string, signal: AbortSignal, address?: string): Promise<OrderAt | undefined> {
    return (await readFor(this.#reads.orders.get([orderId], address), signal)).get(orderId);
  }

  /** The same with their policies, and also of goods that are no longer sold. */
  async policies(
    stockKeys: readonly StockKey[],
    signal: AbortSignal,
    address?: string,
  ): Promise<ReadonlyMap<StockKey, Level>> {
    return await readFor(this.#reads.policies.get(stockKeys, address), signal);
  }

  /** Refuses new operations, waits for those under way, bounded, and releases every lease. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = new Promise<void>((resolve) => this.#idle = resolve);
    if (!this.#isIdle()) await settledWithin(idle, LANES_CLOSE_MS_MAX);
    this.#dispatcher.close();
  }

  #isIdle(): boolean {
    return this.#dispatcher.batches + this.#admission.operations === 0;
  }

  #noteIdle(): void {
    if (this.#isIdle()) this.#idle?.();
  }

  /** Has the operations stand in line, as far as they are admitted. */
  #begin(
    operations: readonly Operation[],
    signal: AbortSignal,
    address: string | undefined,
    remainingMs: number | undefined,
  ): Promise<Verdict>[] {
    const waitUntilMs = performance.now() + this.#limits.lockWaitMsMax;
    const call = this.#observer?.call();
    const entries: Entry[] = [];
    const verdicts = operations.map((operation) => {
      if (this.#closed) return this.#refuse(operation, new Failure("database", "The service is shutting down"));
      const rules = rulesOf(operation);
      const tooShort = remainingMs === undefined || !this.#dispatcher.isLong
        ? undefined
        : deadlineTooShort(this.#dispatcher.waitMs(rules.keysOf(operation, undefined)), remainingMs);
      if (tooShort !== undefined) return this.#refuse(operation, tooShort);
      const lines = rules.lineCount(operation);
      const full = this.#admission.take(lines, address);
      if (full !== undefined) return this.#refuse(operation, full);
      const entry = new Entry(operation, waitUntilMs, signal, (verdict, error) => {
        this.tallies.ended(operation, verdict, error);
        this.#admission.free(lines, address);
        this.#noteIdle();
      }, call);
      entries.push(entry);
      return entry.verdict;
    });
    if (operations.some((operation) => rulesOf(operation).keysNeedOrder)) {
      void this.#queueWithOrders(entries, address);
    } else this.#dispatcher.add(entries);
    return verdicts;
  }

  #refuse(operation: Operation, failure: Failure): Promise<never> {
    this.tallies.ended(operation, undefined, failure);
    return Promise.reject(failure);
  }

  /** The goods of what changes an order may be that order's, which then is read before the entry can stand in line. */
  async #queueWithOrders(entries: readonly Entry[], address: string | undefined): Promise<void> {
    await Promise.all(entries.map(async (entry) => {
      const { operation } = entry;
      const orderId = rulesOf(operation).keysNeedOrder ? changedOrder(operation) : undefined;
      if (orderId === undefined) return;
      const order = rulesOf(operation).orderRead?.(operation);
      if (order !== undefined) return entry.learn(order);
      try {
        const orders = await this.#reads.orders.get([orderId], address);
        entry.learn(orders.get(orderId)?.order);
      } catch (error) {
        if (!entry.leave()) entry.fail(error);
      }
    }));
    this.#dispatcher.add(entries);
  }
}
