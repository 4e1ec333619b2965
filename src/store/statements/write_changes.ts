/**
 * The one write after every decision: one statement, whole or not at all.
 */
import type postgres from "postgres";
import type { Changes, Level, Line, Order } from "../../inventory/model.ts";
import { arrayLiteral } from "../postgres/arrays.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { FENCE_LOST_TEXT } from "../errors.ts";
import type { Pool } from "../postgres/pool.ts";

/** Row versions of a goods that have one key in stock; the column version_block of the migrations is made with it. */
const VERSIONS_A_BLOCK = 64;

/**
 * Writes movements, levels, orders and operations in one data-modifying statement.
 *
 * It is fenced: it inserts movement `version read + 1` of each goods and inserts new orders and operations,
 * so of two writers that read the same rows the second fails on a primary key (while the first is still in
 * flight, it waits for it). A row that existed must still be as it was read, in every column that a decision looks at:
 * who changes one by hand moves no version, and must not be undone. Rows that were to be changed but no longer match
 * are found by counting, and the cast of a text to int ends the statement: plain SQL can raise an error by nothing
 * else.
 *
 * A row of stock is found by its whole key, and that of the goods is written as `any (array[...])`: an equality of
 * columns could be joined by a merge, for which the planner also considers to read all of the index, and does so where
 * few rows are left and it knows nothing of the thousands of old versions that an old snapshot keeps.
 *
 * Movements are inserted by key, but the plan chooses in which sequence rows of stock are updated, so two
 * servers without a lease can lock each other out. PostgreSQL then ends one of them, and nothing of it is left.
 *
 * Throws FenceLostError with nothing written if a row was changed since it was read.
 */
export async function writeChanges(pool: Pool, changes: Changes, signal: AbortSignal): Promise<void> {
  await pool.run(writeStatement(changes), signal);
}

type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** A table expression of the statement, and what has to be true of it so that the fence is not lost. */
interface Branch {
  readonly tables: Fragment;
  readonly unmoved?: Fragment;
}

/**
 * The statement behind {@link writeChanges}, for a transaction block.
 *
 * Made of the branches that have rows: engines that spread the tables over servers pay for each branch, and some take
 * no two of one table. Movements go with levels, so there are 31 texts at most, of which a connection prepares what it
 * uses. Casts to arrays, which are STABLE, stand in a table expression of their own: not every engine takes one beside
 * a column in an UPDATE.
 */
export function writeStatement(changes: Changes): Statement<unknown[]> {
  const { movements, operations } = changes;
  const opened = changes.levels.filter(({ before }) => before === undefined).map(({ after }) => after);
  const levelled = changes.levels.filter((level): level is Levelled => level.before !== undefined);
  const added = changes.orders.filter(({ before }) => before === undefined).map(({ after }) => after);
  const changed = changes.orders.filter((order): order is Changed => order.before !== undefined);

  return (sql) => {
    const at = sql`to_timestamp(${changes.atMs / 1000}::float8)`;
    const branches = [
      ...(movements.length > 0 ? [insertMovements(sql, at, movements)] : []),
      ...(opened.length > 0 ? [insertLevels(sql, at, opened)] : []),
      ...(levelled.length > 0 ? [updateLevels(sql, at, levelled)] : []),
      ...(added.length > 0 ? [insertOrders(sql, at, added)] : []),
      ...(changed.length > 0 ? [updateOrders(sql, at, changed)] : []),
      ...(operations.length > 0 ? [insertOperations(sql, at, operations)] : []),
    ];
    if (branches.length === 0) return sql`select 1 as whole`;
    const tables = branches.map((branch) => branch.tables).reduce((all, next) => sql`${all}, ${next}`);
    const unmoved = branches.flatMap((branch) => branch.unmoved ?? []);
    if (unmoved.length === 0) return sql`with ${tables} select 1 as whole`;
    const whole = unmoved.reduce((all, next) => sql`${all} and ${next}`);
    return sql`with ${tables} select (case when ${whole} then '1' else ${FENCE_LOST_TEXT}::text end)::int as whole`;
  };
}

type Levelled = { readonly before: Level; readonly after: Level };
type Changed = { readonly before: Order; readonly after: Order };

function insertMovements(sql: postgres.Sql, at: Fragment, movements: Changes["movements"]): Branch {
  const tables = sql`
        moved as (
          insert into movements (goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                                 on_hand_after, reserved_after, at)
          select goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                 on_hand_after, reserved_after, ${at}
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
        )`;
  return { tables };
}

