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

/**
 * Inserts orders that are new, beside other things than {@link insertSold} does. Plain sales of one line are a text of
 * their own, as they are most of all there too.
 */
export function insertOrders(sql: postgres.Sql, at: Fragment, added: readonly Order[]): Branch {
  const isPlain = added.every(({ lines, asked, held, buyerId }) =>
    locationsOf(lines) === undefined && asked === undefined && held === undefined && buyerId === undefined
  );
  if (isPlain && added.every(({ lines }) => lines.length === 1)) return insertOfOneLine(sql, at, added);
  const more = isPlain ? { names: sql``, values: sql``, arrays: sql``, columns: sql`` } : moreOf(sql, added);
  const tables = sql`
        added as (
          insert into orders (order_id, state, goods_ids, nums, returned, created_at, updated_at ${more.names})
          select order_id, state, goods_ids::int[], nums::int[], returned::int[], ${at}, ${at} ${more.values}
            from unnest((select ${column(added, (o) => o.orderId)}::text[]),
                        (select ${column(added, (o) => o.state)}::text[]),
                        (select ${column(added, (o) => goodsIdsOf(o.lines))}::text[]),
                        (select ${column(added, (o) => numsOf(o.lines))}::text[]),
                        (select ${column(added, (o) => arrayLiteral(o.returned))}::text[]) ${more.arrays})
              as o (order_id, state, goods_ids, nums, returned ${more.columns})
        )`;
  return { tables };
}

/** Most have one line: a cast of a text to an array takes PostgreSQL longer than to make one of a number. */
function insertOfOneLine(sql: postgres.Sql, at: Fragment, added: readonly Order[]): Branch {
  const tables = sql`
        added as (
          insert into orders (order_id, state, goods_ids, nums, returned, created_at, updated_at)
          select order_id, state, array[goods_id], array[num], array[returned], ${at}, ${at}
            from unnest((select ${column(added, (o) => o.orderId)}::text[]),
                        (select ${column(added, (o) => o.state)}::text[]),
                        (select ${column(added, (o) => o.lines[0]?.goodsId)}::int[]),
                        (select ${column(added, (o) => o.lines[0]?.num)}::int[]),
                        (select ${column(added, (o) => o.returned[0])}::int[]))
              as o (order_id, state, goods_id, num, returned)
        )`;
  return { tables };
}

function moreOf(sql: postgres.Sql, added: readonly Order[]) {
  const names = sql`, location_ids, located_returned, asked, held, expires_at, buyer_id`;
  return {
    names,
    values: sql`, location_ids::int[], case when location_ids is not null then returned::int[] end,
                 asked::int[], held::int[], to_timestamp(expires_at_ms / 1000.0), buyer_id`,
    arrays: sql`,
                        (select ${column(added, (o) => locationsOf(o.lines))}::text[]),
                        (select ${column(added, (o) => o.asked && arrayLiteral(o.asked))}::text[]),
                        (select ${column(added, (o) => o.held && arrayLiteral(o.held))}::text[]),
                        (select ${column(added, (o) => o.expiresAtMs)}::bigint[]),
                        (select ${column(added, (o) => o.buyerId)}::text[])`,
    columns: sql`, location_ids, asked, held, expires_at_ms, buyer_id`,
  };
}

/**
 * Updates orders, each as it was read: what is written is compared before. Casts to arrays, which are STABLE, stand in
 * a table expression of their own: not every engine takes one beside a column in an UPDATE.
 */
export function updateOrders(sql: postgres.Sql, at: Fragment, changed: readonly Changed[]): Branch {
  const after = changed.map((order) => order.after);
  const anew = anewOf(sql, changed);
  const rest = restOf(sql, changed, anew.source);
  const tables = sql`
        wanted as materialized (
          select order_id, state_read, nums_read::int[] as nums_read, returned_read::int[] as returned_read,
                 to_timestamp(expires_read_ms / 1000.0) as expires_read, state ${rest.values} ${anew.values}
            from unnest((select ${column(after, (o) => o.orderId)}::text[]),
                        (select ${column(changed, (o) => o.before.state)}::text[]),
                        (select ${column(changed, (o) => numsOf(o.before.lines))}::text[]),
                        (select ${column(changed, (o) => arrayLiteral(o.before.returned))}::text[]),
                        (select ${column(changed, (o) => o.before.expiresAtMs)}::bigint[]),
                        (select ${column(after, (o) => o.state)}::text[]) ${rest.arrays} ${anew.arrays})
              as o (order_id, state_read, nums_read, returned_read, expires_read_ms, state
                    ${rest.columns} ${anew.columns})
        ), changed as (
          update orders
             set state = w.state, updated_at = ${at} ${rest.set} ${anew.set}
            from wanted as w
           where orders.order_id = w.order_id and orders.state = w.state_read and orders.nums = w.nums_read
             and orders.returned = w.returned_read and orders.expires_at is not distinct from w.expires_read
             ${anew.compared}
          returning orders.order_id
        )`;
  return { tables, unmoved: sql`(select count(*) from changed) = ${changed.length}::int` };
}

