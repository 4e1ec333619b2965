/**
 * The way of one operation: turn -> lease -> read -> settle -> one fenced write -> answer -> let go.
 *
 * The lease is taken before the read and let go after the commit. It orders the queue; what decides is the
 * fence of the write, so a lost lease costs a repetition and never a wrong answer.
 *
 * A write whose outcome is unknown is found out by going the way again under the same ids: either the read
 * finds the record, or the same rows stand unchanged and the second write waits in PostgreSQL for the first
 * to end, or a row has moved on and the first can't commit any more. All three lead to the true answer.
 */
import { setTimeout as delay } from "node:timers/promises";
import { goodsOf, recordIds } from "../inventory/ids.ts";
import type { Book, Level, Operation, Order, Verdict } from "../inventory/model.ts";
import { changesNothing, settle } from "../inventory/settle.ts";
import { type Lease, type Lock, LockHeldError } from "../lock/lock.ts";
import { ConflictError, DatabaseUnavailableError, FenceLostError, OutcomeUnknownError } from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { failureOf } from "./failure.ts";
import type { Turns } from "./turns.ts";

export interface LaneParts {
  readonly store: Store;
  readonly lock: Lock;
  readonly turns: Turns;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
}

export interface LaneLimits {
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
    const waitUntilMs = performance.now() + this.#limits.lockWaitMsMax;
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
          if (last instanceof OutcomeUnknownError) unknown = last;
          this.#parts.log.debug({ attempt, error: errorFields(last) }, "going the way again");
        }
      }
    } catch (error) {
      last = error;
    }
    signal.throwIfAborted();
    // Whatever stopped it in the end: a write may still have been made.
    throw failureOf(unknown ?? last);
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

  /** A rollback's goods are its order's, so that order is read before its turn comes. */
  async #orderOf(operation: Operation, signal: AbortSignal): Promise<Order | undefined> {
    if (operation.kind !== "rollback") return undefined;
    const book = await this.#read(operation, [], signal);
    return book.orders.get(operation.orderId);
  }

  async #attempt(
    operation: Operation,
    goodsIds: readonly number[],
    waitUntilMs: number,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const endTurn = await this.#parts.turns.take(goodsIds, waitUntilMs, signal);
    let lease: Lease | undefined;
    try {
      // Barring an order moves no goods: the primary key of its row is all the exclusion it needs.
      if (goodsIds.length > 0) {
        lease = await this.#parts.lock.acquire(goodsIds, waitUntilMs - performance.now(), signal);
      }
      const book = await this.#read(operation, goodsIds, signal);
      if (operation.kind === "rollback") {
        const order = book.orders.get(operation.orderId);
        if (goodsOf(operation, order).some((goodsId) => !goodsIds.includes(goodsId))) return { order };
      }
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

function isRepeatable(error: unknown): boolean {
  return error instanceof FenceLostError || error instanceof ConflictError || error instanceof OutcomeUnknownError;
}
