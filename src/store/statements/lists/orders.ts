/** The list of orders. */
import type postgres from "postgres";
import type { Order } from "../../../inventory/model.ts";
import {
  isSortedByTaking,
  type OrderKey,
  type OrderQuery,
  type Page,
  type PageOf,
} from "../../../inventory/queries.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Pool } from "../../postgres/pool.ts";
import type { Statement } from "../../postgres/transaction_block.ts";
import type { Fragment } from "../branches/branch.ts";
import { orderOf, type OrderRow } from "../snapshot_row.ts";
import { framed, type FrameRow, msOf, pageOf, usOf } from "./frame.ts";
import { orderScan, takenOrders } from "./order_scans.ts";
import { onlyRow } from "../only_row.ts";

/** An order as JSON without its lines, and one of these with six numbers of ten digits. */
const ORDER_BYTES = 500;
const LINE_BYTES = 160;

type Row = readonly [key: OrderKey, ...order: OrderRow];

/** A page of orders, each in the state of the moment of the read. */
export async function listOrders(
  pool: Pool,
  query: OrderQuery,
  page: PageOf<OrderKey>,
  signal: AbortSignal,
): Promise<Page<Order, OrderKey>> {
  const answer = onlyRow(await pool.run(listOrdersStatement(query, page), signal));
  const { rows, next } = pageOf(answer, page.size);
  return { rows: rows.map(([, ...order]) => orderOf(order)), next };
}

/** The statement behind {@link listOrders}. What is held and over has expired, as `stateAt` says. */
export function listOrdersStatement(query: OrderQuery, { size, after }: PageOf<OrderKey>): Statement<FrameRow<Row>[]> {
  return (sql) => {
    const { states, buyerId = null } = query;
    const wanted = states === undefined ? null : arrayLiteral(states);
    const byTaking = isSortedByTaking(query);
    const madeKey = sql`json_build_array(${usOf(sql, sql`created_at`)}, order_id)`;
    const takenKey = sql`json_build_array(${usOf(sql, sql`taken_at`)}, taken_location_id, taken_version)`;
    const page = sql`
          select json_build_array(${byTaking ? takenKey : madeKey}, order_id, now.state, goods_ids, location_ids, nums,
                                  returned, ${msOf(sql, sql`created_at`)}, asked, held,
                                  ${msOf(sql, sql`expires_at`)}, buyer_id) as row,
                 ${ORDER_BYTES}::int + ${LINE_BYTES}::int * cardinality(goods_ids) as bytes
            from ${byTaking ? takenOrders(sql, query) : sql`scanned`} as candidate,
                 lateral (select case when candidate.state = 'held' and expires_at <= statement_timestamp()
                                   then 'expired' else candidate.state end as state offset 0) as now
           where (${wanted}::text[] is null or now.state = any (${wanted}::text[]))
             and (${buyerId}::text is null or buyer_id = ${buyerId}::text)
             and ${hasGoods(sql, query)}`;
    const key = byTaking ? sql`json_build_array(${usOf(sql, sql`at`)}, location_id, version)` : madeKey;
    return sql`${framed(sql, { scan: orderScan(sql, query, { after, size }), page, key, size })}`;
  };
}

function hasGoods(sql: postgres.Sql, query: OrderQuery): Fragment {
  const { goodsId, locationId = null } = query;
  if (goodsId === undefined) return sql`true`;
  return sql`exists (select from unnest(goods_ids, location_ids) as line (goods_id, location_id)
                          where line.goods_id = ${goodsId}
                            and (${locationId}::int is null or coalesce(line.location_id, 0) = ${locationId}::int))`;
}
