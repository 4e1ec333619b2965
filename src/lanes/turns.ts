/**
 * Turns: within this process, whoever wants the same goods goes one after the other, first come, first
 * served. It keeps our own callers from competing for a lease against each other, which only costs votes.
 */
import { Failure } from "./failure.ts";

/** Hands out turns on goods. How many may wait is bounded by whoever asks. */
export class Turns {
  /** For each goods: the callers queueing up, the first of them having its turn. */
  readonly #queues = new Map<number, Ticket[]>();
  #waiting = 0;

  /** Callers that wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for a turn on all of `goodsIds`, until `untilMs` on the monotonic clock at most, and returns the
   * function that ends it. The ids must be sorted and without repeats: everybody queues up in the same order,
   * so nobody waits in a circle.
   *
   * Throws Failure "busy", or the signal's reason once it aborts; the place in the queue is free then.
   */
  async take(goodsIds: readonly number[], untilMs: number, signal: AbortSignal): Promise<() => void> {
    const taken: Ticket[] = [];
    const end = () => {
      for (const ticket of taken.splice(0)) this.#leave(ticket);
    };
    try {
      for (const goodsId of goodsIds) {
        const ticket = this.#enter(goodsId);
        taken.push(ticket);
        if (!ticket.hasTurn) await this.#wait(ticket, untilMs, signal);
      }
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  #enter(goodsId: number): Ticket {
    const queue = this.#queues.get(goodsId);
    const ticket: Ticket = { goodsId, hasTurn: queue === undefined, called: undefined };
    if (queue === undefined) this.#queues.set(goodsId, [ticket]);
    else queue.push(ticket);
    return ticket;
  }

  async #wait(ticket: Ticket, untilMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => reject(new Failure("busy", "Other orders of the same goods took too long")),
      Math.max(0, untilMs - performance.now()),
    );
    const leave = () => reject(signal.reason);
    ticket.called = resolve;
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting++;
    try {
      await promise;
    } finally {
      this.#waiting--;
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    }
  }

  #leave(ticket: Ticket): void {
    const queue = this.#queues.get(ticket.goodsId) ?? [];
    const index = queue.indexOf(ticket);
    queue.splice(index, 1);
    const [next] = queue;
    if (next === undefined) this.#queues.delete(ticket.goodsId);
    else if (index === 0) {
      next.hasTurn = true;
      next.called?.();
    }
  }
}

interface Ticket {
  readonly goodsId: number;
  hasTurn: boolean;
  /** Wakes its caller up when the turn comes. */
  called: (() => void) | undefined;
}
