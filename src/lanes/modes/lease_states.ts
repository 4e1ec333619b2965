/**
 * Where a goods stands in the lease cache, and what may happen to it there. Pure.
 *
 *     absent     this process has no lease of it, and remembers none
 *     in_use     a batch goes under its lease
 *     idle       its lease is ours, and no batch has it
 *     released   its lease was released for want of work, or was lost, a moment ago
 *     paused     its lease was released for others, who get a pause in which to acquire it
 *
 *     event        from                      to         note
 *     acquired     absent, released, paused  in_use     of a paused one only once its pause is over
 *     taken        idle                      in_use
 *     taken        in_use                    in_use     by the same batch, which asks again without what it was refused
 *     batch_over   in_use                    idle
 *     batch_over   any other                 the same   it was refused, or lost, or its batch went by row locks
 *     released     in_use, idle              released   of one in use: it was lost, or the lanes close
 *     released     any other                 the same   it was lost and released before
 *     yielded      idle                      paused
 *     yielded      absent, released, paused  the same   it was released while the nodes were asked who waits
 *
 * A released or paused one becomes absent when that is too long ago to matter. What is not listed never happens: a
 * second lease of what is ours, the use of what is not, or a lease that is left to others under a batch.
 */
import type { StockKey } from "../../inventory/stock_key.ts";
import { illegalTransition } from "../../base/invariant.ts";

/** Where a goods stands. */
export type LeaseState = "absent" | "in_use" | "idle" | "released" | "paused";
/** What may happen to it. */
export type LeaseEvent = "acquired" | "taken" | "batch_over" | "released" | "yielded";

type Row = Readonly<Partial<Record<LeaseEvent, LeaseState>>>;

const NEXT: Readonly<Record<LeaseState, Row>> = {
  absent: { acquired: "in_use", batch_over: "absent", released: "absent", yielded: "absent" },
  in_use: { taken: "in_use", batch_over: "idle", released: "released" },
  idle: { taken: "in_use", batch_over: "idle", released: "released", yielded: "paused" },
  released: { acquired: "in_use", batch_over: "released", released: "released", yielded: "released" },
  paused: { acquired: "in_use", batch_over: "paused", released: "paused", yielded: "paused" },
};

/** Where a goods stands next. Throws InvariantError for what must not happen. */
export function nextLeaseState(state: LeaseState, event: LeaseEvent, stockKey: StockKey): LeaseState {
  return NEXT[state][event] ?? illegalTransition(`the lease of goods ${stockKey}`, state, event);
}
