/**
 * The one write after every decision: one statement, whole or not at all.
 */
import type { Changes, Line } from "../inventory/model.ts";
import { arrayLiteral } from "./arrays.ts";
import type { Statement } from "./block.ts";
import { FENCE_LOST_TEXT } from "./errors.ts";
import type { Pool } from "./pool.ts";

/**
 * Writes movements, levels, orders and operations in one data-modifying statement.
 *
 * It is fenced: it inserts movement `version read + 1` of each goods and inserts new orders and operations,
 * so of two writers that read the same rows the second fails on a primary key (while the first is still in
 * flight, it waits for it). An order that existed must still be as it was read. Rows that were to be changed
 * but no longer match are found by counting, and the cast of a text to int ends the statement: plain SQL has
 * no other way to raise an error.
 *
 * Movements are inserted in key order, but the plan chooses in which order rows of stock are updated, so two
 * servers without a lease can lock each other out. PostgreSQL then ends one of them, and nothing of it is left.
 *
 * Throws FenceLostError with nothing written if a row was changed since it was read.
 */
export async function writeChanges(pool: Pool, changes: Changes, signal: AbortSignal): Promise<void> {
  await pool.run(writeStatement(changes), signal);
}

/** The statement behind {@link writeChanges}, for a transaction block. */
export function writeStatement(changes: Changes): Statement<unknown[]> {
  const { movements, operations } = changes;
  const opened = changes.levels.filter(({ before }) => before === undefined).map(({ after }) => after);
  const levelled = changes.levels.filter(({ before }) => before !== undefined);
  const added = changes.orders.filter(({ before }) => before === undefined).map(({ after }) => after);
  const changed = changes.orders.filter(({ before }) => before !== undefined);
  const at = changes.atMs / 1000;

  return (sql) =>
    sql`
        with moved as (
          insert into movements (goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                                 on_hand_after, reserved_after, at)
          select goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                 on_hand_after, reserved_after, to_timestamp(${at}::float8)
            from unnest(${column(movements, (m) => m.goodsId)}::int[],
                        ${column(movements, (m) => m.version)}::bigint[],
                        ${column(movements, (m) => m.kind)}::text[],
                        ${column(movements, (m) => m.orderId)}::text[],
                        ${column(movements, (m) => m.operationId)}::text[],
                        ${column(movements, (m) => m.onHandDelta)}::int[],
                        ${column(movements, (m) => m.reservedDelta)}::int[],
                        ${column(movements, (m) => m.onHandAfter)}::int[],
                        ${column(movements, (m) => m.reservedAfter)}::int[])
              as m (goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                    on_hand_after, reserved_after)
        ), opened as (
          insert into stock (goods_id, on_hand, reserved, version, created_at, updated_at)
          select goods_id, on_hand, reserved, version, to_timestamp(${at}::float8), to_timestamp(${at}::float8)
            from unnest(${column(opened, (l) => l.goodsId)}::int[],
                        ${column(opened, (l) => l.onHand)}::int[],
                        ${column(opened, (l) => l.reserved)}::int[],
                        ${column(opened, (l) => l.version)}::bigint[])
              as l (goods_id, on_hand, reserved, version)
        ), levelled as (
          update stock
             set on_hand = l.on_hand, reserved = l.reserved, version = l.version,
                 updated_at = to_timestamp(${at}::float8),
                 deleted_at = case when l.deleted then stock.deleted_at end
            from unnest(${column(levelled, (l) => l.after.goodsId)}::int[],
                        ${column(levelled, (l) => l.before?.version)}::bigint[],
                        ${column(levelled, (l) => l.after.onHand)}::int[],
                        ${column(levelled, (l) => l.after.reserved)}::int[],
                        ${column(levelled, (l) => l.after.version)}::bigint[],
                        ${column(levelled, (l) => l.after.deleted)}::bool[])
              as l (goods_id, version_read, on_hand, reserved, version, deleted)
           where stock.goods_id = l.goods_id and stock.version = l.version_read
          returning stock.goods_id
        ), added as (
          insert into orders (order_id, state, goods_ids, nums, returned, created_at, updated_at)
          select order_id, state, goods_ids::int[], nums::int[], returned::int[],
                 to_timestamp(${at}::float8), to_timestamp(${at}::float8)
            from unnest(${column(added, (o) => o.orderId)}::text[],
                        ${column(added, (o) => o.state)}::text[],
                        ${column(added, (o) => goodsIdsOf(o.lines))}::text[],
                        ${column(added, (o) => numsOf(o.lines))}::text[],
                        ${column(added, (o) => arrayLiteral(o.returned))}::text[])
              as o (order_id, state, goods_ids, nums, returned)
        ), changed as (
          update orders
             set state = o.state, returned = o.returned::int[], updated_at = to_timestamp(${at}::float8)
            from unnest(${column(changed, (o) => o.after.orderId)}::text[],
                        ${column(changed, (o) => o.before?.state)}::text[],
                        ${column(changed, (o) => arrayLiteral(o.before?.returned ?? []))}::text[],
                        ${column(changed, (o) => o.after.state)}::text[],
                        ${column(changed, (o) => arrayLiteral(o.after.returned))}::text[])
              as o (order_id, state_read, returned_read, state, returned)
           where orders.order_id = o.order_id and orders.state = o.state_read
             and orders.returned = o.returned_read::int[]
          returning orders.order_id
        ), recorded as (
          insert into operations (operation_id, kind, order_id, goods_ids, nums, created_at)
          select operation_id, kind, order_id, goods_ids::int[], nums::int[], to_timestamp(${at}::float8)
            from unnest(${column(operations, (o) => o.operationId)}::text[],
                        ${column(operations, (o) => o.kind)}::text[],
                        ${column(operations, (o) => o.orderId)}::text[],
                        ${column(operations, (o) => goodsIdsOf(o.lines))}::text[],
                        ${column(operations, (o) => numsOf(o.lines))}::text[])
              as o (operation_id, kind, order_id, goods_ids, nums)
        )
        select (case when (select count(*) from levelled) = ${levelled.length}::int
                      and (select count(*) from changed) = ${changed.length}::int
                then '1' else ${FENCE_LOST_TEXT}::text end)::int as whole`;
}

function column<T>(rows: readonly T[], value: (row: T) => string | number | boolean | undefined): string {
  return arrayLiteral(rows.map(value));
}

function goodsIdsOf(lines: readonly Line[]): string {
  return arrayLiteral(lines.map((line) => line.goodsId));
}

function numsOf(lines: readonly Line[]): string {
  return arrayLiteral(lines.map((line) => line.num));
}