/**
 * The pieces of the update that write what is compared beside the state, and nothing where none of it changes, as of
 * holds that expire or are released: then it is handed over once. `source`: whose locations are the order's.
 */
function restOf(sql: postgres.Sql, changed: readonly Changed[], source: Fragment) {
  if (changed.every(changesStateOnly)) return { values: sql``, arrays: sql``, columns: sql``, set: sql`` };
  const after = changed.map((order) => order.after);
  return {
    values: sql`,
                 nums::int[] as nums, returned::int[] as returned, to_timestamp(expires_at_ms / 1000.0) as expires_at,
                 to_timestamp(at_ms / 1000.0) as created_at`,
    arrays: sql`,
                        (select ${column(after, (o) => numsOf(o.lines))}::text[]),
                        (select ${column(after, (o) => arrayLiteral(o.returned))}::text[]),
                        (select ${column(after, (o) => o.expiresAtMs)}::bigint[]),
                        (select ${column(changed, createdAnew)}::bigint[])`,
    columns: sql`, nums, returned, expires_at_ms, at_ms`,
    set: sql`,
                 nums = w.nums, returned = w.returned, expires_at = w.expires_at,
                 located_returned = case when ${source}.location_ids is not null then w.returned end,
                 created_at = coalesce(w.created_at, orders.created_at)`,
  };
}

function changesStateOnly({ before, after }: Changed): boolean {
  return before.lines === after.lines && before.returned === after.returned && before.held === after.held &&
    before.expiresAtMs === after.expiresAtMs && before.atMs === after.atMs;
}

/** When an order's units were taken, in ms, where they were taken anew. */
function createdAnew({ before, after }: Changed): number | undefined {
  return before.atMs === after.atMs ? undefined : after.atMs;
}

/** Where a hold is reserved anew, the pieces of the update that replace what only that does; elsewhere nothing. */
function anewOf(sql: postgres.Sql, changed: readonly Changed[]) {
  if (changed.every(({ before, after }) => before.held === after.held)) {
    return { source: sql`orders`, values: sql``, arrays: sql``, columns: sql``, set: sql``, compared: sql`` };
  }
  const [before, after] = [changed.map((order) => order.before), changed.map((order) => order.after)];
  return {
    source: sql`w`,
    values: sql`,
                 goods_read::int[] as goods_read, locations_read::int[] as locations_read, buyer_read,
                 goods_ids::int[] as goods_ids, location_ids::int[] as location_ids, asked::int[] as asked,
                 held::int[] as held, buyer_id`,
    arrays: sql`,
                        (select ${column(before, (o) => goodsIdsOf(o.lines))}::text[]),
                        (select ${column(before, (o) => locationsOf(o.lines))}::text[]),
                        (select ${column(before, (o) => o.buyerId)}::text[]),
                        (select ${column(after, (o) => goodsIdsOf(o.lines))}::text[]),
                        (select ${column(after, (o) => locationsOf(o.lines))}::text[]),
                        (select ${column(after, (o) => o.asked && arrayLiteral(o.asked))}::text[]),
                        (select ${column(after, (o) => o.held && arrayLiteral(o.held))}::text[]),
                        (select ${column(after, (o) => o.buyerId)}::text[])`,
    columns: sql`, goods_read, locations_read, buyer_read, goods_ids, location_ids, asked, held, buyer_id`,
    set: sql`,
                 goods_ids = w.goods_ids, location_ids = w.location_ids, asked = w.asked, held = w.held,
                 buyer_id = w.buyer_id`,
    compared: sql`
             and orders.goods_ids = w.goods_read and orders.location_ids is not distinct from w.locations_read
             and orders.buyer_id is not distinct from w.buyer_read`,
  };
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
