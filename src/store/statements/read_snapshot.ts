/**
 * The one read before every decision.
 */
import type { Level, Line, Order, OrderState, RecordedOperation, Snapshot } from "../../inventory/model.ts";
import { arrayLiteral } from "../postgres/arrays.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type { Pool } from "../postgres/pool.ts";

/** Which rows a snapshot is to contain. */
export interface SnapshotKeys {
  readonly goodsIds: readonly number[];
  readonly orderIds: readonly string[];
  readonly operationIds: readonly string[];
}

type LevelRow = [goodsId: number, onHand: number, reserved: number, version: number, deleted: boolean];
type OrderRow = [
  orderId: string,
  state: OrderState,
  goodsIds: number[],
  nums: number[],
  returned: number[],
  at: number,
];
type OperationRow = [
  id: string,
  kind: RecordedOperation["kind"],
  orderId: string | null,
  goodsIds: number[],
  nums: number[],
];

/** The one row of the answer. */
export interface SnapshotRow {
  at_ms: string;
  /** One for each of the goods asked for; null: unknown. */
  levels: (LevelRow | null)[];
  orders: OrderRow[];
  operations: OperationRow[];
}

/**
 * Reads levels, orders and operations by their primary keys, in one round trip.
 *
 * One statement and so one snapshot: a refusal is not fenced by any write, so it must not be decided on an
 * order of one moment and a level of the next.
 *
 * A row of stock is looked for from the highest block of its versions down, here and wherever it is looked for. While
 * any session keeps an old snapshot open, PostgreSQL keeps every version of the row, and a search by goods alone reads
 * all of them. The array is asked for by a select of its own so that no plan depends on its length: else a short one is
 * planned anew at every call, at half as much again of PostgreSQL's time.
 */
export async function readSnapshot(pool: Pool, keys: SnapshotKeys, signal: AbortSignal): Promise<Snapshot> {
  return snapshotOf(await pool.run(snapshotStatement(keys), signal));
}

/** The statement behind {@link readSnapshot}, for a transaction block. */
export function snapshotStatement(keys: SnapshotKeys): Statement<SnapshotRow[]> {
  const goodsIds = arrayLiteral(keys.goodsIds);
  const orderIds = arrayLiteral(keys.orderIds);
  const operationIds = arrayLiteral(keys.operationIds);
  return (sql) =>
    sql`
        select
          (extract(epoch from statement_timestamp()) * 1000)::bigint as at_ms,
          (select coalesce(json_agg((
                    select json_build_array(goods_id, on_hand, reserved, version, deleted_at is not null)
                      from stock where goods_id = asked.goods_id order by version_block desc limit 1)), '[]')
             from unnest((select ${goodsIds}::int[])) as asked (goods_id)) as levels,
          (select coalesce(json_agg(json_build_array(order_id, state, goods_ids, nums, returned,
                                                     (extract(epoch from created_at) * 1000)::bigint)), '[]')
             from orders where order_id = any (${orderIds}::text[])) as orders,
          (select coalesce(json_agg(json_build_array(operation_id, kind, order_id, goods_ids, nums)), '[]')
             from operations where operation_id = any (${operationIds}::text[])) as operations`;
}

/** What that statement answered. */
export function snapshotOf([row]: readonly SnapshotRow[]): Snapshot {
  if (row === undefined) throw new Error("PostgreSQL answered a select without a row");
  return {
    atMs: Number(row.at_ms),
    levels: new Map(row.levels.filter((level) => level !== null).map((level) => [level[0], levelOf(level)])),
    orders: new Map(row.orders.map((order) => [order[0], orderOf(order)])),
    operations: new Map(row.operations.map((operation) => [operation[0], operationOf(operation)])),
  };
}

function levelOf([goodsId, onHand, reserved, version, deleted]: LevelRow): Level {
  return { goodsId, onHand, reserved, version, deleted };
}

function orderOf([orderId, state, goodsIds, nums, returned, atMs]: OrderRow): Order {
  return { orderId, state, lines: linesOf(goodsIds, nums), returned, atMs };
}

function operationOf([operationId, kind, orderId, goodsIds, nums]: OperationRow): RecordedOperation {
  return { operationId, kind, orderId: orderId ?? undefined, lines: linesOf(goodsIds, nums) };
}

function linesOf(goodsIds: readonly number[], nums: readonly number[]): Line[] {
  return goodsIds.map((goodsId, i) => ({ goodsId, num: nums[i] as number }));
}
