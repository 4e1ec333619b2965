/**
 * From many entries to few batches. Entries of the same goods stand in line and are settled together: one lease on the
 * batch's goods, one read, one write, a verdict each. Batches of different goods go side by side, as many as
 * batches_under_way.ts lets begin.
 *
 *     queue -> batch: take its goods -> runBatch -> goods stay ours for whoever waits, or are released
 *
 * What decides is the fence of the write; a lease only keeps processes from doing the same work at once. Goods that
 * another process has park their lanes for a short random time; nobody else waits for them, and no batch sleeps.
 */
import type { StockKey } from "../inventory/stock_key.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { settle } from "../inventory/settle.ts";
import type { settleKept } from "../inventory/settle_kept.ts";
import type { Store } from "../store/store.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import type { StockObserver } from "../telemetry/observer.ts";
import { BatchesUnderWay } from "./batches_under_way.ts";
import { type Entry, keysOfAll } from "./entry.ts";
import { type KeptClocks, KeptLevels } from "./kept_levels.ts";
import type { LanesTallies } from "./tallies.ts";
import type { LanesLimits } from "./lanes_limits.ts";
import { LockedRows } from "./locked_rows.ts";
import type { Guard, Guards, Mode } from "./modes/mode.ts";
import { OptimisticGuards } from "./modes/optimistic.ts";
import type { FallbackView } from "./modes/quorum_fallback.ts";
import { RedlockGuards } from "./modes/redlock.ts";
import { ROW_LOCKS, RowGuards } from "./modes/row.ts";
import { type DetourCause, RowLockDetours } from "./modes/row_lock_detours.ts";
import { Observed } from "./observed_batch.ts";
import { Queue } from "./queue.ts";
import { ENDED_SIZE_MAX, Refusals } from "./refusals.ts";
import { type BatchParts, runBatch } from "./run_batch.ts";

/** What the dispatcher works with. */
export interface DispatcherParts {
  readonly store: Store;
  /** How a batch is decided. */
  readonly settle: typeof settle;
  /** The same without a read. */
  readonly settleKept: typeof settleKept;
  readonly mode: Mode;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** Absent: nobody looks. */
  readonly observer?: StockObserver | undefined;
  /** By which levels are kept and batches age; the process's own where nothing else is given. */
  readonly clocks?: KeptClocks | undefined;
}

const OWN_CLOCKS: KeptClocks = { monotonicMs: () => performance.now(), timeMs: Date.now };

/** Entries in one batch, and their lines and entries together: far less than a statement may take. */
const BATCH_LIMITS = { entriesMax: 512, sizeMax: 2048 };
/**
 * How often it is looked whether callers left while they waited, and whether a batch has grown old, so that another may
 * go beside it. A listener to each caller cost more than all else here.
 */
const SWEEP_MS = 50;
/** Attempts of one batch on its leases, each without the goods that were refused before. */
const LEASE_ATTEMPTS_MAX = 8;

/** Who is in a batch, and which goods it has. */
interface Batch {
  /** Whoever left it waits in the queue, or is in another batch by now. */
  entries: readonly Entry[];
  readonly goods: Set<StockKey>;
}

/** Under what a batch goes. */
interface Guarded {
  readonly guard: Guard;
  /** It goes although others have some of its goods. */
  readonly insists: boolean;
}

/** Forms batches of those who wait and leads them to their ends, so many at a time. */
export class Dispatcher {
  readonly #log: Log;
  readonly #observer: StockObserver | undefined;
  readonly #limits: LanesLimits;
  readonly #queue = new Queue<Entry>();
  readonly #isWanted = (stockKey: StockKey) => this.#queue.isWanted(stockKey);
  readonly #guards: Guards;
  readonly #refusals: Refusals;
  readonly #detours: RowLockDetours;
  readonly #batchParts: BatchParts;
  readonly #dispatched: () => void;
  readonly #underWay: BatchesUnderWay;
  #planned = false;
  #sweeping: ReturnType<typeof setTimeout> | undefined;

