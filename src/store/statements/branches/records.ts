/** Recorded operations, lines of holds and shortfalls, as parts of the write. */
import type postgres from "postgres";
import type { HoldLine, Order, RecordedOperation, Shortfall } from "../../../inventory/model.ts";
import { arrayLiteral, column } from "../../postgres/arrays.ts";
import { placeColumns } from "../stock_keys.ts";
import type { Branch, Fragment } from "./branch.ts";
import { goodsIdsOf, locationsOf, numsOf } from "./orders.ts";

/** How a shortfall ends that nobody had to see to. */
const SOLD_AFTER_ALL = "confirmed";

/** Inserts operations. */
export function insertOperations(sql: postgres.Sql, at: Fragment, operations: readonly RecordedOperation[]): Branch {
  const tables = sql`
        recorded as (
          insert into operations (operation_id, kind, order_id, goods_ids, location_ids, nums, content, answer,
                                  created_at)
          select operation_id, kind, order_id, goods_ids::int[], location_ids::int[], nums::int[], content::jsonb,
                 answer::jsonb, ${at}
            from unnest((select ${column(operations, (o) => o.operationId)}::text[]),
                        (select ${column(operations, (o) => o.kind)}::text[]),
                        (select ${column(operations, (o) => o.orderId)}::text[]),
                        (select ${column(operations, (o) => goodsIdsOf(o.lines))}::text[]),
                        (select ${column(operations, (o) => locationsOf(o.lines))}::text[]),
                        (select ${column(operations, (o) => numsOf(o.lines))}::text[]),
                        (select ${column(operations, (o) => o.content && JSON.stringify(o.content))}::text[]),
                        (select ${column(operations, (o) => o.levels && JSON.stringify(o.levels))}::text[]))
              as o (operation_id, kind, order_id, goods_ids, location_ids, nums, content, answer)
        )`;
  return { tables };
}

/** Inserts lines that are held from now on; one that is held until the same moment as before gets its new number. */
export function insertHolds(sql: postgres.Sql, lines: readonly HoldLine[]): Branch {
  const { goodsIds, locationIds } = placeColumns(lines);
  const tables = sql`
        held as (
          insert into holds (goods_id, location_id, expires_at, order_id, num)
          select goods_id, location_id, to_timestamp(expires_at_ms / 1000.0), order_id, num
            from unnest((select ${goodsIds}::int[]),
                        (select ${locationIds}::int[]),
                        (select ${column(lines, (l) => l.expiresAtMs)}::bigint[]),
                        (select ${column(lines, (l) => l.orderId)}::text[]),
                        (select ${column(lines, (l) => l.num)}::int[]))
              as l (goods_id, location_id, expires_at_ms, order_id, num)
          on conflict (goods_id, location_id, expires_at, order_id) do update set num = excluded.num
        )`;
  return { tables };
}

/** Deletes lines that are held no more. */
export function deleteHolds(sql: postgres.Sql, lines: readonly HoldLine[]): Branch {
  const { goodsIds, locationIds } = placeColumns(lines);
  const tables = sql`
        ended as (
          delete from holds
           using unnest((select ${goodsIds}::int[]),
                        (select ${locationIds}::int[]),
                        (select ${column(lines, (l) => l.expiresAtMs)}::bigint[]),
                        (select ${column(lines, (l) => l.orderId)}::text[]))
              as l (goods_id, location_id, expires_at_ms, order_id)
           where holds.goods_id = any (array[l.goods_id]) and holds.location_id = l.location_id
             and holds.expires_at = to_timestamp(l.expires_at_ms / 1000.0) and holds.order_id = l.order_id
          returning holds.order_id
        )`;
  return { tables, unmoved: sql`(select count(*) from ended) = ${lines.length}::int` };
}

/** Inserts shortfalls; one that is on record stays as it is. */
export function insertShortfalls(sql: postgres.Sql, at: Fragment, shortfalls: readonly Shortfall[]): Branch {
  const tables = sql`
        fell_short as (
          insert into shortfalls (order_id, buyer_id, goods_ids, location_ids, asked, available, created_at)
          select order_id, buyer_id, goods_ids::int[], location_ids::int[], asked::int[], available::int[], ${at}
            from unnest((select ${column(shortfalls, (s) => s.orderId)}::text[]),
                        (select ${column(shortfalls, (s) => s.buyerId)}::text[]),
                        (select ${column(shortfalls, (s) => arrayLiteral(s.lines.map((l) => l.goodsId)))}::text[]),
                        (select ${column(shortfalls, (s) => arrayLiteral(s.lines.map((l) => l.locationId)))}::text[]),
                        (select ${column(shortfalls, (s) => arrayLiteral(s.lines.map((l) => l.asked)))}::text[]),
                        (select ${column(shortfalls, (s) => arrayLiteral(s.lines.map((l) => l.available)))}::text[]))
              as s (order_id, buyer_id, goods_ids, location_ids, asked, available)
          on conflict (order_id) do nothing
        )`;
  return { tables };
}

/**
 * Has somebody see anew to a shortfall that was resolved before the hold of now was over: it was that of an earlier
 * hold of the order, which was reserved anew since. Lines, and the time of the first one, stay as they were then.
 */
export function reopenShortfalls(sql: postgres.Sql, at: Fragment, holds: readonly Order[]): Branch {
  const tables = sql`
        reopened as (
          update shortfalls set resolved_at = null, resolution = null, opened_at = ${at}
            from unnest((select ${column(holds, (o) => o.orderId)}::text[]),
                        (select ${column(holds, (o) => o.expiresAtMs)}::bigint[])) as h (order_id, expires_at_ms)
           where shortfalls.order_id = h.order_id and shortfalls.resolved_at <= to_timestamp(h.expires_at_ms / 1000.0)
        )`;
  return { tables };
}

/** Ends the shortfalls of orders that were sold after all, where somebody still has to see to them. */
export function endShortfalls(sql: postgres.Sql, at: Fragment, orderIds: readonly string[]): Branch {
  const tables = sql`
        needless as (
          update shortfalls set resolved_at = ${at}, resolution = ${SOLD_AFTER_ALL}
           where order_id = any ((select ${arrayLiteral(orderIds)}::text[])::text[]) and resolved_at is null
        )`;
  return { tables };
}