function insertLevels(sql: postgres.Sql, at: Fragment, opened: readonly Level[]): Branch {
  const tables = sql`
        opened as (
          insert into stock (goods_id, on_hand, reserved, version, created_at, updated_at)
          select goods_id, on_hand, reserved, version, ${at}, ${at}
            from unnest(${column(opened, (l) => l.goodsId)}::int[],
                        ${column(opened, (l) => l.onHand)}::int[],
                        ${column(opened, (l) => l.reserved)}::int[],
                        ${column(opened, (l) => l.version)}::bigint[])
              as l (goods_id, on_hand, reserved, version)
        )`;
  return { tables };
}

function updateLevels(sql: postgres.Sql, at: Fragment, levelled: readonly Levelled[]): Branch {
  const tables = sql`
        levelled as (
          update stock
             set on_hand = l.on_hand, reserved = l.reserved, version = l.version, updated_at = ${at},
                 deleted_at = case when l.opens then null else stock.deleted_at end
            from unnest(${column(levelled, (l) => l.after.goodsId)}::int[],
                        ${column(levelled, (l) => l.before.version)}::bigint[],
                        ${column(levelled, (l) => l.before.onHand)}::int[],
                        ${column(levelled, (l) => l.before.reserved)}::int[],
                        ${column(levelled, (l) => l.before.deleted)}::bool[],
                        ${column(levelled, (l) => l.after.onHand)}::int[],
                        ${column(levelled, (l) => l.after.reserved)}::int[],
                        ${column(levelled, (l) => l.after.version)}::bigint[],
                        ${column(levelled, (l) => l.before.deleted && !l.after.deleted)}::bool[])
              as l (goods_id, version_read, on_hand_read, reserved_read, deleted_read,
                    on_hand, reserved, version, opens)
           where stock.goods_id = any (array[l.goods_id]) and stock.version_block = l.version_read / ${VERSIONS_A_BLOCK}::bigint
             and stock.version = l.version_read
             and stock.on_hand = l.on_hand_read and stock.reserved = l.reserved_read
             and (stock.deleted_at is not null) = l.deleted_read
          returning stock.goods_id
        )`;
  return { tables, unmoved: sql`(select count(*) from levelled) = ${levelled.length}::int` };
}

function insertOrders(sql: postgres.Sql, at: Fragment, added: readonly Order[]): Branch {
  const tables = sql`
        added as (
          insert into orders (order_id, state, goods_ids, nums, returned, created_at, updated_at)
          select order_id, state, goods_ids::int[], nums::int[], returned::int[], ${at}, ${at}
            from unnest(${column(added, (o) => o.orderId)}::text[],
                        ${column(added, (o) => o.state)}::text[],
                        ${column(added, (o) => goodsIdsOf(o.lines))}::text[],
                        ${column(added, (o) => numsOf(o.lines))}::text[],
                        ${column(added, (o) => arrayLiteral(o.returned))}::text[])
              as o (order_id, state, goods_ids, nums, returned)
        )`;
  return { tables };
}

function updateOrders(sql: postgres.Sql, at: Fragment, changed: readonly Changed[]): Branch {
  const tables = sql`
        wanted as materialized (
          select order_id, state_read, returned_read::int[] as returned_read, state, returned::int[] as returned
            from unnest(${column(changed, (o) => o.after.orderId)}::text[],
                        ${column(changed, (o) => o.before.state)}::text[],
                        ${column(changed, (o) => arrayLiteral(o.before.returned))}::text[],
                        ${column(changed, (o) => o.after.state)}::text[],
                        ${column(changed, (o) => arrayLiteral(o.after.returned))}::text[])
              as o (order_id, state_read, returned_read, state, returned)
        ), changed as (
          update orders
             set state = w.state, returned = w.returned, updated_at = ${at}
            from wanted as w
           where orders.order_id = w.order_id and orders.state = w.state_read and orders.returned = w.returned_read
          returning orders.order_id
        )`;
  return { tables, unmoved: sql`(select count(*) from changed) = ${changed.length}::int` };
}

function insertOperations(sql: postgres.Sql, at: Fragment, operations: Changes["operations"]): Branch {
  const tables = sql`
        recorded as (
          insert into operations (operation_id, kind, order_id, goods_ids, nums, created_at)
          select operation_id, kind, order_id, goods_ids::int[], nums::int[], ${at}
            from unnest(${column(operations, (o) => o.operationId)}::text[],
                        ${column(operations, (o) => o.kind)}::text[],
                        ${column(operations, (o) => o.orderId)}::text[],
                        ${column(operations, (o) => goodsIdsOf(o.lines))}::text[],
                        ${column(operations, (o) => numsOf(o.lines))}::text[])
              as o (operation_id, kind, order_id, goods_ids, nums)
        )`;
  return { tables };
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
