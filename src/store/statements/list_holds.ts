/** The list of live holds, and that of orders whose hold is over and not written down as such. */
import type postgres from "postgres";
import type { HoldFilter, TimeKey } from "../../inventory/hold_lists.ts";
import type { Order } from "../../inventory/model.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { onlyRow } from "./only_row.ts";
import { orderArray } from "./read_snapshot.ts";
import { orderOf, type OrderRow } from "./snapshot_row.ts";

/** Before and after all times that a hold can end at. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(9999, 0);

/**
 * Live holds by the end of their time, then by order id: at most `limit`, from behind `after` on. Whatever the filter,
 * an index has them in this sequence, so that a page costs what it contains.
 */
export async function listHolds(
  pool: Pool,
  filter: HoldFilter,
  { after, limit }: { readonly after: TimeKey | undefined; readonly limit: number },
  signal: AbortSignal,
): Promise<Order[]> {
  const rows = await pool.run(holdsStatement(filter, after, limit), signal);
  return rows.map((row) => orderOf(row.found));
}

/** The statement behind {@link listHolds}. */
export function holdsStatement(
  { place, buyerId, fromMs = FIRST_MS, beforeMs = LAST_MS }: HoldFilter,
  after: TimeKey | undefined,
  limit: number,
): Statement<{ found: OrderRow }[]> {
  const { atMs: afterMs, orderId: afterId } = after ?? { atMs: FIRST_MS, orderId: "" };
  const within = (sql: postgres.Sql, of: postgres.PendingQuery<postgres.Row[]>) =>
    sql`
          ${of}.expires_at > statement_timestamp()
          and ${of}.expires_at >= to_timestamp(${fromMs}::bigint / 1000.0)
          and ${of}.expires_at < to_timestamp(${beforeMs}::bigint / 1000.0)
          and (${of}.expires_at, ${of}.order_id) > (to_timestamp(${afterMs}::bigint / 1000.0), ${afterId}::text)`;
  if (place !== undefined && buyerId === undefined) {
    const { goodsId, locationId } = place;
    return (sql) =>
      sql`
        select (select ${orderArray(sql)} from orders where orders.order_id = line.order_id) as found
          from holds as line
         where line.goods_id = ${goodsId}::int and line.location_id = ${locationId}::int and ${within(sql, sql`line`)}
         order by line.expires_at, line.order_id limit ${limit}::int`;
  }
  return (sql) => {
    const ofBuyer = buyerId === undefined ? sql`` : sql`and buyer_id = ${buyerId}::text`;
    // Looked up for each hold of the buyer, who has few of them; a goods may have a million.
    const ofPlace = place === undefined ? sql`` : sql`
           and (select count(*) from holds as line
                 where line.goods_id = ${place.goodsId}::int and line.location_id = ${place.locationId}::int
                   and line.expires_at = orders.expires_at and line.order_id = orders.order_id) = 1`;
    return sql`
        select ${orderArray(sql)} as found
          from orders
         where state = 'held' and ${within(sql, sql`orders`)} ${ofBuyer} ${ofPlace}
         order by expires_at, order_id limit ${limit}::int`;
  };
}

/** An order that is on record as held although its time is up. */
export type DueOrder = Order & { readonly expiresAtMs: number };

/** Some orders whose holds are over, and the database's clock, in ms since 1970. */
export interface DueOrders {
  readonly atMs: number;
  readonly orders: readonly DueOrder[];
}

/** Those that ended first before others: at most `limit`, from behind `after` on. */
export async function readDueOrders(
  pool: Pool,
  after: TimeKey,
  limit: number,
  signal: AbortSignal,
): Promise<DueOrders> {
  const row = onlyRow(await pool.run(dueOrdersStatement(after, limit), signal));
  return { atMs: Number(row.at_ms), orders: row.due.map((due) => orderOf(due) as DueOrder) };
}

/**
 * The statement behind {@link readDueOrders}; a check of the table has it that whatever is held has a time. It takes
 * the first of all that are held and leaves out what is not due: with the clock as a bound beside it the planner reads,
 * and sorts, all that is due.
 */
export function dueOrdersStatement(
  { atMs, orderId }: TimeKey,
  limit: number,
): Statement<{ at_ms: string; due: OrderRow[] }[]> {
  return (sql) =>
    sql`
        select (extract(epoch from date_trunc('milliseconds', statement_timestamp())) * 1000)::bigint as at_ms,
               (select coalesce(json_agg(${orderArray(sql)}), '[]')
                  from (select * from orders
                         where state = 'held'
                           and (expires_at, order_id) > (to_timestamp(${atMs}::bigint / 1000.0), ${orderId}::text)
                         order by expires_at, order_id limit ${limit}::int) as orders
                 where expires_at <= statement_timestamp()) as due`;
}
