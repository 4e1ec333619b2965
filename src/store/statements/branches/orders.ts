/** Orders, as a part of the write. */
import type postgres from "postgres";
import type { Line, Order } from "../../../inventory/model.ts";
import { arrayLiteral, column } from "../../postgres/arrays.ts";
import type { Branch, Fragment } from "./branch.ts";

/** An order that was there before. */
export interface Changed {
  readonly before: Order;
  readonly after: Order;
}

/** Inserts orders that are new. Plain sales at location 0 are a text of their own, as they are most of all. */
export function insertOrders(sql: postgres.Sql, at: Fragment, added: readonly Order[]): Branch {
  const isPlain = added.every(({ lines, asked, held, buyerId }) =>
    locationsOf(lines) === undefined && asked === undefined && held === undefined && buyerId === undefined
  );
  const more = isPlain ? { names: sql``, values: sql``, arrays: sql``, columns: sql`` } : moreOf(sql, added);
  const tables = sql`
        added as (
          insert into orders (order_id, state, goods_ids, nums, returned, created_at, updated_at ${more.names})
          select order_id, state, goods_ids::int[], nums::int[], returned::int[], ${at}, ${at} ${more.values}
            from unnest(${column(added, (o) => o.orderId)}::text[],
                        ${column(added, (o) => o.state)}::text[],
                        ${column(added, (o) => goodsIdsOf(o.lines))}::text[],
                        ${column(added, (o) => numsOf(o.lines))}::text[],
                        ${column(added, (o) => arrayLiteral(o.returned))}::text[] ${more.arrays})
              as o (order_id, state, goods_ids, nums, returned ${more.columns})
        )`;
  return { tables };
}

function moreOf(sql: postgres.Sql, added: readonly Order[]) {
  const names = sql`, location_ids, located_returned, asked, held, expires_at, buyer_id`;
  return {
    names,
    values: sql`, location_ids::int[], case when location_ids is not null then returned::int[] end,
                 asked::int[], held::int[], to_timestamp(expires_at_ms / 1000.0), buyer_id`,
    arrays: moreArrays(sql, added),
    columns: sql`, location_ids, asked, held, expires_at_ms, buyer_id`,
  };
}

function moreArrays(sql: postgres.Sql, orders: readonly Order[]): Fragment {
  return sql`,
                        ${column(orders, (o) => locationsOf(o.lines))}::text[],
                        ${column(orders, (o) => o.asked && arrayLiteral(o.asked))}::text[],
                        ${column(orders, (o) => o.held && arrayLiteral(o.held))}::text[],
                        ${column(orders, (o) => o.expiresAtMs)}::bigint[],
                        ${column(orders, (o) => o.buyerId)}::text[]`;
}

/**
 * Updates orders, each as it was read. Casts to arrays, which are STABLE, stand in a table expression of their own: not
 * every engine takes one beside a column in an UPDATE.
 */
export function updateOrders(sql: postgres.Sql, at: Fragment, changed: readonly Changed[]): Branch {
  const after = changed.map((order) => order.after);
  const tables = sql`
        wanted as materialized (
          select order_id, state_read, nums_read::int[] as nums_read, returned_read::int[] as returned_read,
                 to_timestamp(expires_read_ms / 1000.0) as expires_read,
                 state, goods_ids::int[] as goods_ids, nums::int[] as nums, returned::int[] as returned,
                 location_ids::int[] as location_ids, asked::int[] as asked, held::int[] as held,
                 to_timestamp(expires_at_ms / 1000.0) as expires_at, buyer_id,
                 to_timestamp(at_ms / 1000.0) as created_at
            from unnest(${column(after, (o) => o.orderId)}::text[],
                        ${column(changed, (o) => o.before.state)}::text[],
                        ${column(changed, (o) => numsOf(o.before.lines))}::text[],
                        ${column(changed, (o) => arrayLiteral(o.before.returned))}::text[],
                        ${column(changed, (o) => o.before.expiresAtMs)}::bigint[],
                        ${column(after, (o) => o.state)}::text[],
                        ${column(after, (o) => goodsIdsOf(o.lines))}::text[],
                        ${column(after, (o) => numsOf(o.lines))}::text[],
                        ${column(after, (o) => arrayLiteral(o.returned))}::text[],
                        ${column(after, (o) => o.atMs)}::bigint[] ${moreArrays(sql, after)})
              as o (order_id, state_read, nums_read, returned_read, expires_read_ms, state, goods_ids, nums, returned,
                    at_ms, location_ids, asked, held, expires_at_ms, buyer_id)
        ), changed as (
          update orders
             set state = w.state, goods_ids = w.goods_ids, nums = w.nums, returned = w.returned,
                 location_ids = w.location_ids,
                 located_returned = case when w.location_ids is not null then w.returned end, asked = w.asked, held = w.held, expires_at = w.expires_at,
                 buyer_id = w.buyer_id, created_at = w.created_at, updated_at = ${at}
            from wanted as w
           where orders.order_id = w.order_id and orders.state = w.state_read and orders.nums = w.nums_read
             and orders.returned = w.returned_read and orders.expires_at is not distinct from w.expires_read
          returning orders.order_id
        )`;
  return { tables, unmoved: sql`(select count(*) from changed) = ${changed.length}::int` };
}

/** Undefined where all lie at location 0. */
export function locationsOf(lines: readonly Line[]): string | undefined {
  return lines.every(({ locationId }) => locationId === 0)
    ? undefined
    : arrayLiteral(lines.map((line) => line.locationId));
}

/** The goods of lines, as one value of a column of arrays. */
export function goodsIdsOf(lines: readonly Line[]): string {
  return arrayLiteral(lines.map((line) => line.goodsId));
}

/** The quantities of lines, the same. */
export function numsOf(lines: readonly Line[]): string {
  return arrayLiteral(lines.map((line) => line.num));
}
