/**
 * The write statement of 0.1.0, letter by letter, with what it writes: see version_0_1_0.ts.
 */
import type postgres from "postgres";
import { arrayLiteral } from "../../src/store/postgres/arrays.ts";

/** What its cast to a number fails with where a row has moved. */
export const FENCE_LOST_TEXT = "rows no longer stand where they were read";
const VERSIONS_A_BLOCK = 64;

/** A line of an order. */
export type OldLine = readonly [goodsId: number, num: number];

/** What 0.1.0 knows of a goods. */
export interface OldLevel {
  readonly goodsId: number;
  readonly onHand: number;
  readonly reserved: number;
  readonly version: number;
  readonly deleted: boolean;
}

/** What 0.1.0 knows of an order. */
export interface OldOrder {
  readonly orderId: string;
  readonly state: string;
  readonly lines: readonly OldLine[];
  readonly returned: readonly number[];
}

/** One row of its ledger. */
export interface OldMovement {
  readonly goodsId: number;
  readonly version: number;
  readonly kind: string;
  readonly orderId: string | undefined;
  readonly operationId: string | undefined;
  readonly delta: number;
  readonly after: OldLevel;
}

export interface OldChanges {
  readonly atMs: number;
  readonly movements: readonly OldMovement[];
  readonly levels: readonly { readonly before: OldLevel | undefined; readonly after: OldLevel }[];
  readonly orders: readonly { readonly before: OldOrder | undefined; readonly after: OldOrder }[];
  readonly operations: readonly {
    readonly operationId: string;
    readonly kind: string;
    readonly orderId: string | undefined;
    readonly lines: readonly OldLine[];
  }[];
}

type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** A table expression of the statement, and what has to be true of it so that the fence is not lost. */
interface Branch {
  readonly tables: Fragment;
  readonly unmoved?: Fragment;
}

/** Writes all of it in one statement, or nothing; fails as 0.1.0 fails where a row was changed since it was read. */
export async function oldWrite(sql: postgres.Sql, changes: OldChanges): Promise<void> {
  const { movements, operations } = changes;
  const opened = changes.levels.filter(({ before }) => before === undefined).map(({ after }) => after);
  const levelled = changes.levels.filter((level): level is Levelled => level.before !== undefined);
  const added = changes.orders.filter(({ before }) => before === undefined).map(({ after }) => after);
  const changed = changes.orders.filter((order): order is Changed => order.before !== undefined);
  const at = sql`to_timestamp(${changes.atMs / 1000}::float8)`;
  const branches = [
    ...(movements.length > 0 ? [insertMovements(sql, at, movements)] : []),
    ...(opened.length > 0 ? [insertLevels(sql, at, opened)] : []),
    ...(levelled.length > 0 ? [updateLevels(sql, at, levelled)] : []),
    ...(added.length > 0 ? [insertOrders(sql, at, added)] : []),
    ...(changed.length > 0 ? [updateOrders(sql, at, changed)] : []),
    ...(operations.length > 0 ? [insertOperations(sql, at, operations)] : []),
  ];
  const tables = branches.map((branch) => branch.tables).reduce((all, next) => sql`${all}, ${next}`);
  const unmoved = branches.flatMap((branch) => branch.unmoved ?? []);
  if (unmoved.length === 0) return void await sql`with ${tables} select 1 as whole`;
  const whole = unmoved.reduce((all, next) => sql`${all} and ${next}`);
  await sql`with ${tables} select (case when ${whole} then '1' else ${FENCE_LOST_TEXT}::text end)::int as whole`;
}

type Levelled = { readonly before: OldLevel; readonly after: OldLevel };
type Changed = { readonly before: OldOrder; readonly after: OldOrder };

function insertMovements(sql: postgres.Sql, at: Fragment, movements: OldChanges["movements"]): Branch {
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
                        ${column(movements, (m) => m.delta)}::int[],
                        ${column(movements, () => 0)}::int[],
                        ${column(movements, (m) => m.after.onHand)}::int[],
                        ${column(movements, (m) => m.after.reserved)}::int[])
              as m (goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                    on_hand_after, reserved_after)
        )`;
  return { tables };
}

function insertLevels(sql: postgres.Sql, at: Fragment, opened: readonly OldLevel[]): Branch {
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

function insertOrders(sql: postgres.Sql, at: Fragment, added: readonly OldOrder[]): Branch {
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

function insertOperations(sql: postgres.Sql, at: Fragment, operations: OldChanges["operations"]): Branch {
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

function goodsIdsOf(lines: readonly OldLine[]): string {
  return arrayLiteral(lines.map(([goodsId]) => goodsId));
}

function numsOf(lines: readonly OldLine[]): string {
  return arrayLiteral(lines.map(([, num]) => num));
}
