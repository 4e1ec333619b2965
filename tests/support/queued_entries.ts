/** Orders for tests of the queue, which are known by their names. */
import type { BatchLimits } from "../../src/lanes/draft.ts";
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { Queue } from "../../src/lanes/queue.ts";

/** An entry as the queue knows it. */
export interface QueuedEntry {
  readonly name: string;
  readonly stockKeys: readonly StockKey[];
  readonly size: number;
  ticket?: unknown;
}

/** Of a batch that takes whatever may go. */
export const LIMITS: BatchLimits = { entriesMax: 100, sizeMax: 1000 };

/** An entry of these goods, which counts as much as it has goods. */
export function entry(name: string, ...stockKeys: StockKey[]): QueuedEntry {
  return { name, stockKeys, size: Math.max(1, stockKeys.length) };
}

/** What they are called, in their sequence. */
export function names(entries: readonly QueuedEntry[]): string {
  return entries.map(({ name }) => name).join(" ");
}

/** A queue with these entries waiting. */
export function queueOf(...entries: QueuedEntry[]): Queue<QueuedEntry> {
  const queue = new Queue<QueuedEntry>();
  for (const one of entries) queue.add(one);
  return queue;
}

/** The batch is over: its entries are gone, and its goods free. */
export function end(queue: Queue<QueuedEntry>, batch: readonly QueuedEntry[]): void {
  for (const one of batch) queue.remove(one);
  queue.free(new Set(batch.flatMap(({ stockKeys }) => stockKeys)));
}
