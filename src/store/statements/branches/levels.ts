/** Levels, as a part of the write. */
import type postgres from "postgres";
import type { Changes, Level, Policy } from "../../../inventory/model.ts";
import { NO_POLICY } from "../../../inventory/operations/policy.ts";
import { column } from "../../postgres/arrays.ts";
import { placeColumns } from "../stock_keys.ts";
import type { Branch, Fragment } from "./branch.ts";

/** Row versions of a goods that have one key in levels; the column version_block of the migrations is made with it. */
export const VERSIONS_A_BLOCK = 64;

/**
 * A sale may leave units reserved whose hold ended so long ago, in ms: no longer, however late it is written, as no
 * hold that is left ends before `holds_from`, when its level was last read for.
 */
export const HOLDS_READ_MS_MAX = 2_000;

/** A level that was there before. */
export interface Levelled {
  readonly before: Level;
  readonly after: Level;
}

/**
 * Inserts levels that are new. Their first movement is the fence, but where the ledger is divided another period may
 * have it; so it is looked whether there is a row, by a query of its own: a join could read all of the index.
 */
export function insertLevels(sql: postgres.Sql, at: Fragment, opened: readonly Level[]): Branch {
  const { goodsIds, locationIds } = placeColumns(opened);
  const tables = sql`
        opened as (
          insert into levels (goods_id, location_id, on_hand, reserved, version, created_at, updated_at)
          select goods_id, location_id, on_hand, reserved, version, ${at}, ${at}
            from unnest((select ${goodsIds}::int[]),
                        (select ${locationIds}::int[]),
                        (select ${column(opened, (l) => l.onHand)}::int[]),
                        (select ${column(opened, (l) => l.reserved)}::int[]),
                        (select ${column(opened, (l) => l.version)}::bigint[]))
              as l (goods_id, location_id, on_hand, reserved, version)
           where (select version from levels
                   where goods_id = l.goods_id and location_id = l.location_id limit 1) is null
          returning goods_id
        )`;
  return { tables, unmoved: sql`(select count(*) from opened) = ${opened.length}::int` };
}

/**
 * Updates levels, each as it was read; `holdsFrom`: no hold of them that is left ends before; `plain`: as
 * {@link stillPlain}.
 *
 * A row is found by its whole key, and that of the goods is written as `any (array[...])`: an equality of columns could
 * be joined by a merge, for which the planner also considers to read all of the index, and does so where few rows are
 * left and it knows nothing of the thousands of old versions that an old snapshot keeps. That of the location, in the
 * middle of the key, is not: the planner may look an array up as a filter, and then reads all blocks of the goods.
 */
export function updateLevels(
  sql: postgres.Sql,
  { at, holdsFrom, plain }: { readonly at: Fragment; readonly holdsFrom: Fragment; readonly plain: Fragment },
  levelled: readonly Levelled[],
): Branch {
  const { goodsIds, locationIds } = placeColumns(levelled.map(({ after }) => after));
  const policies = policiesOf(sql, levelled);
  const tables = sql`
        levelled as (
          update levels
             set on_hand = l.on_hand, reserved = l.reserved, version = l.version, updated_at = ${at},
                 deleted_at = case when l.deleted = l.deleted_read then levels.deleted_at when l.deleted then ${at} end,
                 holds_from = case when l.reserved > 0 then ${holdsFrom} end,
                 is_low = ${isLow(sql, policies.source)}
                 ${policies.set}
            from unnest((select ${goodsIds}::int[]),
                        (select ${locationIds}::int[]),
                        (select ${column(levelled, (l) => l.before.version)}::bigint[]),
                        (select ${column(levelled, (l) => l.before.onHand)}::int[]),
                        (select ${column(levelled, (l) => l.before.reserved)}::int[]),
                        (select ${column(levelled, (l) => l.before.deleted)}::bool[]),
                        (select ${column(levelled, (l) => l.after.onHand)}::int[]),
                        (select ${column(levelled, (l) => l.after.reserved)}::int[]),
                        (select ${column(levelled, (l) => l.after.version)}::bigint[]),
                        (select ${column(levelled, (l) => l.after.deleted)}::bool[]) ${policies.arrays})
              as l (goods_id, location_id, version_read, on_hand_read, reserved_read, deleted_read,
                    on_hand, reserved, version, deleted ${policies.columns})
           where levels.goods_id = any (array[l.goods_id]) and levels.location_id = l.location_id
             and levels.version_block = l.version_read / ${VERSIONS_A_BLOCK}::bigint
             and levels.version = l.version_read
             and levels.on_hand = l.on_hand_read and levels.reserved = l.reserved_read
             and (levels.deleted_at is not null) = l.deleted_read ${policies.compared} ${plain}
          returning levels.goods_id
        )`;
  return { tables, unmoved: sql`(select count(*) from levelled) = ${levelled.length}::int` };
}

