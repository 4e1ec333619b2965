/**
 * The places that a list of levels may have, each by the index that finds the fewest of them.
 *
 * No scan goes over the rows of levels by goods: while an old snapshot is open there are thousands of old versions of
 * each, which stand before the newest in the index. The first movement of a place is written once and stays, so the
 * ledger has an index of all places that does not age. Rows that are low, sold out or deleted have indexes in which the
 * newest version of a place comes first: the scan takes that, and leaps to the next place.
 */
import type postgres from "postgres";
import type { LevelQuery } from "../../../inventory/queries.ts";
import { INT32_MAX } from "../../../inventory/model.ts";
import { SKU_LENGTH_MAX } from "../../../inventory/sku.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Fragment } from "../branches/branch.ts";
import { direction, FIRST_US, type Key, literal, type Scan, timeOfUs } from "./frame.ts";

/** Places that are looked at for one page; each is a search of some microseconds. */
const PLACES_MAX = 2000;
/** The same by sku: each place is somewhere else on the disk. */
const NAMED_MAX = 500;
/** Leaps from place to place for one page. */
const LEAPS_MAX = 500;
/** The same over all of the locations that are asked for, of which each has to be read that far. */
const PLACES_OF_LOCATIONS_MAX = 20_000;
/** Movements that are looked at for one page of changes; most of them are of few places. */
const CHANGES_MAX = 2000;
/** Follows on a prefix behind all skus that begin with it: more of the last code point than a sku has characters. */
const LAST_CHARACTERS = "\u{10FFFF}".repeat(SKU_LENGTH_MAX + 1);

/** Candidates behind the key, as `scanned (goods_id, location_id)`, by sku with `sku`, by change with `at, version`. */
export function levelScan(sql: postgres.Sql, query: LevelQuery, after: Key | undefined): Scan {
  const { sort, isDescending } = query;
  if (sort === "change") return byChange(sql, after ?? [query.changedSinceUs ?? FIRST_US, 0, -1, -1]);
  if (sort === "sku") return bySku(sql, query, after ?? [isDescending ? LAST_CHARACTERS : "", -1]);
  const key = after ?? (isDescending ? [INT32_MAX + 1, 0] : [0, 0]);
  if (query.goodsIds !== undefined || query.skus !== undefined) return byGoods(sql, query, key);
  if (query.hasHolds) return leaps(sql, query, key, "holds");
  if (query.isSoldOut) return leaps(sql, query, key, "sold_out");
  if (query.isLow) return leaps(sql, query, key, "low");
  if (query.deleted === "only") return leaps(sql, query, key, "deleted");
  if (query.locationIds !== undefined) return byLocations(sql, query.locationIds, isDescending, key);
  return all(sql, isDescending, key);
}

function all(sql: postgres.Sql, isDescending: boolean, key: Key): Scan {
  const { behind, sort } = direction(sql, isDescending);
  const [goodsId, locationId] = key as [number, number];
  const tables = sql`
        scanned as (
          select goods_id, location_id from movements
           where version = 1 and (goods_id, location_id) ${behind} (${goodsId}::bigint, ${locationId}::bigint)
           order by goods_id ${sort}, location_id ${sort} limit ${literal(sql, PLACES_MAX)}
        )`;
  return { tables, max: PLACES_MAX };
}

function byGoods(sql: postgres.Sql, { goodsIds, skus, isDescending }: LevelQuery, key: Key): Scan {
  const { behind, sort } = direction(sql, isDescending);
  const [goodsId, locationId] = key as [number, number];
  const tables = sql`
        ${wantedGoods(sql, goodsIds, skus)}, scanned as (
          select place.*
            from (select goods_id from wanted order by goods_id ${sort}) as asked,
                 lateral (select goods_id, location_id from movements
                           where version = 1 and goods_id = asked.goods_id
                             and (goods_id, location_id) ${behind} (${goodsId}::bigint, ${locationId}::bigint)
                           order by location_id ${sort} limit ${literal(sql, PLACES_MAX)}) as place
           limit ${literal(sql, PLACES_MAX)}
        )`;
  return { tables, max: PLACES_MAX };
}

function byLocations(sql: postgres.Sql, locationIds: readonly number[], isDescending: boolean, key: Key): Scan {
  const { behind, sort } = direction(sql, isDescending);
  const [goodsId, locationId] = key as [number, number];
  const max = Math.min(PLACES_MAX, Math.floor(PLACES_OF_LOCATIONS_MAX / locationIds.length));
  const tables = sql`
        scanned as (
          select place.*
            from unnest((select ${arrayLiteral(locationIds)}::int[])) as asked (location_id),
                 lateral (select goods_id, location_id from movements
                           where version = 1 and location_id = asked.location_id
                             and goods_id ${behind}= ${goodsId}::bigint
                             and (goods_id, location_id) ${behind} (${goodsId}::bigint, ${locationId}::bigint)
                           order by goods_id ${sort} limit ${max}::int) as place
           order by goods_id ${sort}, location_id ${sort} limit ${max}::int
        )`;
  return { tables, max };
}

