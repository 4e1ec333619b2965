/**
 * One batch whose goods are ours: read -> settle -> one fenced write -> answer. Two round trips, whatever its size,
 * with or without row locks from the read to the commit; one where the levels of its goods are kept and it is
 * nothing but sales that are made. What becomes of those whose read or write failed is retry_rule.ts.
 *
 * Entries whose goods a foreign session has locked are requeued; before they are tried again, the goods are looked at,
 * so that nobody waits on a connection twice. An entry whose own order is locked ends as busy, and is looked at before
 * it is tried again.
 *
 * A write whose outcome is unknown is tried again under the same ids. Either the read finds its orders on record, and
 * they are answered as such; or the same rows stand unchanged, and the second write waits in PostgreSQL for the first
 * to end; or a row has moved on, and the first can't commit any more. All that write come to the true answer. What
 * writes nothing meets no first write, so an entry of a lost write is refused only where its id is on record as what
 * that write can't have made it (entry.ts): else it ends as of unknown outcome, and since no order was sold on the
 * strength of another of its batch (settle.ts), its retry comes to a write again.
 */
import type { Changes, Snapshot } from "../inventory/model.ts";
import { keyOf, type StockKey } from "../inventory/stock_key.ts";
import { setTimeout as delay } from "node:timers/promises";
import { NEVER } from "../base/never.ts";
import { LeaseTakenError } from "../lock/lock.ts";
import { DatabaseUnavailableError, FenceLostError, OutcomeUnknownError, RowLockedError } from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { readAgain } from "./again.ts";
import { Decision, type DecisionParts, keysOf } from "./decision.ts";
import { type Entry, keysOfAll } from "./entry.ts";
import type { KeptLevels } from "./kept_levels.ts";
import type { RefusedEntry, Requeued } from "./requeued.ts";
import type { LanesTallies } from "./tallies.ts";
import { LockedRows, type Looked } from "./locked_rows.ts";
import type { Guard } from "./modes/mode.ts";
import type { RowLockDetours } from "./modes/row_lock_detours.ts";
import {
  afterFailure,
  afterLook,
  ATTEMPTS_WITHOUT_ROW_LOCKS,
  causeOf,
  goesByRowLocks,
  GROUP_ATTEMPTS_MAX,
  inHalves,
  inPieces,
  isOfDatabase,
  pauseMs,
} from "./retry_rule.ts";

/** What a batch works with. */
export interface BatchParts extends DecisionParts {
  readonly store: Store;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** Counts the batches that go by row locks although their guard is another. */
  readonly detours: RowLockDetours;
  /** Counts failed attempts, and leases that ran out. */
  readonly tallies: LanesTallies;
  /** Which rows were seen locked; one for all batches of the process. */
  readonly locked: LockedRows;
  /** Of all batches of the process. */
  readonly kept: KeptLevels;
  /** Of all attempts of one batch together, in ms. */
  readonly batchMsMax: number;
}

/** Entries that are decided and written together; `attempt` is from 1. */
interface Group {
  readonly entries: readonly Entry[];
  readonly attempt: number;
}

/** Leads the entries of one batch, which are sorted by arrival, to their ends; answers those that have not ended. */
export async function runBatch(entries: readonly Entry[], guard: Guard, parts: BatchParts): Promise<Requeued> {
  const batch = new Batch(guard, parts);
  await batch.run(entries);
  return batch;
}

class Batch implements Requeued {
  readonly moved: Entry[] = [];
  readonly next: Entry[] = [];
  readonly refused: RefusedEntry[] = [];
  readonly #guard: Guard;
  readonly #parts: BatchParts;
  readonly #untilMs: number;
  /** What a group met that ended because of the database as such. */
  #databaseError: unknown;

  constructor(guard: Guard, parts: BatchParts) {
    this.#guard = guard;
    this.#parts = parts;
    this.#untilMs = performance.now() + parts.batchMsMax;
  }