  /** `dispatched` is called after each look for batches. */
  constructor(parts: DispatcherParts, limits: LanesLimits, tallies: LanesTallies, dispatched: () => void) {
    const { store, settle, settleKept, mode, log, random, observer, clocks = OWN_CLOCKS } = parts;
    this.#log = log;
    this.#observer = observer;
    this.#underWay = new BatchesUnderWay(limits.batchesMax, clocks);
    this.#limits = limits;
    this.#dispatched = dispatched;
    this.#guards = guardsOf(mode, log, observer);
    this.#refusals = new Refusals(this.#queue, limits, {
      random,
      seemsFree: (stockKey) => this.#guards.seemsFree(stockKey),
      unparked: () => this.#dispatch(),
    });
    this.#detours = new RowLockDetours(log, () => performance.now());
    this.#batchParts = {
      store,
      settle,
      settleKept,
      log,
      random,
      detours: this.#detours,
      tallies,
      locked: new LockedRows(store, () => performance.now()),
      kept: new KeptLevels(clocks),
      batchMsMax: limits.lockWaitMsMax,
      writeMsMax: limits.writeMsMax,
    };
  }

  /** Entries that stand in line now; those of a batch under way do not. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Entries of the goods that wait or are under way. */
  entriesOf(stockKey: StockKey): number {
    return this.#queue.entriesOf(stockKey);
  }

  /** Whether a whole batch waits: else nobody is known to wait for long. */
  get isLong(): boolean {
    return this.#queue.waiting >= BATCH_LIMITS.entriesMax;
  }

  /** How long an entry of these goods would wait at the least, in ms, where the queue {@link isLong}. */
  waitMs(stockKeys: readonly StockKey[]): number {
    return this.#queue.waitMs(stockKeys, BATCH_LIMITS, this.#limits.batchesMax);
  }

  /** Batches under way. */
  get batches(): number {
    return this.#underWay.size;
  }

  /** Whether batches go by row locks for want of a quorum of the lock. */
  get fallback(): FallbackView {
    return this.#guards.fallback;
  }

  /** Batches that went by row locks although the mode is another, and although nothing is away. */
  get detours(): Readonly<Record<DetourCause, number>> {
    return this.#detours.totals.counts;
  }

  /** Has the entries stand in line, but for those that have ended. */
  add(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!entry.leave()) this.#queue.add(entry);
    }
    this.#plan();
  }

  /** Releases every lease, also of batches that are still under way. */
  close(): void {
    clearTimeout(this.#sweeping);
    this.#guards.releaseAll();
  }

  /** Not at once: entries that come in the same turn go together. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#underWay.mayBegin(this.isLong)) {
      const entries = this.#queue.take(BATCH_LIMITS);
      if (entries.length === 0) break;
      if (this.#observer === undefined) void this.#lead(entries);
      else void this.#observer.batch(new Observed(entries, this.#limits), () => this.#lead(entries));
    }
    // Whoever was sidelined, or left, wants its other goods no more.
    this.#releaseUnwanted(this.#queue.leftGoods());
    if (this.#queue.waiting > 0) this.#sweeping ??= setTimeout(() => this.#sweep(), SWEEP_MS);
    this.#dispatched();
  }

  /** Ends those whose callers have left while they waited, so that they take nobody's place; and looks for batches. */
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

  #releaseUnwanted(stockKeys: Iterable<StockKey>): void {
    this.#guards.releaseUnwanted(stockKeys, this.#isWanted);
  }

  /** Leads one batch to its end; its goods are busy until then. */
  async #lead(taken: readonly Entry[]): Promise<void> {
    const goods = new Set(keysOfAll(taken));
    const batch: Batch = { entries: taken, goods };
    const begun = this.#underWay.begin();
    this.#batchParts.tallies.batchBegan(taken.length);
    try {
      const guarded = await this.#take(batch);
      if (guarded !== undefined) {
        const { moved, next, refused } = await runBatch(batch.entries, guarded.guard, this.#batchParts);
        if (!guarded.insists) this.#refusals.had(goods, refused);
        for (const entry of next) this.#queue.requeue(entry);
        for (const entry of moved) this.#queue.move(entry);
        this.#guards.release(this.#refusals.refuseAll(refused));
      }
    } catch (error) {
      this.#log.error({ error: errorFields(error) }, "a batch failed by a fault of the service");
      for (const entry of batch.entries) {
        if (!entry.hasEnded) entry.fail(error);
      }
    }
    for (const entry of taken) {
      if (entry.hasEnded) this.#queue.remove(entry);
    }
    // The answers go out first, and those who come back at once are seen before the lease is released.
    await nextTurn();
    this.#guards.batchOver(goods);
    this.#guards.linger(goods, this.#isWanted);
    await this.#guards.releaseDue(goods);
    this.#queue.free(goods, this.#underWay.end(begun));
    this.#dispatch();
  }

  /**
   * Makes the goods of the batch ours; entries whose goods can't be had leave it, with those of its goods that only
   * they need. Answers under what the others go; undefined: there are none.
   */
  async #take(batch: Batch): Promise<Guarded | undefined> {
    batch.entries = batch.entries.filter((entry) => !entry.leave());
    for (let attempt = 1; batch.entries.length > 0; attempt++) {
      const needed = keysOfAll(batch.entries);
      const taken = await this.#guards.take(needed);
      if (taken.is === "guarded") return { guard: taken.guard, insists: false };
      const { refused } = taken;
      // Whoever has them moves them.
      this.#batchParts.kept.forget(refused.stockKeys);
      if (batch.entries.some((entry) => this.#refusals.insists(entry, refused))) {
        this.#detours.note("severalGoods");
        return { guard: ROW_LOCKS, insists: true };
      }
      const others = new Set(attempt < LEASE_ATTEMPTS_MAX ? refused.stockKeys : needed);
      const out = new Set(batch.entries.filter((entry) => entry.stockKeys.some((stockKey) => others.has(stockKey))));
      const rest = batch.entries.filter((entry) => !out.has(entry) && !entry.leave());
      this.#refusals.refuse([...out], { ...refused, stockKeys: [...others] });
      batch.entries = rest;
      if (refused.afterMs === undefined) this.#refusals.endBehind(refused);
      this.#free(batch.goods, new Set(keysOfAll(rest)));
    }
    return undefined;
  }

  /** Frees those of the goods of a batch that it needs no more. */
  #free(goods: Set<StockKey>, needed: ReadonlySet<StockKey>): void {
    const spare = [...goods].filter((stockKey) => !needed.has(stockKey));
    for (const stockKey of spare) goods.delete(stockKey);
    this.#guards.batchOver(spare);
    this.#releaseUnwanted(spare);
    this.#queue.free(spare);
    this.#plan();
  }
}

function guardsOf(mode: Mode, log: Log, observer: StockObserver | undefined): Guards {
  switch (mode.concurrency) {
    case "redlock":
      return new RedlockGuards(mode, log, observer);
    case "row":
      return new RowGuards();
    case "optimistic":
      return new OptimisticGuards();
  }
}
