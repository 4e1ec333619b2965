/** What has to be read for a batch: the goods that its entries move, and the records that they may be found on. Pure. */
import { goodsOf, recordIds } from "../inventory/ids.ts";
import type { Book, Operation, Order } from "../inventory/model.ts";
import type { BookKeys } from "../store/statements/read_snapshot.ts";
import type { Entry } from "./entry.ts";

/** The goods of all of the entries, sorted, without repeats. */
export function goodsOfAll(entries: readonly Entry[]): number[] {
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return [...only.goodsIds];
  return [...new Set(entries.flatMap((entry) => entry.goodsIds))].sort((a, b) => a - b);
}

/** The keys of all that is known of the entries. */
export function keysOf(entries: readonly Entry[]): BookKeys {
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

/** Whether the book shows that the entry moves goods for which it was not queued; it knows them from now on. */
export function learnGoods(entry: Entry, book: Book): boolean {
  const lacked = lackedGoods(entry, book);
  if (lacked !== undefined) entry.goodsIds = lacked;
  return lacked !== undefined;
}

function lackedGoods({ operation, goodsIds }: Entry, book: Book): number[] | undefined {
  if (operation.kind !== "rollback") return undefined;
  const goods = goodsOf(operation, orderOf(operation, book));
  return goods.every((goodsId) => goodsIds.includes(goodsId)) ? undefined : goods;
}

function orderOf(operation: Operation, book: Book): Order | undefined {
  return operation.kind === "rollback" ? book.orders.get(operation.orderId) : undefined;
}
