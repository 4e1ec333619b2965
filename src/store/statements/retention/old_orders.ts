/** Orders and operations whose movements are not kept any more: they leave page by page, behind the ledger. */
import type { Statement } from "../../postgres/transaction_block.ts";
import { timeOfUs, usOf } from "../lists/frame.ts";

/** Where the next page begins, and how many rows of this one left. */
export interface LeftPage {
  /** Null: there are no more. */
  readonly next: PageStart | null;
  readonly left: string;
}

/** The last row of the page before: its time, in microseconds since 1970, and its id. */
export type PageStart = readonly [atUs: number, id: string];
/** Before all rows. */
export const FIRST_PAGE: PageStart = [0, ""];

/**
 * A page of orders that were made before `beforeMs`, behind the order `after`. Those leave that have not changed since
 * either, but for what somebody still has to see to, and for what a policy counts of a buyer.
 */
export function leaveOrders(
  beforeMs: number,
  [afterUs, afterId]: PageStart,
  pageRows: number,
): Statement<LeftPage[]> {
  return (sql) =>
    sql`
    with page as materialized (
      select order_id, state, buyer_id, goods_ids, created_at, updated_at from orders
       where created_at < to_timestamp(${beforeMs / 1000}::float8)
         and (created_at, order_id) > (${timeOfUs(sql, afterUs)}, ${afterId})
       order by created_at, order_id limit ${pageRows}::int
    ), gone as (
      delete from orders using page
       where orders.order_id = page.order_id and orders.updated_at = page.updated_at and page.state <> 'held'
         and page.updated_at < to_timestamp(${beforeMs / 1000}::float8)
         and not exists (select from shortfalls
                          where shortfalls.order_id = page.order_id and shortfalls.resolved_at is null)
         and (page.buyer_id is null or not exists (
               select from levels
                where goods_id = any (page.goods_ids) and buyer_num_max is not null
                  and (buyer_window_ms is null or page.created_at > now() - buyer_window_ms * interval '1 ms')))
      returning orders.order_id
    )
    select (select json_build_array(${usOf(sql, sql`created_at`)}, order_id) from page offset ${
      pageRows - 1
    }::int) as next,
           (select count(*) from gone) as left`;
}

/**
 * The same of operations, which have no index by time: all are looked at, by their ids. What an order was changed by
 * stays as long as the order: sent again it would change it again.
 */
export function leaveOperations(beforeMs: number, [, after]: PageStart, pageRows: number): Statement<LeftPage[]> {
  return (sql) =>
    sql`
    with page as materialized (
      select operation_id, order_id, created_at from operations
       where operation_id > ${after} order by operation_id limit ${pageRows}::int
    ), gone as (
      delete from operations using page
       where operations.operation_id = page.operation_id and page.created_at < to_timestamp(${beforeMs / 1000}::float8)
         and not exists (select from orders where orders.order_id = page.order_id)
      returning operations.operation_id
    )
    select (select json_build_array(0, operation_id) from page offset ${pageRows - 1}::int) as next,
           (select count(*) from gone) as left`;
}
