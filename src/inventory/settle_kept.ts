/**
 * Settling without a read: sales decided on levels as this process has written them last. Pure.
 *
 * Others may have moved such a level since, and nothing is known of orders. So nothing is believed that the write does
 * not find to be true: its fence compares the levels with what stands there, and each order has to be new by its
 * primary key; where one of both is not so, nothing is written, and all is decided again on a snapshot. What writes
 * nothing meets neither, so here nobody is refused, and nobody is answered for an earlier call. Nor does anybody get
 * less than he asks for: a goods of which there seems to be nothing is left out of the write.
 *
 * Units on hold count as reserved, those of holds too whose time is up by now: who gets all that he asks for without
 * them would get it with them, and who does not is read for. They stay reserved until the next read.
 */
import type { Level, Verdict } from "./model.ts";
import { type Operation, rulesOf } from "./operations/operation.ts";
import { settle, type Settled } from "./settle.ts";
import type { StockKey } from "./stock_key.ts";

/** Levels that are kept: no snapshot, as it was not read, and says nothing of what is not in it. */
export interface KeptSnapshot {
  /** By this process's time of day, in ms since 1970; what is written has the time of its write. */
  readonly atMs: number;
  readonly levels: ReadonlyMap<StockKey, Level>;
}

/** Whether sales may be decided on the level once it is kept; of one with a policy that may ask for more than it. */
export function mayBeKept({ deleted, policy }: Level): boolean {
  return !deleted && policy === undefined;
}

/** What the operations come to; undefined: they have to be decided on a snapshot. All their levels have to be kept. */
export function settleKept({ atMs, levels }: KeptSnapshot, operations: readonly Operation[]): Settled | undefined {
  if (!operations.every(mayGoUnread)) return undefined;
  const settled = settle({ atMs, levels, orders: new Map(), operations: new Map() }, operations);
  const isWhole = settled.verdicts.length === operations.length && settled.verdicts.every(isWritten);
  return isWhole ? { ...settled, changes: { ...settled.changes, atWrite: true } } : undefined;
}

/** The verdict of what was written at this time, in ms since 1970. */
export function verdictAt(verdict: Verdict, atMs: number): Verdict {
  return verdict.ok && "order" in verdict ? { ...verdict, order: { ...verdict.order, atMs } } : verdict;
}

function mayGoUnread(operation: Operation): boolean {
  return rulesOf(operation).mayGoUnread === true && operation.dryRun !== true;
}

/** Whether all that is asked for is written. Not so of the second of two orders with one id. */
function isWritten(verdict: Verdict): boolean {
  return verdict.ok && verdict.replayed !== true && !("order" in verdict && verdict.order.asked !== undefined);
}
