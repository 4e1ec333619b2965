/**
 * What it costs when a stranger holds one order: whoever asks for that order waits, and may be refused as too late. Nobody
 * else may be, whatever he asks for. Pure.
 */
import type { Call } from "./history.ts";

/** An order that a stranger held, and when; times on the monotonic clock of the calls. */
export interface HeldOrder {
  readonly orderId: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What holding orders came to. */
export interface HeldOrderCosts {
  /** Calls of others that began meanwhile. */
  readonly others: number;
  /** A sentence for each of them that was refused as too late. */
  readonly violations: readonly string[];
}

/** Goes over the calls of a fleet. `held` are orders that were held while nothing else was wrong. */
export function heldOrderCosts(calls: readonly Call[], held: readonly HeldOrder[]): HeldOrderCosts {
  let others = 0;
  const violations: string[] = [];
  for (const { orderId, fromMs, toMs } of held) {
    for (const { request, server, invokedMs, answeredMs, answer } of calls) {
      const isOfIt = "orderId" in request && request.orderId === orderId;
      if (isOfIt || invokedMs < fromMs || invokedMs > toMs) continue;
      others++;
      if (answer.outcome !== "refused" || answer.code !== "aborted") continue;
      violations.push(
        `while a stranger held order ${orderId} alone, ${server} refused ${JSON.stringify(request)} as aborted after ` +
          `${Math.round((answeredMs ?? invokedMs) - invokedMs)} ms`,
      );
    }
  }
  return { others, violations };
}
