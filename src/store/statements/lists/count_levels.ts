/** How many levels a query fits. */
import type postgres from "postgres";
import type { LevelQuery } from "../../../inventory/queries.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Pool } from "../../postgres/pool.ts";
import type { Statement } from "../../postgres/transaction_block.ts";
import type { Fragment } from "../branches/branch.ts";
import { timeOfUs } from "./frame.ts";

/** Counted one by one; StatementTimeoutError where there are more than can be counted in the time of a statement. */
export async function countLevels(pool: Pool, query: LevelQuery, signal: AbortSignal): Promise<number> {
  const [row] = await pool.run(countLevelsStatement(query), signal);
  return Number(row?.count);
}

/** As the planner reckons. */
export async function estimateLevels(pool: Pool, query: LevelQuery, signal: AbortSignal): Promise<number> {
  const [row] = await pool.run(estimateLevelsStatement(query), signal);
  return row?.["QUERY PLAN"][0]?.Plan["Plan Rows"] ?? 0;
}

/** The statement behind {@link countLevels}. Each row is there once, whatever versions of it are left. */
export function countLevelsStatement(query: LevelQuery): Statement<{ readonly count: string }[]> {
  return (sql) =>
    sql`
        select count(*)
          from ${liveLevels(sql)}
         where ${filters(sql, query)} and ${liveFilters(sql, query)}`;
}

/** All levels, as the table `levels`, with `live_reserved` and `available` as of now. */
export function liveLevels(sql: postgres.Sql): Fragment {
  return sql`levels,
               lateral (select reserved - case when holds_from <= statement_timestamp() then (
                                 select coalesce(sum(num), 0)::int from holds
                                  where goods_id = levels.goods_id and location_id = levels.location_id
                                    and expires_at >= levels.holds_from and expires_at <= statement_timestamp())
                               else 0 end as live_reserved offset 0) as live,
               lateral (select on_hand::bigint - live_reserved - safety_stock as available offset 0) as sums`;
}

interface PlanRow {
  readonly "QUERY PLAN": readonly { readonly Plan: { readonly "Plan Rows": number } }[];
}

/** The statement behind {@link estimateLevels}. It looks at rows as they stand, and not at what has expired since. */
export function estimateLevelsStatement(query: LevelQuery): Statement<PlanRow[]> {
  return (sql) => sql`explain (format json) select from levels where ${filters(sql, query)}`;
}

/** What the columns say; of sold out and low more than there are, never less. */
export function filters(sql: postgres.Sql, query: LevelQuery): Fragment {
  const { goodsIds, skus, skuPrefix, locationIds, isLow, isSoldOut, hasHolds, deleted, changedSinceUs, sort } = query;
  const conditions = [
    ...(deleted === "included" ? [] : [deleted === "only" ? sql`deleted_at is not null` : sql`deleted_at is null`]),
    ...(goodsIds === undefined && skus === undefined ? [] : [sql`
           goods_id = any (array(select unnest(${arrayLiteral(goodsIds ?? [])}::int[]) union
                                 select goods_id from goods
                                  where sku = any (${arrayLiteral(skus ?? [])}::text[])))`]),
    ...(sort !== "sku" && skuPrefix === undefined ? [] : [sql`
           goods_id in (select goods_id from goods where starts_with(sku, ${skuPrefix ?? ""}))`]),
    ...(locationIds === undefined ? [] : [sql`location_id = any (${arrayLiteral(locationIds)}::int[])`]),
    ...(isLow === true ? [sql`is_low`] : []),
    ...(isSoldOut === true ? [sql`is_sold_out`] : []),
    ...(hasHolds === true ? [sql`reserved > 0`] : []),
    ...(changedSinceUs === undefined ? [] : [sql`updated_at >= ${timeOfUs(sql, changedSinceUs)}`]),
  ];
  return conditions.reduce((all, next) => sql`${all} and ${next}`, sql`true`);
}

/** What is true now. */
function liveFilters(sql: postgres.Sql, query: LevelQuery): Fragment {
  const { isLow = null, isSoldOut = null, hasHolds = null } = query;
  return sql`(${isLow}::bool is null or (is_low and available < low_stock_until) = ${isLow}::bool)
           and (${isSoldOut}::bool is null or (available + backorder_max <= 0) = ${isSoldOut}::bool)
           and (${hasHolds}::bool is null or (live_reserved > 0) = ${hasHolds}::bool)`;
}