/** Whether no policy is in the row of levels that the query names columns of. */
export function hasNoPolicy(sql: postgres.Sql): Fragment {
  return sql`safety_stock = 0 and backorder_max = 0
                 and coalesce(order_num_max, buyer_num_max, low_stock_at, hold_ttl_ms) is null`;
}

/**
 * What also has to be true of levels that were kept, and so had no policy when they were read: one that was given to
 * them by hand since has moved no version. And holds of theirs were looked for lately, by the clock of the database,
 * which was not set back behind their last write either (`CLOCK_BACK_MS_MAX`): who is read for goes on from there.
 */
export function stillPlain(sql: postgres.Sql, { atWrite }: Pick<Changes, "atWrite">): Fragment {
  return atWrite === true
    ? sql`and ${hasNoPolicy(sql)}
             and (l.reserved = 0
                  or levels.holds_from > statement_timestamp() - ${HOLDS_READ_MS_MAX}::int * interval '1 ms')
             and levels.updated_at <= statement_timestamp()`
    : sql``;
}

/** Whether a level is low once it is as `l` says, by the limits that `source` has. */
export function isLow(sql: postgres.Sql, source: Fragment): Fragment {
  return sql`case when ${source}.low_stock_at is null then false
                               when l.on_hand - l.reserved - ${source}.safety_stock <= ${source}.low_stock_at then true
                               when l.on_hand - l.reserved - ${source}.safety_stock >= ${source}.low_stock_until then false
                               else levels.is_low end`;
}

/** Where a policy changes, the pieces of the update that write all of them, each as it was read; elsewhere nothing. */
function policiesOf(sql: postgres.Sql, levelled: readonly Levelled[]) {
  if (levelled.every(({ before, after }) => before.policy === after.policy)) {
    return { source: sql`levels`, set: sql``, arrays: sql``, columns: sql``, compared: sql`` };
  }
  const of = (value: (policy: Policy) => number | undefined) =>
    column(levelled, ({ after: { policy } }) => policy === undefined ? undefined : value(policy));
  return {
    source: sql`l`,
    set: sql`,
                 safety_stock = l.safety_stock, backorder_max = l.backorder_max, order_num_max = l.order_num_max,
                 buyer_num_max = l.buyer_num_max, buyer_window_ms = l.buyer_window_ms, low_stock_at = l.low_stock_at,
                 low_stock_until = l.low_stock_until, hold_ttl_ms = l.hold_ttl_ms`,
    arrays: sql`,
                        (select ${column(levelled, ({ after }) => after.policy?.safetyStock ?? 0)}::int[]),
                        (select ${column(levelled, ({ after }) => after.policy?.backorderMax ?? 0)}::int[]),
                        (select ${of((policy) => policy.orderNumMax)}::int[]),
                        (select ${of((policy) => policy.buyerNumMax)}::int[]),
                        (select ${of((policy) => policy.buyerWindowMs)}::bigint[]),
                        (select ${of((policy) => policy.lowStockAt)}::int[]),
                        (select ${of((policy) => policy.lowStockUntil)}::int[]),
                        (select ${of((policy) => policy.holdTtlMs)}::bigint[]),
                        (select ${column(levelled, ({ before }) => numbersOf(before.policy))}::text[])`,
    columns: sql`,
                    safety_stock, backorder_max, order_num_max, buyer_num_max, buyer_window_ms, low_stock_at,
                    low_stock_until, hold_ttl_ms, policy_read`,
    compared: sql`
             and jsonb_build_array(levels.safety_stock, levels.backorder_max, levels.order_num_max,
                                   levels.buyer_num_max, levels.buyer_window_ms, levels.low_stock_at,
                                   levels.low_stock_until, levels.hold_ttl_ms) = l.policy_read::jsonb`,
  };
}

/** The numbers of a policy by column, as a list in JSON, in which what is absent is null. */
function numbersOf(policy: Policy | undefined): string {
  const { safetyStock, backorderMax, ...more } = policy ?? NO_POLICY;
  const { orderNumMax, buyerNumMax, buyerWindowMs, lowStockAt, lowStockUntil, holdTtlMs }: Partial<Policy> = more;
  const limits = [orderNumMax, buyerNumMax, buyerWindowMs];
  return JSON.stringify([safetyStock, backorderMax, ...limits, lowStockAt, lowStockUntil, holdTtlMs]);
}
