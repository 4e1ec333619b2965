/**
 * One operation with its caller, from its arrival to its end.
 *
 *     queued   --begin----> deciding   from here on its caller's leaving stops nothing
 *     queued   --begin----> ended      its caller had left
 *     deciding --pause----> queued     what was begun came to nothing, and it is tried again
 *     queued   --pause----> queued     it had not begun
 *     queued   --leave----> ended      its caller has left
 *     queued   --leave----> queued     it has not
 *     deciding --leave----> deciding
 *     deciding --answer---> ended
 *     queued   --fail-----> ended
 *     deciding --fail-----> ended
 *     ended    --begin, leave--> ended
 *
 * Whatever is not listed throws: an entry ends once.
 */
import { compareKeys, type StockKey } from "../inventory/stock_key.ts";
import { illegalTransition } from "../base/invariant.ts";
import type { Order, Refusal, Verdict } from "../inventory/model.ts";
import { type Operation, rulesOf } from "../inventory/operations/operation.ts";
import { mayFollow } from "../inventory/states.ts";
import type { OutcomeUnknownError } from "../store/errors.ts";
import { failureOf } from "./failure.ts";
import type { Waiting } from "./lane.ts";

/** Called once it has ended: with its verdict, with why it failed, or, where its caller has left, with neither. */
export type Ended = (verdict: Verdict | undefined, error: unknown) => void;

/** An operation with its caller. */
export class Entry implements Waiting {
  readonly operation: Operation;
  /** What it moves, sorted; that of one which changes an order is known with the order. */
  stockKeys: readonly StockKey[];
  /** The order that it changes, as last read; undefined: there is none, or it was not read yet. */
  order: Order | undefined;
  /** Longest wait for goods that others have, on the monotonic clock. */
  readonly waitUntilMs: number;
  /** How often its goods were refused. */
  refusals = 0;
  /**
   * Set once a write of it was lost. That write may have been made, or may still be, so from then on it ends as found
   * on record, as written now, or as of unknown outcome, but never by a refusal for want of something, which writes
   * nothing that would meet the lost write, nor by one for what the order has become after that write.
   */
  lostWrite: OutcomeUnknownError | undefined;
  /** Rows of its goods were seen to be locked by a foreign session. */
  rowsWereLocked = false;
  ticket: unknown = undefined;
  /** The call that it is of, as the observer knows it. */
  readonly call: unknown;
  readonly #end = Promise.withResolvers<Verdict>();
  readonly #ended: Ended;
  readonly #signal: AbortSignal;
  #state: "queued" | "deciding" | "ended" = "queued";

  /** `signal` is its caller's. */
  constructor(
    operation: Operation,
    waitUntilMs: number,
    signal: AbortSignal,
    ended: Ended,
    call?: unknown,
  ) {
    this.operation = operation;
    this.stockKeys = rulesOf(operation).keysOf(operation, undefined);
    this.waitUntilMs = waitUntilMs;
    this.#signal = signal;
    this.#ended = ended;
    this.call = call;
  }

  /** What it comes to. Rejects with a Failure, the signal's reason, or a fault of this program. */
  get verdict(): Promise<Verdict> {
    return this.#end.promise;
  }

  get size(): number {
    return this.stockKeys.length + 1;
  }

  get hasEnded(): boolean {
    return this.#state === "ended";
  }

  /** Begins to decide it, unless its caller has left: then it ends. */
  begin(): boolean {
    if (this.#state === "deciding") illegalTransition("an entry", this.#state, "begun");
    if (this.leave()) return false;
    this.#state = "deciding";
    return true;
  }

  /** Back to where its caller may leave. */
  pause(): void {
    if (this.#state === "ended") illegalTransition("an entry", this.#state, "paused");
    this.#state = "queued";
  }

  /** Ends it if its caller has left and it is not being decided; answers whether it has ended. */
  leave(): boolean {
    if (this.#state === "queued" && this.#signal.aborted) {
      this.#noteEnd(undefined, undefined);
      this.#end.reject(this.#signal.reason);
    }
    return this.hasEnded;
  }

  /** It moves what this order, which was read just now, has. */
  learn(order: Order | undefined): void {
    this.order = order;
    this.stockKeys = rulesOf(this.operation).keysOf(this.operation, order);
  }

  /** Ends it with its verdict; one of a lost write fails where a refusal would not show that it was not made. */
  answer(verdict: Verdict): void {
    if (this.#state !== "deciding") illegalTransition("an entry", this.#state, "answered");
    const isOpen = this.lostWrite !== undefined && !verdict.ok && !showsUnwritten(this.operation, verdict.refusal);
    if (isOpen) this.fail(this.lostWrite);
    else {
      this.#noteEnd(verdict, undefined);
      this.#end.resolve(verdict);
    }
  }

  /** Ends it without one: with a Failure for errors of lock and store, and with a fault of this program as it is. */
  fail(error: unknown): void {
    if (this.#state === "ended") illegalTransition("an entry", this.#state, "failed");
    const failure = failureOf(this.lostWrite ?? error);
    this.#noteEnd(undefined, failure);
    this.#end.reject(failure);
  }

  #noteEnd(verdict: Verdict | undefined, error: unknown): void {
    this.#state = "ended";
    this.#ended(verdict, error);
  }
}

/**
 * Whether the refusal has found its own id on record, which keeps a lost write of it from committing any more, and as
 * what that write can't have made it: with other content, or in a state that it does not lead to. A sell whose order
 * was rolled back may have sold it before; and a shortfall that was put on record may have been confirmed since, with
 * other lines.
 */
function showsUnwritten(operation: Operation, refusal: Refusal): boolean {
  if (refusal.reason === "order_state") return !mayFollow(operation.kind, refusal.state);
  return refusal.reason === "content_differs" && !(operation.kind === "confirm" && operation.recordsShortfall);
}

/** The goods of all of the entries, sorted, without repeats. */
export function keysOfAll(entries: readonly Entry[]): StockKey[] {
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return [...only.stockKeys];
  return [...new Set(entries.flatMap((entry) => entry.stockKeys))].sort(compareKeys);
}