  async run(entries: readonly Entry[]): Promise<void> {
    const groups: Group[] = [{ entries, attempt: 1 }];
    for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
      if (this.#databaseError !== undefined && !this.#isInTime()) {
        // It is everybody's, and each group would find that out by the time limits of its own statements.
        const cause = this.#databaseError;
        this.#fail(group.entries, new DatabaseUnavailableError("a part of the batch has met it", { cause }));
        continue;
      }
      // By arrival: the first of them is at the end.
      groups.push(...(await this.#attempt(group)).toReversed());
    }
  }

  #isInTime(): boolean {
    return performance.now() < this.#untilMs;
  }

  /** One read and one write. Answers the groups that go on instead. */
  async #attempt({ entries, attempt }: Group): Promise<readonly Group[]> {
    const { random, locked, detours } = this.#parts;
    if (attempt > 1) await delay(pauseMs(attempt, random()));
    const decision = new Decision(entries.filter((entry) => !entry.leave()), this.#guard, this.#parts);
    try {
      if (decision.entries.some((entry) => locked.isSuspect(entry))) {
        const seen = await this.#requeueLocked(decision.entries, true);
        this.#fail(seen.locked, new RowLockedError("the order is locked by another session"));
        decision.entries = seen.free;
      }
      if (decision.entries.length === 0) return [];
      const isDetour = !this.#guard.rowLocks && goesByRowLocks(attempt);
      if (isDetour && attempt === ATTEMPTS_WITHOUT_ROW_LOCKS + 1) detours.note("failedAttempts");
      await this.#change(decision, this.#guard.rowLocks || isDetour);
    } catch (error) {
      this.#parts.kept.forget(keysOfAll(entries));
      decision.chargeWaiting();
      this.#take(decision);
      for (const entry of decision.entries) entry.pause();
      if (error instanceof OutcomeUnknownError) decision.noteLostWrite(error);
      return await this.#after(error, { entries: decision.entries, attempt });
    }
    this.#take(decision);
    decision.answer();
    return [];
  }

  /** Decides the entries, on levels that are kept or on a snapshot, and commits what that comes to. */
  async #change(decision: Decision, rowLocks: boolean): Promise<void> {
    const { store, kept } = this.#parts;
    if (!rowLocks && await this.#changeUnread(decision)) return;
    const keys = keysOf(decision.entries);
    let readMs: number | undefined;
    const decide = async (snapshot: Snapshot) => {
      readMs = kept.nowMs;
      return await decision.make(snapshot);
    };
    let changes: Changes | undefined;
    if (rowLocks) {
      await store.changeUnderRowLocks(keys, async (snapshot) => changes = await decide(snapshot), NEVER);
    } else {
      changes = await decide(await readAgain(() => store.readSnapshot(keys, NEVER)));
      if (changes !== undefined) await this.#write(changes);
    }
    if (changes !== undefined) kept.wrote(changes, readMs);
  }

  /** The same without a read; answers false where there has to be one, and nothing was written. */
  async #changeUnread(decision: Decision): Promise<boolean> {
    const { kept, tallies } = this.#parts;
    const levels = kept.of(decision.entries);
    if (levels === undefined) return false;
    const changes = await decision.makeUnread(levels);
    if (changes === "to be read for") return false;
    if (changes === undefined) return true;
    try {
      decision.writtenAt(await this.#write(changes) ?? changes.atMs);
    } catch (error) {
      if (!(error instanceof FenceLostError)) throw error;
      // Others have moved some of the goods, one of the orders is on record, or the clock is behind a last write.
      tallies.unread.add("lost");
      kept.moved(keysOfAll(decision.entries));
      decision.undo();
      return false;
    }
    tallies.unread.add("written");
    kept.wrote(changes);
    return true;
  }

