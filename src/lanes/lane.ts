/**
 * The way of one operation: turn -> slot -> lease -> read -> settle -> one fenced write -> answer -> let go.
 *
 * The lease is taken before the read and let go after the commit. It orders the queue; what decides is the
 * fence of the write, so a lost lease costs a repetition and never a wrong answer.
 *
 * A write whose outcome is unknown is looked for under its ids, with neither turn nor lease. If it is not on
 * record it may still be under way, and the operation goes the way again: either the same rows stand
 * unchanged, and the second write waits in PostgreSQL for the first to end, or a row has moved on, and the
 * first can't commit any more. Both lead to the true answer.
 */
import { setTimeout as delay } from "node:timers/promises";
import { goodsOf, recordIds } from "../inventory/ids.ts";
import type { Book, Level, Operation, Order, Verdict } from "../inventory/model.ts";
import { changesNothing, settle } from "../inventory/settle.ts";
import { type Lease, type Lock, LockHeldError } from "../lock/lock.ts";
import {
  ConflictError,
  DatabaseUnavailableError,
  FenceLostError,
  OutcomeUnknownError,
  RowLockedError,
} from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { Failure, failureOf } from "./failure.ts";
import type { Slots } from "./slots.ts";
import type { Turns } from "./turns.ts";

/** What a lane works with. */
export interface LaneParts {
  readonly store: Store;
  readonly lock: Lock;
  readonly turns: Turns;
  readonly slots: Slots;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
}

/** Limits of one operation, in ms. */
export interface LaneLimits {
  /** Operations under way, waiting or not. */
  readonly operationsMax: number;
  /** Longest wait for turn and lease together, from the caller's arrival. */
  readonly lockWaitMsMax: number;
  /** Time that a write may take; nothing is written under a lease that has less left. */
  readonly writeMsMax: number;
}

/** How often an operation goes the way before it gives up: each time somebody else's change was first. */
const ATTEMPTS_MAX = 20;
/** How often a read is done again because its connection was lost. */
const READ_ATTEMPTS_MAX = 3;
/** Bounds of the random pause before going again; the upper one doubles up to the maximum. */
const PAUSE_MS_FIRST = 2;
const PAUSE_MS_MAX = 50;

/** How one attempt ended that may be followed by another. */
type Attempt =
  | { readonly verdict: Verdict }
  | { readonly error: unknown }
  /** The order was sold between two reads, so its goods were not known when the turn was taken. */
  | { readonly order: Order | undefined };

/** Decides and writes operations, and reads levels. */
export class Lane {
  readonly #parts: LaneParts;
  readonly #limits: LaneLimits;
  #underWay = 0;

  constructor(parts: LaneParts, limits: LaneLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  /**
   * Applies the operation once, or finds that it was applied before, or refuses it.
   *
   * Work that has not begun to commit stops when `signal` aborts. Throws Failure, or the signal's reason.
   */
  async apply(operation: Operation, signal: AbortSignal): Promise<Verdict> {
    const { operationsMax } = this.#limits;
    if (this.#underWay >= operationsMax) throw new Failure("queue_full", `${operationsMax} operations are under way`);
    this.#underWay++;
    try {
      return await this.#apply(operation, signal);
    } finally {
      this.#underWay--;
    }
  }

  async #apply(operation: Operation, signal: AbortSignal): Promise<Verdict> {
    let waitUntilMs = performance.now() + this.#limits.lockWaitMsMax;
    let unknown: OutcomeUnknownError | undefined;
    let last: unknown;
    try {
      let order = await this.#orderOf(operation, signal);
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        if (attempt > 1) await this.#pause(attempt, signal);
        const outcome = await this.#attempt(operation, goodsOf(operation, order), waitUntilMs, signal);
        if ("verdict" in outcome) return outcome.verdict;
        if ("order" in outcome) order = outcome.order;
        else {
          last = outcome.error;
          this.#parts.log.debug({ attempt, error: errorFields(last) }, "going the way again");
          if (!(last instanceof OutcomeUnknownError)) continue;
          unknown = last;
          const verdict = await this.#recorded(operation, goodsOf(operation, order), signal);
          if (verdict !== undefined) return verdict;
          waitUntilMs = performance.now() + this.#limits.lockWaitMsMax;
        }
      }
    } catch (error) {
      last = error;
    }
    signal.throwIfAborted();
    const failure = failureOf(last);
    if (unknown === undefined) throw failure;
    if (!(failure instanceof Failure)) {
      this.#parts.log.error({ error: errorFields(failure) }, "a lost write could not be looked for");
    }
    // Whatever stopped it in the end, the write may have been made.
    throw failureOf(unknown);
  }

