/**
 * The way of one batch whose goods are ours: read -> settle -> one fenced write -> answer. Two round trips, whatever
 * its size, with or without row locks from the read to the commit.
 *
 * A write that fails changed nothing, and the batch goes the way again, because most of what can fail (another's
 * change of the same rows, a deadlock) is over by then. What fails again is for one order's sake: the batch goes on in
 * halves, until only that order carries the failure. Orders whose goods a foreign session has locked are given back, to
 * be tried later; before that is tried, the goods are looked at, so that nobody waits on a connection twice. An order
 * whose own record is locked ends as busy, and is looked at before it is tried again.
 *
 * A write whose outcome is unknown goes the way again as well, under the same ids. Either the read finds its orders on
 * record, and they are answered as such; or the same rows stand unchanged, and the second write waits in PostgreSQL for
 * the first to end; or a row has moved on, and the first can't commit any more. All that write come to the true answer.
 * What writes nothing meets no first write, so an order of a lost write is not refused: it ends as of unknown outcome,
 * and since no order was sold on the strength of another of its batch (settle.ts), its retry comes to a write again.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Changes, Snapshot, Verdict } from "../inventory/model.ts";
import { changesNothing, type settle } from "../inventory/settle.ts";
import { LeaseTakenError } from "../lock/lock.ts";
import {
  BlockLostError,
  ConflictError,
  DatabaseUnavailableError,
  FenceLostError,
  OutcomeUnknownError,
  RowLockedError,
} from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { attemptPauseMs } from "./attempt_pause.ts";
import { goodsOfAll, keysOf, learnGoods } from "./batch_keys.ts";
import type { Entry } from "./entry.ts";
import { LockedRows, type Looked } from "./locked_rows.ts";
import { again } from "./reads.ts";
import type { RowLockDetours } from "./modes/row_lock_detours.ts";

/** What a batch works with. */
export interface BatchRunnerParts {
  readonly store: Store;
  readonly settle: typeof settle;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** Told of batches that go by row locks beside their guard. */
  readonly detours: RowLockDetours;
  /** Limits in ms: of the whole way of one batch, and of its write. */
  readonly batchMsMax: number;
  readonly writeMsMax: number;
}

/** What keeps others away from the goods of a batch. */
export interface Guard {
  /** Rows are locked from before the read until the commit. */
  readonly rowLocks: boolean;
  /** The rest is of leases; where there are none, everything is ours. */
  keep(goodsIds: readonly number[], neededMs: number): Promise<boolean>;
  remainingMs(goodsIds: readonly number[]): number;
}

/** Entries that have not ended and are to be queued again. */
export interface Requeued {
  /** Their goods were not known when they were queued. */
  readonly moved: Entry[];
  /** They lean on what others of the batch changed, or stand behind one that moved, and are decided after those. */
  readonly next: Entry[];
  /** Some of their goods could not be written now: which, and why. */
  readonly refused: { readonly entry: Entry; readonly goodsIds: readonly number[]; readonly error: Error }[];
}

/** `weather`: what a group met that ended because of the database as such. */
type UnderWay = Requeued & { weather?: Error };

/** Orders that are decided and written together. */
interface Group {
  readonly entries: readonly Entry[];
  /** From 1. */
  readonly attempt: number;
  readonly untilMs: number;
}

/** A single order that always meets somebody else's change gives up after this many. */
const ATTEMPTS_MAX = 20;
/** Attempts of several orders together before they go on in halves. */
const GROUP_ATTEMPTS_MAX = 2;
/** The same where it was others who changed the rows: by the way without leases that happens often, and soon ends. */
const FENCE_ATTEMPTS_MAX = 8;
/** So many orders that are seen locked try once more, for it may be another process that has them for a moment. */
const HELD_MAX = 4;
/** So many orders go on one by one when one of them waits for its own record; more go on in pieces. */
const SINGLES_MAX = 24;
/** Whoever has tried so often goes on under row locks, whatever the way: PostgreSQL gives everybody his turn. */
const ATTEMPTS_WITHOUT_ROW_LOCKS = 3;

const NEVER = new AbortController().signal;

/** Leads batches through the store. */
export class BatchRunner {
  readonly #parts: BatchRunnerParts;
  readonly #locked: LockedRows;

  constructor(parts: BatchRunnerParts) {
    this.#parts = parts;
    this.#locked = new LockedRows(parts.store, () => performance.now());
  }

