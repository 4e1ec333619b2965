/** Operations through the store, without lanes and locks: read, settle, write. */
import type { Changes, Verdict } from "../../src/inventory/model.ts";
import { changedOrder, type Operation, rulesOf } from "../../src/inventory/operations/operation.ts";
import type { Records } from "../../src/inventory/operations/rules.ts";
import { changesNothing, settle } from "../../src/inventory/settle.ts";
import type { StockKey } from "../../src/inventory/stock_key.ts";
import type { SnapshotKeys } from "../../src/store/statements/read_snapshot.ts";
import type { Store } from "../../src/store/store.ts";
import { NEVER } from "./pool_probe.ts";

/** What reading and settling came to; nothing is written yet. `keys` are the rows that the snapshot contains. */
export interface Settled {
  readonly keys: SnapshotKeys;
  readonly verdicts: readonly Verdict[];
  readonly changes: Changes;
}

/** The rows that an operation needs which names its goods itself. */
export function keysOf(operation: Operation): SnapshotKeys {
  const rules = rulesOf(operation);
  return snapshotKeys(rules.keysOf(operation, undefined), [rules.records(operation, undefined)]);
}

/** Reads what the operations touch and settles them. A rollback's goods are known only after a first read. */
export async function settleOn(store: Store, ...operations: Operation[]): Promise<Settled> {
  const orderIds = operations.flatMap((operation) => changedOrder(operation) ?? []);
  const { orders } = await store.readSnapshot({ stockKeys: [], orderIds, operationIds: [] }, NEVER);
  const orderOf = (operation: Operation) => orders.get(changedOrder(operation) ?? "");
  const keys = snapshotKeys(
    operations.flatMap((operation) => rulesOf(operation).keysOf(operation, orderOf(operation))),
    operations.map((operation) => rulesOf(operation).records(operation, orderOf(operation))),
  );
  return { keys, ...settle(await store.readSnapshot(keys, NEVER), operations) };
}

function snapshotKeys(stockKeys: readonly StockKey[], records: readonly Records[]): SnapshotKeys {
  const buyers = records.flatMap((each) => each.buyers ?? []);
  const moments = records.flatMap((each) => each.moments ?? []);
  return {
    stockKeys: [...new Set(stockKeys)],
    orderIds: [...new Set(records.flatMap((each) => each.orderIds ?? []))],
    operationIds: [...new Set(records.flatMap((each) => each.operationIds ?? []))],
    ...(buyers.length === 0 ? {} : { buyers }),
    ...(moments.length === 0 ? {} : { moments }),
  };
}

/** Settles the operations and writes what they came to, in as many writes as that takes. Answers the last of them. */
export async function applyTo(store: Store, ...operations: Operation[]): Promise<Settled> {
  const verdicts: Verdict[] = [];
  for (;;) {
    const settled = await settleOn(store, ...operations.slice(verdicts.length));
    if (!changesNothing(settled.changes)) await store.writeChanges(settled.changes, NEVER);
    verdicts.push(...settled.verdicts);
    if (verdicts.length === operations.length) return { ...settled, verdicts };
  }
}

/** Sets the quantity of a goods. */
export function set(operationId: string, goodsId: number, num: number): Operation {
  return { kind: "set", operationId, goodsId, locationId: 0, num };
}

/** Sells lines, given as goods id and quantity. */
export function sell(orderId: string, ...lines: [goodsId: number, num: number][]): Operation {
  return { kind: "sell", orderId, lines: lines.map(([goodsId, num]) => ({ goodsId, locationId: 0, num })) };
}

/** Rolls back a part of an order, or all of it without lines. */
export function rollback(
  orderId: string,
  rollbackId: string | undefined,
  ...lines: [goodsId: number, num: number][]
): Operation {
  return {
    kind: "rollback",
    rollbackId,
    orderId,
    lines: lines.map(([goodsId, num]) => ({ goodsId, locationId: 0, num })),
  };
}

/** Gives back units of no order. */
export function giveBack(operationId: string, ...lines: [goodsId: number, num: number][]): Operation {
  return { kind: "give_back", operationId, lines: lines.map(([goodsId, num]) => ({ goodsId, locationId: 0, num })) };
}
