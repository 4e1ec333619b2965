/**
 * The one read before every decision.
 */
import type postgres from "postgres";
import type { Buyer } from "../../inventory/operations/rules.ts";
import type { Moment, Snapshot } from "../../inventory/model.ts";
import type { StockKey } from "../../inventory/stock_key.ts";
import { arrayLiteral, column } from "../postgres/arrays.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type { Fragment } from "./branches/branch.ts";
import { hasNoPolicy } from "./branches/levels.ts";
import { literal } from "./lists/frame.ts";
import { DUE_HOLDS_MAX, snapshotOf, type SnapshotRow } from "./snapshot_row.ts";
import { keyColumns, placeColumns } from "./stock_keys.ts";

/**
 * Times of a place do not fall from one version to the next, by whatever PostgreSQL's clock was set back up to this, in
 * ms: whoever looks for a moment of it halves its versions. What is decided on a level is of the time of its last write
 * at the earliest, and what would be written without a read before that meets the fence (`stillPlain`). A time that is
 * further ahead is taken for a wrong one, which is followed so far and no further: by all that is decided together with
 * its place, until that is written; from then on it stands for so long at the most, and so does all of that.
 */
export const CLOCK_BACK_MS_MAX = 5_000;

/** Which rows a snapshot is to contain. */
export interface SnapshotKeys {
  readonly stockKeys: readonly StockKey[];
  readonly orderIds: readonly string[];
  readonly operationIds: readonly string[];
  /** Of which buyers it is wanted what they have of capped goods, which are among `stockKeys`. */
  readonly buyers?: readonly Buyer[];
  /** What was on hand earlier; of goods among `stockKeys`. */
  readonly moments?: readonly Moment[];
}

/**
 * Reads levels, orders and operations by their primary keys, in one round trip.
 *
 * One statement and so one snapshot: a refusal is not fenced by any write, so it must not be decided on an
 * order of one moment and a level of the next.
 *
 * A row of levels is looked for from the highest block of its versions down, here and wherever it is looked for. While
 * any session keeps an old snapshot open, PostgreSQL keeps every version of the row, and a search by goods alone reads
 * all of them. Arrays are asked for by selects of their own so that no plan depends on their length: else short ones
 * are planned anew at every call, and that of a lone order takes PostgreSQL three times as long. Holds are looked for
 * from `holds_from` on, for the same reason: below it there are only remains.
 *
 * The moment is cut to a millisecond, as every `expires_at` is a whole one: what is over by the one is over by the
 * other. It is not before the last write of any of the levels, see {@link CLOCK_BACK_MS_MAX}; so what has been taken
 * for over stays so.
 */
export async function readSnapshot(pool: Pool, keys: SnapshotKeys, signal: AbortSignal): Promise<Snapshot> {
  return snapshotOf(await pool.run(snapshotStatement(keys), signal));
}

/** The statement behind {@link readSnapshot}, for a transaction block. */
export function snapshotStatement(keys: SnapshotKeys): Statement<SnapshotRow[]> {
  const { goodsIds, locationIds } = keyColumns(keys.stockKeys);
  const orderIds = arrayLiteral(keys.orderIds);
  const operationIds = arrayLiteral(keys.operationIds);
  const { buyers = [], moments = [] } = keys;
  return (sql) => {
    const taken = buyers.length === 0 ? sql`` : sql`, ${takenColumn(buyers)(sql)} as taken`;
    const earlier = moments.length === 0 ? sql`` : sql`, ${momentsColumn(moments)(sql)} as moments`;
    return sql`
        with newest as (
          select level.*
            from unnest((select ${goodsIds}::int[]), (select ${locationIds}::int[])) as asked (goods_id, location_id),
                 lateral (select goods_id, location_id, on_hand, reserved, version, deleted_at is not null as deleted,
                                 buyer_num_max, buyer_window_ms, holds_from, updated_at,
                                 ${policyArray(sql)} as policy
                            from levels where goods_id = asked.goods_id and location_id = asked.location_id
                           order by version_block desc limit 1) as level
        )
        select
          (extract(epoch from levelled.now) * 1000)::bigint as at_ms,
          goods_ids, location_ids, on_hand, reserved, versions, apart,
          due.*,
          (select coalesce(json_agg(${orderArray(sql)}), '[]')
             from orders where order_id = any ((select ${orderIds}::text[])::text[])) as orders,
          (select coalesce(json_agg(json_build_array(operation_id, kind, order_id, goods_ids, location_ids, nums,
                                                     content, answer)), '[]')
             from operations where operation_id = any ((select ${operationIds}::text[])::text[])) as operations
          ${taken} ${earlier}
          from (select array_agg(goods_id) as goods_ids, array_agg(location_id) as location_ids,
                       array_agg(on_hand) as on_hand, array_agg(reserved) as reserved, array_agg(version) as versions,
                       json_agg(json_build_array(goods_id, location_id, deleted, policy))
                         filter (where deleted or policy is not null) as apart,
                       date_trunc('milliseconds', greatest(statement_timestamp(),
                         least(coalesce(max(updated_at), '-infinity'),
                               statement_timestamp() + ${literal(sql, CLOCK_BACK_MS_MAX)} * interval '1 ms'))) as now
                  from newest) as levelled,
               lateral (select array_agg(goods_id) as due_goods_ids, array_agg(location_id) as due_location_ids,
                       json_agg(order_id) as due_order_ids, array_agg(num) as due_nums,
                       array_agg((date_part('epoch', expires_at) * 1000)::bigint) as due_at_ms
                  from (select hold.*
                          from newest,
                               lateral (select * from holds
                                         where goods_id = newest.goods_id and location_id = newest.location_id
                                           and expires_at >= newest.holds_from and expires_at <= levelled.now
                                         order by expires_at, order_id limit ${DUE_HOLDS_MAX + 1}::int) as hold
                         where newest.holds_from <= levelled.now
                         order by expires_at, goods_id, location_id, order_id
                         limit ${DUE_HOLDS_MAX + 1}::int) as ended) as due`;
  };
}

