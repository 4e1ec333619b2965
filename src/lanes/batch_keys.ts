/**
 * What has to be read for a batch: the goods that its entries move, and the records that they may be found on. Pure.
 */
import { goodsOf, recordIds } from "../inventory/ids.ts";
import type { Operation, Order, Snapshot } from "../inventory/model.ts";
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
    const ids = recordIds(operation);
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
  if (operation.kind !== "rollback") return undefined;
  const goods = goodsOf(operation, orderOf(operation, snapshot));
  return goods.every((goodsId) => goodsIds.includes(goodsId)) ? undefined : goods;
}

function orderOf(operation: Operation, snapshot: Snapshot): Order | undefined {
  return operation.kind === "rollback" ? snapshot.orders.get(operation.orderId) : undefined;
}