/** From place to place, by an index that has only places of that kind. */
function leaps(
  sql: postgres.Sql,
  { isDescending }: LevelQuery,
  key: Key,
  kind: "holds" | "sold_out" | "low" | "deleted",
): Scan {
  const { behind, sort } = direction(sql, isDescending);
  const newestFirst = isDescending ? sql`asc` : sql`desc`;
  const from = {
    // Those that end last come last, and remains of those that have ended before.
    holds: {
      table: sql`holds`,
      only: sql`expires_at > statement_timestamp()`,
      then: sql`expires_at ${sort}, order_id ${sort}`,
    },
    sold_out: { table: sql`levels`, only: sql`is_sold_out`, then: sql`version_block ${newestFirst}` },
    low: { table: sql`levels`, only: sql`is_low`, then: sql`version_block ${newestFirst}` },
    deleted: { table: sql`levels`, only: sql`deleted_at is not null`, then: sql`version_block ${newestFirst}` },
  }[kind];
  const next = (goodsId: Fragment, locationId: Fragment) =>
    sql`
          select goods_id, location_id from ${from.table}
           where ${from.only} and (goods_id, location_id) ${behind} (${goodsId}, ${locationId})
           order by goods_id ${sort}, location_id ${sort}, ${from.then} limit 1`;
  const [goodsId, locationId] = key as [number, number];
  const tables = sql`
        leap as (
          (${next(sql`${goodsId}::bigint`, sql`${locationId}::bigint`)})
          union all
          select place.* from leap, lateral (${next(sql`leap.goods_id`, sql`leap.location_id`)}) as place
        ), scanned as (
          select * from leap limit ${literal(sql, LEAPS_MAX)}
        )`;
  return { tables, max: LEAPS_MAX };
}

function bySku(sql: postgres.Sql, { goodsIds, skus, skuPrefix = "", isDescending }: LevelQuery, key: Key): Scan {
  const { behind, sort } = direction(sql, isDescending);
  const [sku, locationId] = key as [string, number];
  const isOfGoods = goodsIds !== undefined || skus !== undefined;
  const named = isOfGoods
    ? sql`(select * from goods where goods_id in (select goods_id from wanted) offset 0) as chosen`
    : sql`goods`;
  const max = literal(sql, NAMED_MAX);
  // One bound: with two that it does not know the planner takes what is between them for few rows, and sorts them.
  const begin = isDescending
    ? sql`least(${sku}::text collate "C", ${skuPrefix + LAST_CHARACTERS}::text collate "C")`
    : sql`greatest(${sku}::text collate "C", ${skuPrefix}::text collate "C")`;
  // A goods without stock, or with none behind the key, is a candidate too: else so many of them would look like the
  // end of the list. It stands behind all of its locations, at one that nothing can have.
  const nowhere = isDescending ? sql`-1` : sql`${INT32_MAX + 1}::bigint`;
  const tables = sql`
        ${isOfGoods ? sql`${wantedGoods(sql, goodsIds, skus)},` : sql``} scanned as (
          select named.goods_id, coalesce(place.location_id, ${nowhere}) as location_id, named.sku
            from (select goods_id, sku from ${named} where sku ${behind}= ${begin}
                   order by sku ${sort} limit ${max}) as named
                 left join lateral (
                   select location_id from movements
                    where version = 1 and goods_id = named.goods_id
                      and (named.sku, location_id) ${behind} (${sku}::text collate "C", ${locationId}::bigint)
                    order by location_id ${sort} limit ${max}) as place on true
           where starts_with(named.sku, ${skuPrefix})
           limit ${max}
        )`;
  return { tables, max: NAMED_MAX };
}

/** The goods that are asked for by either name, as `wanted`. */
function wantedGoods(
  sql: postgres.Sql,
  goodsIds: readonly number[] = [],
  skus: readonly string[] = [],
): Fragment {
  return sql`
        wanted as materialized (
          select goods_id from unnest((select ${arrayLiteral(goodsIds)}::int[])) as asked (goods_id)
          union
          select goods_id from goods where sku = any ((select ${arrayLiteral(skus)}::text[])::text[])
        )`;
}

/** The last of the movements of each place that come next; one that is not the last of all is not the page's yet. */
function byChange(sql: postgres.Sql, key: Key): Scan {
  const [atUs, goodsId, locationId, version] = key as [number, number, number, number];
  const tables = sql`
        moved as materialized (
          select at, goods_id, location_id, version from movements
           where (at, goods_id, location_id, version)
                   > (${timeOfUs(sql, atUs)}, ${goodsId}::bigint, ${locationId}::bigint, ${version}::bigint)
           order by at, goods_id, location_id, version limit ${literal(sql, CHANGES_MAX)}
        ), scanned as (
          select *
            from (select distinct on (goods_id, location_id) * from moved
                   order by goods_id, location_id, version desc) as last
           order by at, goods_id, location_id, version
        )`;
  return { tables, max: CHANGES_MAX, all: sql`moved` };
}
