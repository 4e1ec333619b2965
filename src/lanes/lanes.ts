/**
 * The lanes: from many concurrent operations to few batches. Operations on the same goods stand in line and are settled
 * together: one lease on the batch's goods, one read, one write, a verdict each. Batches on different goods go side by
 * side. In the ways without Redis there is no lease.
 *
 *     arrive -> queue -> batch: lease -> (read -> settle -> write -> answer) -> lease kept or let go
 *
 * What decides is the fence of the write; the lease only keeps processes from doing the same work at once. A goods that
 * another process holds closes its lane for a short random time; nobody else waits for it, and no batch sleeps.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Level, Verdict } from "../inventory/model.ts";
import { changedOrder, type Operation, rulesOf } from "../inventory/operations/operation.ts";
import { settle } from "../inventory/settle.ts";
import type { Store } from "../store/store.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { goodsOfAll } from "./batch_keys.ts";
import { BatchRunner, type Guard, type Requeued } from "./run_batch.ts";
import { Entry } from "./entry.ts";
import { Failure, failureOf } from "./failure.ts";
import { Guards } from "./modes/guards.ts";
import type { LanesLimits } from "./lanes_limits.ts";
import { Queue } from "./queue.ts";
import type { FallbackView } from "./modes/quorum_fallback.ts";
import { ENDED_SIZE_MAX, Refusals } from "./refusals.ts";
import { createReads, type Reads } from "./reads.ts";
import { OperationCapacity } from "./admission.ts";
import type { Mode } from "./modes/mode.ts";

/** What the lanes work with. */
export interface LanesParts {
  readonly store: Store;
  /** How a batch is decided; `settle` where nothing else is given. */
  readonly settle?: typeof settle | undefined;
  readonly mode: Mode;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
}

/** Orders in one batch, and their lines and orders together: far less than a statement may take. */
const BATCH_LIMITS = { entriesMax: 512, sizeMax: 2048 };
/** How often it is looked whether callers left while they waited. A listener to each cost more than all else here. */
const SWEEP_MS = 50;
/** Attempts of one batch on its leases, each without the goods that were refused before. */
const LEASE_ATTEMPTS_MAX = 8;
/** How long `close` waits for operations under way. */
export const LANES_CLOSE_MS_MAX = 5000;

