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
import { goodsOf } from "../inventory/ids.ts";
import type { Level, Operation, Verdict } from "../inventory/model.ts";
import { LockHeldError } from "../lock/lock.ts";
import { retryDelayMs } from "../lock/retry_delay.ts";
import type { Store } from "../store/store.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { BatchWay, type GivenBack, goodsOfAll, type Guard } from "./batch_way.ts";
import { Entry } from "./entry.ts";
import { Failure, failureOf } from "./failure.ts";
import { Guards, ROW_LOCKS } from "./guards.ts";
import type { Refused } from "./leases.ts";
import { Queue } from "./queue.ts";
import type { FallbackView } from "./quorum_fallback.ts";
import { createReads, type Reads } from "./reads.ts";
import type { Way } from "./way.ts";

/** What the lanes work with. */
export interface LanesParts {
  readonly store: Store;
  readonly way: Way;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
}

/** Limits of the lanes; times in ms. */
export interface LanesLimits {
  /** Operations under way, waiting or not, and levels waited for. */
  readonly operationsMax: number;
  /** Lines of all operations under way. */
  readonly linesMax: number;
  /** Batches at a time; each has one connection to the database. */
  readonly batchesMax: number;
  /**
   * Longest wait for goods that other processes hold: from the caller's arrival, or from when the goods were first
   * refused to this process where that came later. The time in its own lanes does not count.
   */
  readonly lockWaitMsMax: number;
  /** What one attempt on the lock may take. */
  readonly lockAttemptMsMax: number;
  /** Time that a write may take; nothing is written under a lease that has less left. */
  readonly writeMsMax: number;
}

/** Orders in one batch, and their lines and orders together: far less than a statement may take. */
const BATCH_LIMITS = { ordersMax: 512, sizeMax: 2048 };
/** How often it is looked whether callers left while they waited. A listener to each cost more than all else here. */
const SWEEP_MS = 50;
/**
 * Lines of orders that are ended in one turn of the loop, when the callers of many leave at once or the goods of many
 * can't be had: some ms.
 */
const ENDED_SIZE_MAX = 20_000;
/**
 * An order of several goods goes by row locks once it, or one of its goods, was refused so often: what it needs is seldom
 * free at once.
 */
const LEASE_REFUSALS_MAX = 8;
/** Attempts of one batch on its leases, each without the goods that were refused before. */
const LEASE_ATTEMPTS_MAX = 8;
/** How long `close` waits for operations under way. */
export const LANES_CLOSE_MS_MAX = 5000;

/** Entries of a batch that go on, and under what. */
interface Taken {
  readonly ours: Entry[];
  readonly guard: Guard;
  /** They go although others have some of the goods. */
  readonly insists: boolean;
}