  async #write(changes: Changes): Promise<number | void> {
    const { store, log } = this.#parts;
    try {
      return await store.writeChanges(changes, NEVER);
    } finally {
      // The write ends long before the lease does, unless the whole process stood still.
      const overMs = -this.#guard.remainingMs(changes.levels.map(({ after }) => keyOf(after)));
      if (overMs > 0) {
        this.#parts.tallies.leasesRanOut.add("under_write");
        log.warn({ overMs: Math.round(overMs) }, "a lease ran out under its write; the ledger's fence has decided");
      }
    }
  }

  /** The entries that the decision left out are requeued. */
  #take({ moved, next, leaseLost }: Decision): void {
    this.moved.push(...moved);
    this.next.push(...next);
    if (leaseLost.length === 0) return;
    this.#parts.tallies.leasesRanOut.add("before_write");
    this.#refuse(leaseLost, new LeaseTakenError("The lease ran out before the write began"));
  }

  /** What becomes of a group whose read or write failed. */
  async #after(error: unknown, { entries, attempt }: Group): Promise<readonly Group[]> {
    this.#parts.log.debug(
      { attempt, entries: entries.length, error: errorFields(error) },
      "an attempt on a batch failed",
    );
    const tried = { attempt, entries: entries.length, inTime: this.#isInTime() };
    const cause = causeOf(error);
    if (cause === "row_locked") {
      return await this.#afterLocked(error as RowLockedError, { entries, attempt }, tried.inTime);
    }
    const next = afterFailure(cause, tried);
    this.#parts.tallies.attemptFailed(cause, next !== "fail");
    switch (next) {
      case "again":
        return [{ entries, attempt: attempt + 1 }];
      case "halves":
        return groupsOf(inHalves(entries));
      case "requeue":
        this.#refuse(entries, new LeaseTakenError("The batch took too long"));
        return [];
      case "fail":
        if (isOfDatabase(cause)) this.#databaseError = error;
        this.#fail(entries, error);
        return [];
    }
  }

  async #afterLocked(error: RowLockedError, { entries, attempt }: Group, inTime: boolean): Promise<readonly Group[]> {
    let seen: Looked;
    try {
      seen = await this.#requeueLocked(entries, false);
    } catch (readError) {
      this.#fail(entries, readError);
      return [];
    }
    const { free, waiting, locked } = seen;
    const next = afterLook({ attempt, entries: entries.length, inTime }, {
      waiting: waiting.length,
      locked: locked.length,
      free: free.length,
    });
    this.#parts.tallies.attemptFailed("row_locked", next.free !== "fail" || next.locked !== "fail");
    if (next.free === "fail") this.#fail(free, error);
    if (next.locked === "fail") this.#fail(locked, error);
    if (next.free === "requeue") this.#refuse(free, error);
    if (next.locked === "requeue") this.#refuse(locked, error);
    const groups: Group[] = [];
    if (next.free === "again") groups.push({ entries: free, attempt: attempt + 1 });
    if (typeof next.free === "number") groups.push(...groupsOf(inPieces(free, next.free)));
    if (next.locked === "alone") {
      groups.push(...locked.map((entry) => ({ entries: [entry], attempt: GROUP_ATTEMPTS_MAX })));
    }
    return groups;
  }

  /** Requeues those whose goods a foreign session has locked. Throws the errors of the store. */
  async #requeueLocked(entries: readonly Entry[], suspectsOnly: boolean): Promise<Looked> {
    const seen = await this.#parts.locked.look(entries, suspectsOnly);
    for (const entry of seen.waiting) entry.rowsWereLocked = true;
    this.#refuse(seen.waiting, new RowLockedError("locked by another session"), seen.stockKeys);
    return seen;
  }

  /** `refused`: the goods that can't be had, which each entry has some of; where it is not known, all are. */
  #refuse(entries: readonly Entry[], error: Error, refused?: ReadonlySet<StockKey>): void {
    for (const entry of entries) {
      entry.pause();
      const stockKeys = refused === undefined
        ? entry.stockKeys
        : entry.stockKeys.filter((stockKey) => refused.has(stockKey));
      this.refused.push({ entry, stockKeys, error });
    }
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

function groupsOf(pieces: readonly (readonly Entry[])[]): Group[] {
  return pieces.map((entries) => ({ entries, attempt: 1 }));
}