/** The policy of a row of levels as a list, for `policyOf`; null where there is none. */
export function policyArray(sql: postgres.Sql): Fragment {
  return sql`
                    case when not (${hasNoPolicy(sql)})
                      then json_build_array(safety_stock, backorder_max, order_num_max, buyer_num_max, buyer_window_ms,
                                            low_stock_at, low_stock_until, hold_ttl_ms) end`;
}

/** A row of orders as a list, for `orderOf`. */
export function orderArray(sql: postgres.Sql): Fragment {
  return sql`
            json_build_array(orders.order_id, orders.state, orders.goods_ids, orders.location_ids, orders.nums,
                             orders.returned, (extract(epoch from orders.created_at) * 1000)::bigint, orders.asked,
                             orders.held, (extract(epoch from orders.expires_at) * 1000)::bigint, orders.buyer_id)`;
}

/** What buyers have of goods that are capped, live holds of any age included: nothing for goods that are not. */
function takenColumn(buyers: readonly Buyer[]): Statement<unknown[]> {
  const { goodsIds, locationIds } = placeColumns(buyers);
  const buyerIds = column(buyers, (buyer) => buyer.buyerId);
  return (sql) =>
    sql`
        (select coalesce(json_agg(json_build_array(newest.goods_id, newest.location_id, asked.buyer_id, (
                  select coalesce(sum(line.num - line.returned), 0)
                    from (select goods_ids, location_ids, nums, returned
                            from orders
                           where orders.buyer_id = asked.buyer_id and state in ('sold', 'rolled_back')
                             and orders.created_at > case when newest.buyer_window_ms is null then '-infinity'
                                                       else levelled.now - newest.buyer_window_ms * interval '1 ms' end
                           union all
                          select goods_ids, location_ids, nums, returned
                            from orders
                           where orders.buyer_id = asked.buyer_id and state = 'held' and expires_at > levelled.now) as theirs,
                         unnest(goods_ids, location_ids, nums, returned) as line (goods_id, location_id, num, returned)
                   where line.goods_id = newest.goods_id and coalesce(line.location_id, 0) = newest.location_id))), '[]')
           from unnest((select ${goodsIds}::int[]), (select ${locationIds}::int[]), (select ${buyerIds}::text[]))
                  as asked (goods_id, location_id, buyer_id)
           join newest on newest.goods_id = asked.goods_id and newest.location_id = asked.location_id
          where newest.buyer_num_max is not null)`;
}

/**
 * What was on hand after the last movement that was written down by then. Times do not fall with versions, so that it
 * is found by halving, however many movements came since; those that are not kept any more are taken for earlier ones.
 *
 * To it comes what counts have found that are of an earlier moment and were written down later. Where somebody has said
 * since how many there are, by a set or a count of a later moment, there is nothing more to say: null. So it is where
 * movements of later are not kept.
 */
function momentsColumn(moments: readonly Moment[]): Statement<unknown[]> {
  const { goodsIds, locationIds } = placeColumns(moments);
  const atMs = column(moments, (moment) => moment.atMs);
  return (sql) =>
    sql`
        (select coalesce(json_agg(json_build_array(newest.goods_id, newest.location_id, asked.at_ms, (
                  with recursive search (low, high) as (
                    select 0::bigint, newest.version
                    union all
                    select case when is_before then middle else low end, case when is_before then high else middle - 1 end
                      from search,
                           lateral (select (low + high + 1) / 2 as middle) as half,
                           lateral (select coalesce((select at <= to_timestamp(asked.at_ms / 1000.0) from movements
                                                      where goods_id = newest.goods_id and location_id = newest.location_id
                                                        and version = middle), true) as is_before) as look
                     where low < high
                  )
                  select case when exists (
                           select from movements
                            where goods_id = newest.goods_id and location_id = newest.location_id
                              and kind in ('set', 'count') and version > last.version
                              and coalesce(occurred_at, at) > to_timestamp(asked.at_ms / 1000.0))
                           or exists (
                           select from openings
                            where goods_id = newest.goods_id and location_id = newest.location_id
                              and at > to_timestamp(asked.at_ms / 1000.0)) then null
                         else coalesce(
                           (select on_hand_after - on_hand_delta from movements
                             where goods_id = newest.goods_id and location_id = newest.location_id
                               and version = last.version + 1), newest.on_hand)
                         + (select coalesce(sum(on_hand_delta), 0) from movements
                             where goods_id = newest.goods_id and location_id = newest.location_id
                               and kind in ('set', 'count') and version > last.version
                               and occurred_at <= to_timestamp(asked.at_ms / 1000.0)) end
                    from (select low as version from search order by high - low limit 1) as last))), '[]')
           from unnest((select ${goodsIds}::int[]), (select ${locationIds}::int[]), (select ${atMs}::bigint[]))
                  as asked (goods_id, location_id, at_ms)
           join newest on newest.goods_id = asked.goods_id and newest.location_id = asked.location_id)`;
}