/** Decides and writes operations, and reads levels. */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #limits: LanesLimits;
  readonly #queue = new Queue<Entry>();
  readonly #guards: Guards;
  readonly #way: BatchWay;
  readonly #reads: Reads;
  #underWay = 0;
  #lines = 0;
  #batches = 0;
  #planned = false;
  #idle: (() => void) | undefined;
  #closed = false;
  #sweeping: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: LanesParts, limits: LanesLimits) {
    const { store, way, log, random } = parts;
    this.#parts = parts;
    this.#limits = limits;
    this.#guards = new Guards(way, log);
    this.#way = new BatchWay({ store, log, random, wayMsMax: limits.lockWaitMsMax, writeMsMax: limits.writeMsMax });
    this.#reads = createReads(store, limits.operationsMax);
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
   * Work that has not begun to commit ends soon after `signal` has aborted. Throws Failure, or the signal's reason.
   */
  async apply(operation: Operation, signal: AbortSignal): Promise<Verdict> {
    return await (this.#begin([operation], signal)[0] as Promise<Verdict>);
  }

  /** The same for many operations, which arrive together in their order; each comes to its own end. Never rejects. */
  async applyAll(operations: readonly Operation[], signal: AbortSignal): Promise<PromiseSettledResult<Verdict>[]> {
    return await Promise.allSettled(this.#begin(operations, signal));
  }

  /**
   * The committed levels of these goods; of those that are unknown there is none, and there may be others that were asked
   * for at the same time. Throws Failure, or the signal's reason.
   */
  async levels(goodsIds: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, Level>> {
    try {
      const levels = await this.#reads.levels.get(goodsIds);
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
    this.#guards.leases.letGoAll();
  }

  #isIdle = (): boolean => this.#batches + this.#underWay === 0;

  /** Has the operations stand in line, as far as there is room. */
  #begin(operations: readonly Operation[], signal: AbortSignal): Promise<Verdict>[] {
    const { operationsMax, linesMax, lockWaitMsMax } = this.#limits;
    const waitUntilMs = performance.now() + lockWaitMsMax;
    const entries: Entry[] = [];
    const verdicts = operations.map((operation) => {
      if (this.#closed) return Promise.reject(new Failure("database", "The service is shutting down"));
      if (this.#underWay >= operationsMax) {
        return Promise.reject(new Failure("queue_full", `${operationsMax} operations are under way`));
      }
      const lines = "lines" in operation ? Math.max(1, operation.lines.length) : 1;
      if (this.#underWay > 0 && this.#lines + lines > linesMax) {
        return Promise.reject(new Failure("queue_full", `operations of ${this.#lines} lines are under way`));
      }
      this.#underWay++;
      this.#lines += lines;
      const entry = new Entry(operation, goodsOf(operation, undefined), waitUntilMs, signal, () => {
        this.#underWay--;
        this.#lines -= lines;
        if (this.#isIdle()) this.#idle?.();
      });
      entries.push(entry);
      return entry.verdict;
    });
    if (operations.some(({ kind }) => kind === "rollback")) void this.#queueWithOrders(entries);
    else this.#queueUp(entries);
    return verdicts;
  }

  #queueUp(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!entry.leave()) this.#queue.add(entry);
    }
    this.#planDispatch();
  }

  /** A rollback's goods are its order's, so the order is read before it can stand in line. */
  async #queueWithOrders(entries: readonly Entry[]): Promise<void> {
    await Promise.all(entries.map(async (entry) => {
      const { operation } = entry;
      if (operation.kind !== "rollback") return;
      try {
        const orders = await this.#reads.orders.get([operation.orderId]);
        entry.goodsIds = goodsOf(operation, orders.get(operation.orderId));
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
    this.#letGoIdle(this.#queue.leftGoods());
    if (this.#queue.waiting > 0) this.#sweeping ??= setTimeout(() => this.#sweep(), SWEEP_MS);
    if (this.#isIdle()) this.#idle?.();
  }

  /** Ends those whose callers have left while they waited, so that they take no room. */
  #sweep(): void {
    let size = 0;
    for (const entry of this.#queue.waitingOrders()) {
      if (!entry.leave()) continue;
      this.#queue.remove(entry);
      size += entry.size;
      if (size >= ENDED_SIZE_MAX) break;
    }
    // Others have their turn in between.
    this.#sweeping = size < ENDED_SIZE_MAX ? undefined : setTimeout(() => this.#sweep());
    this.#dispatch();
  }

  #letGoIdle(goodsIds: Iterable<number>): void {
    this.#guards.leases.letGoIdle(goodsIds, (goodsId) => this.#queue.isWanted(goodsId));
  }

  /** Leads one batch to its end; its goods are busy until then. */
  async #lead(entries: readonly Entry[]): Promise<void> {
    const goods = new Set(goodsOfAll(entries));
    this.#batches++;
    try {
      const taken = await this.#take(entries, goods);
      if (taken !== undefined) {
        const back = await this.#way.go(taken.ours, taken.guard);
        if (!taken.insists) this.#had(goods, back);
        this.#giveBack(back);
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
    this.#letGoIdle(goods);
    await this.#guards.leases.giveTurns(goods);
    this.#queue.free(goods);
    this.#batches--;
    this.#dispatch();
  }

  /**
   * Makes the goods of the batch ours; entries whose goods can't be had leave it, with those of `goods` that only they
   * need. Answers who goes on, and under what.
   */
  async #take(entries: readonly Entry[], goods: Set<number>): Promise<Taken | undefined> {
    let ours = entries.filter((entry) => !entry.leave());
    for (let attempt = 1; ours.length > 0; attempt++) {
      const wanted = goodsOfAll(ours);
      const taken = await this.#guards.take(wanted);
      if ("rowLocks" in taken) return { ours, guard: taken, insists: false };
      if (ours.some((entry) => this.#insists(entry, taken))) return { ours, guard: ROW_LOCKS, insists: true };
      const held = new Set(attempt < LEASE_ATTEMPTS_MAX ? taken.goodsIds : wanted);
      const out = new Set(ours.filter((entry) => entry.goodsIds.some((goodsId) => held.has(goodsId))));
      ours = ours.filter((entry) => !out.has(entry) && !entry.leave());
      this.#refuse([...out], { ...taken, goodsIds: [...held] });
      if (taken.afterMs === undefined) this.#endBehind(taken);
      const needed = new Set(goodsOfAll(ours));
      const spare = [...goods].filter((goodsId) => !needed.has(goodsId));
      for (const goodsId of spare) goods.delete(goodsId);
      this.#guards.leases.afterBatch(spare);
      this.#letGoIdle(spare);
      this.#queue.free(spare);
      this.#planDispatch();
    }
    return undefined;
  }

  /** Entries whose goods can't be had now wait on, behind closed lanes, or end. */
  #refuse(entries: readonly Entry[], { goodsIds, afterMs, error }: Refused): void {
    const refusals = Math.max(...entries.map((entry) => entry.refusals + 1));
    const delayMs = afterMs ?? retryDelayMs(refusals, this.#parts.random());
    const nowMs = performance.now();
    for (const goodsId of goodsIds) this.#queue.close(goodsId, afterMs === undefined ? nowMs : undefined);
    const refused = new Set(goodsIds);
    for (const entry of entries) {
      if (afterMs === undefined) entry.refusals++;
      const refusedGoods = entry.goodsIds.filter((goodsId) => refused.has(goodsId));
      if (afterMs === undefined && this.#isOver(entry, refusedGoods, delayMs)) entry.fail(error);
      else if (!entry.leave()) this.#queue.putBack(entry);
    }
    setTimeout(() => {
      for (const goodsId of goodsIds) this.#queue.open(goodsId);
      this.#dispatch();
    }, delayMs);
  }

  /** Ends those who stand behind the goods and whose wait is over as well: each by itself would take an attempt more. */
  #endBehind({ goodsIds, error }: Refused): void {
    let size = 0;
    for (const goodsId of goodsIds) {
      for (let first = this.#queue.first(goodsId); first !== undefined; first = this.#queue.first(goodsId)) {
        if (!this.#isOver(first, [goodsId], 0)) break;
        if (!first.leave()) first.fail(error);
        this.#queue.remove(first);
        size += first.size;
        // The others are ended at the next attempt, some ms later.
        if (size >= ENDED_SIZE_MAX) return;
      }
    }
  }

  /**
   * Whether the entry's wait for these goods, which are refused, is over before an attempt that begins in `delayMs` could
   * hear from a silent node. They are waited for from when they first were refused.
   */
  #isOver({ waitUntilMs }: Entry, goodsIds: readonly number[], delayMs: number): boolean {
    const { lockAttemptMsMax, lockWaitMsMax } = this.#limits;
    const sinceMs = Math.min(...goodsIds.map((goodsId) => this.#queue.refusal(goodsId)?.sinceMs ?? Infinity));
    const untilMs = sinceMs === Infinity ? waitUntilMs : Math.max(waitUntilMs, sinceMs + lockWaitMsMax);
    return performance.now() + delayMs + lockAttemptMsMax > untilMs;
  }

  /** Whether the entry goes by row locks, because some of its several goods were refused for long enough. */
  #insists({ goodsIds, refusals }: Entry, { error, afterMs, goodsIds: held }: Refused): boolean {
    if (goodsIds.length === 1 || afterMs !== undefined || !(error instanceof LockHeldError)) return false;
    return held.some((goodsId) =>
      goodsIds.includes(goodsId) && Math.max(refusals, this.#queue.refusal(goodsId)?.times ?? 0) >= LEASE_REFUSALS_MAX
    );
  }

  /** The goods of a batch were ours, but for those that were given back. */
  #had(goods: ReadonlySet<number>, { refused }: GivenBack): void {
    const had = new Set(goods);
    for (const { entry } of refused) for (const goodsId of entry.goodsIds) had.delete(goodsId);
    this.#queue.had(had);
  }

  #giveBack({ moved, next, refused }: GivenBack): void {
    for (const entry of next) this.#queue.putBack(entry);
    for (const entry of moved) {
      this.#queue.remove(entry);
      this.#queue.add(entry);
    }
    for (const [error, entries] of Map.groupBy(refused, ({ error }) => error)) {
      const goodsIds = goodsOfAll(entries.map(({ entry }) => entry));
      this.#guards.leases.letGo(goodsIds);
      this.#refuse(entries.map(({ entry }) => entry), { goodsIds, afterMs: undefined, error });
    }
  }
}