/** Decides and writes operations, and reads levels. */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #limits: LanesLimits;
  readonly #queue = new Queue<Entry>();
  readonly #guards: Guards;
  readonly #refusals: Refusals;
  readonly #runner: BatchRunner;
  readonly #reads: Reads;
  readonly #capacity: OperationCapacity;
  #batches = 0;
  #planned = false;
  #idle: (() => void) | undefined;
  #closed = false;
  #sweeping: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: LanesParts, limits: LanesLimits) {
    const { store, mode, log, random } = parts;
    this.#parts = parts;
    this.#limits = limits;
    this.#guards = new Guards(mode, log);
    this.#refusals = new Refusals(this.#queue, limits, random, () => this.#dispatch());
    this.#runner = new BatchRunner({
      store,
      settle: parts.settle ?? settle,
      log,
      random,
      detours: this.#guards.detours,
      batchMsMax: limits.lockWaitMsMax,
      writeMsMax: limits.writeMsMax,
    });
    this.#capacity = new OperationCapacity(limits);
    this.#reads = createReads(store, limits);
  }

  /** Operations that stand in line now; those of a batch under way do not. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Whether batches go by row locks for want of a quorum of the lock. */
  get fallback(): FallbackView {
    return this.#guards.fallback;
  }

  /**
   * Applies the operation once, or finds that it was applied before, or refuses it.
   *
   * Work that has not begun to commit ends soon after `signal` has aborted. `address` is the caller's, where it has one.
   * Throws Failure, or the signal's reason.
   */
  async apply(operation: Operation, signal: AbortSignal, address?: string): Promise<Verdict> {
    return await (this.#begin([operation], signal, address)[0] as Promise<Verdict>);
  }

  /** The same for many operations, which arrive together in their order; each comes to its own end. Never rejects. */
  async applyAll(
    operations: readonly Operation[],
    signal: AbortSignal,
    address?: string,
  ): Promise<PromiseSettledResult<Verdict>[]> {
    return await Promise.allSettled(this.#begin(operations, signal, address));
  }

  /**
   * The committed levels of these goods; of those that are unknown there is none, and there may be others that were asked
   * for at the same time. Throws Failure, or the signal's reason.
   */
  async levels(
    goodsIds: readonly number[],
    signal: AbortSignal,
    address?: string,
  ): Promise<ReadonlyMap<number, Level>> {
    try {
      const levels = await this.#reads.levels.get(goodsIds, address);
      signal.throwIfAborted();
      return levels;
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(error);
    }
  }

  /** Refuses new operations, waits for those under way, bounded, and lets go of every lease. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = new Promise<void>((resolve) => this.#idle = resolve);
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (!this.#isIdle()) {
      await Promise.race([idle, new Promise((resolve) => timer = setTimeout(resolve, LANES_CLOSE_MS_MAX))]);
    }
    clearTimeout(timer);
    clearTimeout(this.#sweeping);
    this.#guards.leases.releaseAll();
  }

  #isIdle = (): boolean => this.#batches + this.#capacity.operations === 0;

  /** Has the operations stand in line, as far as there is room. */
  #begin(operations: readonly Operation[], signal: AbortSignal, address: string | undefined): Promise<Verdict>[] {
    const waitUntilMs = performance.now() + this.#limits.lockWaitMsMax;
    const entries: Entry[] = [];
    const verdicts = operations.map((operation) => {
      if (this.#closed) return Promise.reject(new Failure("database", "The service is shutting down"));
      const rules = rulesOf(operation);
      const lines = rules.lineCount(operation);
      const full = this.#capacity.take(lines, address);
      if (full !== undefined) return Promise.reject(full);
      const entry = new Entry(operation, rules.goodsOf(operation, undefined), waitUntilMs, signal, () => {
        this.#capacity.free(lines, address);
        if (this.#isIdle()) this.#idle?.();
      });
      entries.push(entry);
      return entry.verdict;
    });
    if (operations.some((operation) => changedOrder(operation) !== undefined)) {
      void this.#queueWithOrders(entries, address);
    } else this.#queueUp(entries);
    return verdicts;
  }

  #queueUp(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!entry.leave()) this.#queue.add(entry);
    }
    this.#planDispatch();
  }

  /** A rollback's goods are its order's, so the order is read before it can stand in line. */
  async #queueWithOrders(entries: readonly Entry[], address: string | undefined): Promise<void> {
    await Promise.all(entries.map(async (entry) => {
      const { operation } = entry;
      const orderId = changedOrder(operation);
      if (orderId === undefined) return;
      try {
        const orders = await this.#reads.orders.get([orderId], address);
        entry.goodsIds = rulesOf(operation).goodsOf(operation, orders.get(orderId));
      } catch (error) {
        if (!entry.leave()) entry.fail(error);
      }
    }));
    this.#queueUp(entries);
  }

  /** Not at once: operations that come in the same breath go together. */
  #planDispatch(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#batches < this.#limits.batchesMax) {
      const entries = this.#queue.take(BATCH_LIMITS);
      if (entries.length === 0) break;
      void this.#lead(entries);
    }
    // Whoever stepped aside, or left, wants its other goods no more.
    this.#releaseIdle(this.#queue.leftGoods());
    if (this.#queue.waiting > 0) this.#sweeping ??= setTimeout(() => this.#sweep(), SWEEP_MS);
    if (this.#isIdle()) this.#idle?.();
  }

  /** Ends those whose callers have left while they waited, so that they take no room. */
  #sweep(): void {
    let size = 0;
    for (const entry of this.#queue.waitingEntries()) {
      if (!entry.leave()) continue;
      this.#queue.remove(entry);
      size += entry.size;
      if (size >= ENDED_SIZE_MAX) break;
    }
    // Others have their turn in between.
    this.#sweeping = size < ENDED_SIZE_MAX ? undefined : setTimeout(() => this.#sweep());
    this.#dispatch();
  }

  #releaseIdle(goodsIds: Iterable<number>): void {
    this.#guards.leases.releaseIdle(goodsIds, (goodsId) => this.#queue.isWanted(goodsId));
  }

  /** Leads one batch to its end; its goods are busy until then. */
  async #lead(entries: readonly Entry[]): Promise<void> {
    const goods = new Set(goodsOfAll(entries));
    this.#batches++;
    try {
      const taken = await this.#take(entries, goods);
      if (taken !== undefined) {
        const back = await this.#runner.run(taken.ours, taken.guard);
        if (!taken.insists) this.#refusals.had(goods, back.refused);
        this.#requeue(back);
      }
    } catch (error) {
      this.#parts.log.error({ error: errorFields(error) }, "a batch failed by a fault of the service");
      for (const entry of entries) entry.fail(error);
    }
    for (const entry of entries) {
      if (entry.hasEnded) this.#queue.remove(entry);
    }
    // The answers go out first, and those who come back at once are seen before the lease is let go.
    await nextTurn();
    this.#guards.leases.afterBatch(goods);
    this.#releaseIdle(goods);
    await this.#guards.leases.releaseDue(goods);
    this.#queue.free(goods);
    this.#batches--;
    this.#dispatch();
  }

  /**
   * Makes the goods of the batch ours; entries whose goods can't be had leave it, with those of `goods` that only they
   * need. Answers who goes on, and under what; `insists`: although others have some of the goods.
   */
  async #take(
    entries: readonly Entry[],
    goods: Set<number>,
  ): Promise<{ ours: Entry[]; guard: Guard; insists: boolean } | undefined> {
    let ours = entries.filter((entry) => !entry.leave());
    for (let attempt = 1; ours.length > 0; attempt++) {
      const wanted = goodsOfAll(ours);
      const taken = await this.#guards.take(wanted);
      if ("rowLocks" in taken) return { ours, guard: taken, insists: false };
      if (ours.some((entry) => this.#refusals.insists(entry, taken))) {
        return { ours, guard: this.#guards.insist(), insists: true };
      }
      const held = new Set(attempt < LEASE_ATTEMPTS_MAX ? taken.goodsIds : wanted);
      const out = new Set(ours.filter((entry) => entry.goodsIds.some((goodsId) => held.has(goodsId))));
      ours = ours.filter((entry) => !out.has(entry) && !entry.leave());
      this.#refusals.refuse([...out], { ...taken, goodsIds: [...held] });
      if (taken.afterMs === undefined) this.#refusals.endBehind(taken);
      const needed = new Set(goodsOfAll(ours));
      const spare = [...goods].filter((goodsId) => !needed.has(goodsId));
      for (const goodsId of spare) goods.delete(goodsId);
      this.#guards.leases.afterBatch(spare);
      this.#releaseIdle(spare);
      this.#queue.free(spare);
      this.#planDispatch();
    }
    return undefined;
  }

  #requeue({ moved, next, refused }: Requeued): void {
    for (const entry of next) this.#queue.requeue(entry);
    for (const entry of moved) this.#queue.move(entry);
    this.#guards.leases.release(this.#refusals.refuseAll(refused));
  }
}