  /** Leads the entries, which stand in the order of their arrival, to their ends; answers those that have not ended. */
  async run(entries: readonly Entry[], guard: Guard): Promise<Requeued> {
    const back: UnderWay = { moved: [], next: [], refused: [] };
    const groups: Group[] = [{ entries, attempt: 1, untilMs: performance.now() + this.#parts.batchMsMax }];
    for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
      if (back.weather !== undefined && performance.now() >= group.untilMs) {
        // It is everybody's, and each group would find that out by the time limits of its own statements.
        this.#fail(
          group.entries,
          new DatabaseUnavailableError("a part of the batch has met it", { cause: back.weather }),
        );
        continue;
      }
      // In the order of arrival: the first of them is at the end.
      groups.push(...(await this.#step(group, guard, back)).reverse());
    }
    return back;
  }

  /** One read and one write. Answers the groups that go on instead. */
  async #step(group: Group, guard: Guard, back: UnderWay): Promise<Group[]> {
    if (group.attempt > 1) await delay(attemptPauseMs(group.attempt, this.#parts.random()));
    let entries = group.entries.filter((entry) => !entry.leave());
    if (entries.length === 0) return [];
    let verdicts: readonly Verdict[] = [];
    const decide = async (snapshot: Snapshot): Promise<Changes | undefined> => {
      const moved = entries.filter((entry) => learnGoods(entry, snapshot));
      back.moved.push(...moved);
      const ahead = moved[0] === undefined ? entries : entries.slice(0, entries.indexOf(moved[0]));
      // Whoever stands behind one of them may want its goods, and must not go before it.
      back.next.push(...entries.slice(ahead.length).filter((entry) => !moved.includes(entry)));
      entries = ahead.filter((entry) => entry.begin());
      const settled = this.#parts.settle(snapshot, entries.map((entry) => entry.operation));
      verdicts = settled.verdicts;
      const rest = entries.slice(verdicts.length);
      for (const entry of rest) entry.pause();
      back.next.push(...rest);
      entries = entries.slice(0, verdicts.length);
      if (changesNothing(settled.changes)) return undefined;
      if (await guard.keep(goodsOfAll(entries), this.#parts.writeMsMax)) return settled.changes;
      requeue(entries, new LeaseTakenError("The lease ran out before the write began"), back);
      entries = [];
      return undefined;
    };
    try {
      const isSuspect = entries.some((entry) => this.#locked.isSuspect(entry));
      if (isSuspect) {
        const { free, held } = await this.#leaveLocked(entries, true, back);
        this.#fail(held, new RowLockedError("the order is locked by another session"));
        entries = free;
      }
      if (entries.length === 0) return [];
      const isDetour = !guard.rowLocks && group.attempt > ATTEMPTS_WITHOUT_ROW_LOCKS;
      if (isDetour && group.attempt === ATTEMPTS_WITHOUT_ROW_LOCKS + 1) this.#parts.detours.note("failedAttempts");
      await this.#change(entries, decide, guard, guard.rowLocks || isDetour);
    } catch (error) {
      for (const entry of entries) entry.pause();
      if (error instanceof OutcomeUnknownError) {
        // Who was refused has no part in the write.
        entries.forEach((entry, i) => verdicts[i]?.ok === true && (entry.lostWrite = error));
      }
      return await this.#after(error, { ...group, entries }, back);
    }
    entries.forEach((entry, i) => {
      const verdict = verdicts[i];
      if (verdict === undefined) throw new Error("settle gave no verdict for an operation");
      entry.answer(verdict);
    });
    return [];
  }

  /** Reads the snapshot of the entries, and commits what `decide` makes of it. */
  async #change(
    entries: readonly Entry[],
    decide: (snapshot: Snapshot) => Promise<Changes | undefined>,
    guard: Guard,
    rowLocks: boolean,
  ): Promise<void> {
    const { store, log } = this.#parts;
    const keys = keysOf(entries);
    if (rowLocks) return await store.changeUnderRowLocks(keys, decide, NEVER);
    const changes = await decide(await again(() => store.readSnapshot(keys, NEVER)));
    if (changes === undefined) return;
    try {
      await store.writeChanges(changes, NEVER);
    } finally {
      // The write ends long before the lease does, unless the whole process stood still.
      const overMs = -guard.remainingMs(keys.goodsIds);
      if (overMs > 0) {
        log.warn({ overMs: Math.round(overMs) }, "a lease ran out under its write; the ledger's fence has decided");
      }
    }
  }

  /** What becomes of a group whose read or write failed. */
  async #after(error: unknown, group: Group, back: UnderWay): Promise<Group[]> {
    const { entries, attempt } = group;
    this.#parts.log.debug({ attempt, orders: entries.length, error: errorFields(error) }, "going the way again");
    const inTime = performance.now() < group.untilMs;
    if (error instanceof RowLockedError) return await this.#afterLock(error, group, inTime, back);
    if (error instanceof OutcomeUnknownError && inTime && attempt < ATTEMPTS_MAX) {
      return [{ ...group, attempt: attempt + 1 }];
    }
    const fenced = error instanceof FenceLostError;
    const passing = fenced || error instanceof ConflictError || error instanceof BlockLostError;
    const groupMax = fenced ? FENCE_ATTEMPTS_MAX : GROUP_ATTEMPTS_MAX;
    const attemptsMax = entries.length > 1 ? groupMax : ATTEMPTS_MAX;
    if (passing && inTime && attempt < attemptsMax) return [{ ...group, attempt: attempt + 1 }];
    // The database's weather is nobody's fault.
    const weather = error instanceof DatabaseUnavailableError || error instanceof OutcomeUnknownError ||
      error instanceof BlockLostError;
    if (weather) back.weather = error;
    if (entries.length === 1 || weather) {
      this.#fail(entries, error);
      return [];
    }
    if (!inTime) {
      // It may be one order's fault, and which one is not known yet.
      requeue(entries, new LeaseTakenError("The batch took too long"), back);
      return [];
    }
    const middle = entries.length >> 1;
    return [entries.slice(0, middle), entries.slice(middle)].map((half) => ({ ...group, attempt: 1, entries: half }));
  }

  /**
   * Who waits for goods that others have locked is given back, who waits for his own order tries once more by himself,
   * and the others go again. Where nothing is seen it is one order's own record that somebody holds, which no look can
   * find while it is not committed: the group goes on in as many pieces as each has orders, and that piece one by one,
   * so that whatever its size it waits twice, and that order ends alone.
   */
  async #afterLock(error: RowLockedError, group: Group, inTime: boolean, back: Requeued): Promise<Group[]> {
    const { entries, attempt } = group;
    let looked: Looked;
    try {
      looked = await this.#leaveLocked(entries, false, back);
    } catch (readError) {
      this.#fail(entries, readError);
      return [];
    }
    const { free, waiting, held } = looked;
    const isLast = entries.length === 1 && waiting.length === 0 && attempt === GROUP_ATTEMPTS_MAX;
    if (isLast || held.length > HELD_MAX) this.#fail(isLast ? entries : held, error);
    if (isLast) return [];
    const alone = held.length > HELD_MAX ? [] : held;
    if (!inTime || attempt === ATTEMPTS_MAX) {
      requeue([...free, ...alone], error, back);
      return [];
    }
    if (free.length < entries.length || entries.length === 1) {
      const others = { ...group, entries: free, attempt: attempt + 1 };
      return [others, ...alone.map((entry) => ({ ...group, entries: [entry], attempt: GROUP_ATTEMPTS_MAX }))];
    }
    const size = free.length <= SINGLES_MAX ? 1 : Math.ceil(Math.sqrt(free.length));
    return Array.from({ length: Math.ceil(free.length / size) }, (_, i) => ({
      ...group,
      attempt: 1,
      entries: free.slice(i * size, (i + 1) * size),
    }));
  }

  /** Gives those back whose goods a foreign session has locked. */
  async #leaveLocked(entries: readonly Entry[], suspectsOnly: boolean, back: Requeued): Promise<Looked> {
    const looked = await this.#locked.look(entries, suspectsOnly);
    for (const entry of looked.waiting) entry.rowsWereLocked = true;
    requeue(looked.waiting, new RowLockedError("locked by another session"), back, looked.goodsIds);
    return looked;
  }

  #fail(entries: readonly Entry[], error: unknown): void {
    if (entries.some((entry) => entry.lostWrite !== undefined && entry.lostWrite !== error)) {
      this.#parts.log.error({ error: errorFields(error) }, "a lost write could not be looked for");
    }
    for (const entry of entries) {
      if (!entry.leave()) entry.fail(error);
    }
  }
}

/** `refused`: the goods that can't be had, which each entry has some of; where it is not known, all are. */
function requeue(entries: readonly Entry[], error: Error, back: Requeued, refused?: ReadonlySet<number>): void {
  for (const entry of entries) {
    entry.pause();
    const goodsIds = refused === undefined ? entry.goodsIds : entry.goodsIds.filter((goodsId) => refused.has(goodsId));
    back.refused.push({ entry, goodsIds, error });
  }
}
