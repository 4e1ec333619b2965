/** The answer of the one read before every decision, as the snapshot that it is. */
import {
  type DueHold,
  type Level,
  type Line,
  momentKey,
  type Order,
  type OrderState,
  type Policy,
  type RecordedOperation,
  type Snapshot,
  takenKey,
} from "../../inventory/model.ts";
import { keyOf, type StockKey } from "../../inventory/stock_key.ts";
import { numbersOf } from "../postgres/arrays.ts";
import { onlyRow } from "./only_row.ts";

/**
 * Lines of expired holds that one snapshot has; where there are more, little else is decided on it. Each of them is a
 * movement of the next write.
 */
export const DUE_HOLDS_MAX = 500;

/** A policy as a list, out of `policyArray`. */
export type PolicyRow = [
  safetyStock: number,
  backorderMax: number,
  orderNumMax: number | null,
  buyerNumMax: number | null,
  buyerWindowMs: number | null,
  lowStockAt: number | null,
  lowStockUntil: number | null,
  holdTtlMs: number | null,
];
/** A level that is no longer sold, or has a policy. */
type ApartRow = [goodsId: number, locationId: number, deleted: boolean, policy: PolicyRow | null];
/** An order as a list, out of `orderArray`. */
export type OrderRow = [
  orderId: string,
  state: OrderState,
  goodsIds: number[],
  locationIds: number[] | null,
  nums: number[],
  returned: number[],
  at: number,
  asked: number[] | null,
  held: number[] | null,
  expiresAt: number | null,
  buyerId: string | null,
];
type OperationRow = [
  id: string,
  kind: RecordedOperation["kind"],
  orderId: string | null,
  goodsIds: number[],
  locationIds: number[] | null,
  nums: number[],
  content: RecordedOperation["content"] | null,
  levels: Level[] | null,
];

/** The one row of the answer. */
export interface SnapshotRow {
  at_ms: string;
  /** Of the levels, a column each, as PostgreSQL writes an array; null where there are none. */
  goods_ids: string | null;
  location_ids: string | null;
  on_hand: string | null;
  reserved: string | null;
  versions: string | null;
  /** What else is to be said of some of them; null: of none. */
  apart: ApartRow[] | null;
  /** Of the lines of expired holds, the same. */
  due_goods_ids: string | null;
  due_location_ids: string | null;
  due_order_ids: string[] | null;
  due_nums: string | null;
  due_at_ms: string | null;
  orders: OrderRow[];
  operations: OperationRow[];
  taken?: [goodsId: number, locationId: number, buyerId: string, num: number][];
  moments?: [goodsId: number, locationId: number, atMs: number, onHand: number | null][];
}

/** What that statement answered. */
export function snapshotOf(rows: readonly SnapshotRow[]): Snapshot {
  const row = onlyRow(rows);
  const { taken, moments } = row;
  const due = dueOf(row);
  return {
    atMs: Number(row.at_ms),
    levels: levelsOf(row),
    orders: new Map(row.orders.map((order) => [order[0], orderOf(order)])),
    operations: new Map(row.operations.map((operation) => [operation[0], operationOf(operation)])),
    ...(due.length === 0 ? {} : { due: due.slice(0, DUE_HOLDS_MAX), moreDue: due.length > DUE_HOLDS_MAX }),
    ...(taken === undefined ? {} : {
      taken: new Map(taken.map(([goodsId, locationId, buyerId, num]) => [
        takenKey(keyOf({ goodsId, locationId }), buyerId),
        num,
      ])),
    }),
    ...(moments === undefined ? {} : {
      moments: new Map(
        moments.map(([goodsId, locationId, atMs, onHand]) => [
          momentKey(keyOf({ goodsId, locationId }), atMs),
          onHand ?? undefined,
        ]),
      ),
    }),
  };
}

/** They come as columns of numbers, which take less of both sides' time than a list for each level. */
function levelsOf({ goods_ids, location_ids, on_hand, reserved, versions, apart }: SnapshotRow): Map<StockKey, Level> {
  const [goodsIds, locationIds] = [numbersOf(goods_ids), numbersOf(location_ids)];
  const [onHands, reserveds, allVersions] = [numbersOf(on_hand), numbersOf(reserved), numbersOf(versions)];
  const levels = new Map<StockKey, Level>();
  goodsIds.forEach((goodsId, i) => {
    const level: Level = {
      goodsId,
      locationId: locationIds[i] as number,
      onHand: onHands[i] as number,
      reserved: reserveds[i] as number,
      version: allVersions[i] as number,
      deleted: false,
    };
    levels.set(keyOf(level), level);
  });
  for (const [goodsId, locationId, deleted, policy] of apart ?? []) {
    const key = keyOf({ goodsId, locationId });
    const level = { ...levels.get(key) as Level, deleted };
    levels.set(key, policy === null ? level : { ...level, policy: policyOf(policy) });
  }
  return levels;
}

/** The policy that a row is. */
export function policyOf([
  safetyStock,
  backorderMax,
  orderNumMax,
  buyerNumMax,
  buyerWindowMs,
  lowStockAt,
  lowStockUntil,
  holdTtlMs,
]: PolicyRow): Policy {
  return {
    safetyStock,
    backorderMax,
    ...(orderNumMax === null ? {} : { orderNumMax }),
    ...(buyerNumMax === null ? {} : { buyerNumMax }),
    ...(buyerWindowMs === null ? {} : { buyerWindowMs }),
    ...(lowStockAt === null || lowStockUntil === null ? {} : { lowStockAt, lowStockUntil }),
    ...(holdTtlMs === null ? {} : { holdTtlMs }),
  };
}

/** Columns, as those of levels. */
function dueOf(row: SnapshotRow): DueHold[] {
  const [goodsIds, locationIds] = [numbersOf(row.due_goods_ids), numbersOf(row.due_location_ids)];
  const [nums, allAtMs] = [numbersOf(row.due_nums), numbersOf(row.due_at_ms)];
  return (row.due_order_ids ?? []).map((orderId, i) => ({
    goodsId: goodsIds[i] as number,
    locationId: locationIds[i] as number,
    orderId,
    num: nums[i] as number,
    expiresAtMs: allAtMs[i] as number,
  }));
}

/** The order that a row is. */
export function orderOf(
  [orderId, state, goodsIds, locationIds, nums, returned, atMs, asked, held, expiresAtMs, buyerId]: OrderRow,
): Order {
  return {
    orderId,
    state,
    lines: linesOf(goodsIds, locationIds, nums),
    returned,
    atMs,
    ...(asked === null ? {} : { asked }),
    ...(held === null ? {} : { held }),
    ...(expiresAtMs === null ? {} : { expiresAtMs }),
    ...(buyerId === null ? {} : { buyerId }),
  };
}

function operationOf(
  [operationId, kind, orderId, goodsIds, locationIds, nums, content, levels]: OperationRow,
): RecordedOperation {
  return {
    operationId,
    kind,
    orderId: orderId ?? undefined,
    lines: linesOf(goodsIds, locationIds, nums),
    ...(content ? { content } : {}),
    ...(levels ? { levels } : {}),
  };
}

/** Lines out of the columns of an order. */
function linesOf(
  goodsIds: readonly number[],
  locationIds: readonly number[] | null,
  nums: readonly number[],
): Line[] {
  return goodsIds.map((goodsId, i) => ({ goodsId, locationId: locationIds?.[i] ?? 0, num: nums[i] as number }));
}