  /** The committed level of a goods; undefined if it is unknown. Throws Failure, or the signal's reason. */
  async level(goodsId: number, signal: AbortSignal): Promise<Level | undefined> {
    try {
      return await this.#again(() => this.#parts.store.readLevel(goodsId, signal));
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(error);
    }
  }

  /** The verdict of an operation that is on record; undefined if it is not, or not yet. */
  async #recorded(
    operation: Operation,
    goodsIds: readonly number[],
    signal: AbortSignal,
  ): Promise<Verdict | undefined> {
    const book = await this.#read(operation, goodsIds, signal);
    if (lacksGoods(operation, goodsIds, book)) return undefined;
    const { verdicts: [verdict], changes } = settle(book, [operation]);
    return verdict?.ok && changesNothing(changes) ? verdict : undefined;
  }

  /** A rollback's goods are its order's, so that order is read before its turn comes. */
  async #orderOf(operation: Operation, signal: AbortSignal): Promise<Order | undefined> {
    if (operation.kind !== "rollback") return undefined;
    return orderIn(await this.#read(operation, [], signal), operation);
  }

  async #attempt(
    operation: Operation,
    goodsIds: readonly number[],
    waitUntilMs: number,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const endTurn = await this.#parts.turns.take(goodsIds, waitUntilMs, signal);
    let endSlot: (() => void) | undefined;
    let lease: Lease | undefined;
    try {
      // Waiting for a slot is waiting for this process, not for the goods, and has the caller's deadline only.
      const waitMs = waitUntilMs - performance.now();
      endSlot = await this.#parts.slots.take(signal);
      // Barring an order moves no goods: the primary key of its row is all the exclusion it needs.
      if (goodsIds.length > 0) {
        lease = await this.#parts.lock.acquire(goodsIds, waitMs, signal);
      }
      const book = await this.#read(operation, goodsIds, signal);
      if (lacksGoods(operation, goodsIds, book)) return { order: orderIn(book, operation) };
      const { verdicts: [verdict], changes } = settle(book, [operation]);
      if (verdict === undefined) throw new Error("settle gave no verdict for the operation");
      if (changesNothing(changes)) return { verdict };
      if (lease !== undefined && lease.remainingMs() < this.#limits.writeMsMax) {
        return { error: new LockHeldError("The lease ran out before the write began") };
      }
      signal.throwIfAborted();
      try {
        await this.#parts.store.writeChanges(changes, signal);
        return { verdict };
      } catch (error) {
        if (isRepeatable(error)) return { error };
        throw error;
      }
    } finally {
      lease?.release();
      endSlot?.();
      endTurn();
    }
  }

  #read(operation: Operation, goodsIds: readonly number[], signal: AbortSignal): Promise<Book> {
    const keys = { goodsIds, ...recordIds(operation) };
    return this.#again(() => this.#parts.store.readBook(keys, signal));
  }

  /** A read that lost its connection changed nothing and is simply done again. */
  async #again<T>(read: () => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError)) throw error;
        if (attempt === READ_ATTEMPTS_MAX) throw new DatabaseUnavailableError(error.message, { cause: error });
      }
    }
  }

  async #pause(attempt: number, signal: AbortSignal): Promise<void> {
    const ceiling = Math.min(PAUSE_MS_FIRST * 2 ** (attempt - 2), PAUSE_MS_MAX);
    await delay(this.#parts.random() * ceiling, undefined, { signal });
  }
}

/** The order that a rollback is about; undefined if it is unknown, and for other operations. */
function orderIn(book: Book, operation: Operation): Order | undefined {
  return operation.kind === "rollback" ? book.orders.get(operation.orderId) : undefined;
}

/** Whether the book shows that the operation moves goods beyond `goodsIds`, for which it was read. */
function lacksGoods(operation: Operation, goodsIds: readonly number[], book: Book): boolean {
  const read = new Set(goodsIds);
  return goodsOf(operation, orderIn(book, operation)).some((goodsId) => !read.has(goodsId));
}

function isRepeatable(error: unknown): boolean {
  return error instanceof FenceLostError || error instanceof ConflictError || error instanceof RowLockedError ||
    error instanceof OutcomeUnknownError;
}
