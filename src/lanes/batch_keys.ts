/**
 * What has to be read for a batch: the goods that its entries move, and the records that they may be found on. Pure.
 */
import type { Snapshot } from "../inventory/model.ts";
import { changedOrder, type Operation, rulesOf } from "../inventory/operations/operation.ts";
import type { SnapshotKeys } from "../store/statements/read_snapshot.ts";
import type { Entry } from "./entry.ts";

/** The goods of all of the entries, sorted, without repeats. */
export function goodsOfAll(entries: readonly Entry[]): number[] {
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return [...only.goodsIds];
  return [...new Set(entries.flatMap((entry) => entry.goodsIds))].sort((a, b) => a - b);
}

/** The keys of all that is known of the entries. */
export function keysOf(entries: readonly Entry[]): SnapshotKeys {
  return { goodsIds: goodsOfAll(entries), ...recordIdsOfAll(entries.map((entry) => entry.operation)) };
}

function recordIdsOfAll(operations: readonly Operation[]): { orderIds: string[]; operationIds: string[] } {
  const orderIds = new Set<string>();
  const operationIds = new Set<string>();
  for (const operation of operations) {
    const ids = rulesOf(operation).recordIds(operation);
    for (const id of ids.orderIds) orderIds.add(id);
    for (const id of ids.operationIds) operationIds.add(id);
  }
  return { orderIds: [...orderIds], operationIds: [...operationIds] };
}

/** Whether the snapshot shows that the entry moves goods for which it was not queued; it knows them from now on. */
export function learnGoods(entry: Entry, snapshot: Snapshot): boolean {
  const missing = missingGoods(entry, snapshot);
  if (missing !== undefined) entry.goodsIds = missing;
  return missing !== undefined;
}

function missingGoods({ operation, goodsIds }: Entry, snapshot: Snapshot): number[] | undefined {
  const orderId = changedOrder(operation);
  if (orderId === undefined) return undefined;
  const goods = rulesOf(operation).goodsOf(operation, snapshot.orders.get(orderId));
  return goods.every((goodsId) => goodsIds.includes(goodsId)) ? undefined : goods;
}
