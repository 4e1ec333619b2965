/** Orders for tests of the queue, which are known by their names. */
import type { BatchLimits } from "../../src/lanes/draft.ts";
import { Queue } from "../../src/lanes/queue.ts";

/** An order as the queue knows it. */
export interface Order {
  readonly name: string;
  readonly goodsIds: readonly number[];
  readonly size: number;
}

/** Of a batch that takes whatever may go. */
export const LIMITS: BatchLimits = { ordersMax: 100, sizeMax: 1000 };

/** An order of these goods, which counts as much as it has goods. */
export function order(name: string, ...goodsIds: number[]): Order {
  return { name, goodsIds, size: Math.max(1, goodsIds.length) };
}

/** What they are called, in their order. */
export function names(orders: readonly Order[]): string {
  return orders.map(({ name }) => name).join(" ");
}

/** A queue with these orders waiting. */
export function queueOf(...orders: Order[]): Queue<Order> {
  const queue = new Queue<Order>();
  for (const one of orders) queue.add(one);
  return queue;
}

/** The batch is over: its orders are gone, and its goods free. */
export function end(queue: Queue<Order>, batch: readonly Order[]): void {
  for (const one of batch) queue.remove(one);
  queue.free(batch.flatMap(({ goodsIds }) => goodsIds));
}
