/** The list of levels. */
import type postgres from "postgres";
import type { LevelKey, LevelQuery, ListedLevel, Page, PageOf } from "../../../inventory/queries.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Pool } from "../../postgres/pool.ts";
import type { Statement } from "../../postgres/transaction_block.ts";
import type { Fragment } from "../branches/branch.ts";
import { framed, type FrameRow, msOf, pageOf, usOf } from "./frame.ts";
import { levelScan } from "./level_scans.ts";
import { onlyRow } from "../only_row.ts";

/** A level as JSON, with a sku of 64 characters. */
const LEVEL_BYTES = 800;

/** A level as a list. */
export type LevelRow = readonly [
  key: LevelKey,
  goodsId: number,
  locationId: number,
  sku: string | null,
  onHand: number,
  reserved: number,
  safetyStock: number,
  version: number,
  isLow: boolean,
  isSoldOut: boolean,
  updatedAtMs: number,
  deletedAtMs: number | null,
];

/** The answer, and the moment of the read in microseconds since 1970. */
export type LevelsAnswer = FrameRow<LevelRow> & { readonly at_us: string };

/** A page of levels, each as of the moment of the read, which is answered too. */
export async function listLevels(
  pool: Pool,
  query: LevelQuery,
  page: PageOf<LevelKey>,
  signal: AbortSignal,
): Promise<Page<ListedLevel, LevelKey> & { readonly atUs: number }> {
  const answer = onlyRow(await pool.run(listLevelsStatement(query, page), signal));
  const { rows, next } = pageOf(answer, page.size);
  return { rows: rows.map(levelOf), next, atUs: Number(answer.at_us) };
}

/**
 * The statement behind {@link listLevels}. The newest row of a place is looked for as readSnapshot does, and what
 * expired holds have is taken off as readLevels does.
 *
 * What is sold out or low by its row may not be any more, as holds expired since; the other way round nothing becomes
 * so by time. The filters look at what is true now.
 */
export function listLevelsStatement(query: LevelQuery, { size, after }: PageOf<LevelKey>): Statement<LevelsAnswer[]> {
  return (sql) => {
    const scan = levelScan(sql, query, after);
    const page = sql`
          select json_build_array(${keyOf(sql, query.sort)}, ${levelColumns(sql)}) as row,
                 ${LEVEL_BYTES}::int as bytes
            from scanned as place, ${levelTables(sql)}
           where ${filters(sql, query)}`;
    return sql`${framed(sql, { scan, page, key: keyOf(sql, query.sort), size })}`;
  };
}

/** What a list has of the level of a `place`, behind its key, out of {@link levelTables}. */
export function levelColumns(sql: postgres.Sql): Fragment {
  return sql`place.goods_id, place.location_id, (select sku from goods where goods_id = place.goods_id),
                                  level.on_hand, live.reserved, level.safety_stock, level.version,
                                  now.is_low, now.is_sold_out, ${msOf(sql, sql`level.updated_at`)},
                                  ${msOf(sql, sql`level.deleted_at`)}`;
}

/** The level of a `place`, what of its reserved is live, and what that makes of it. */
export function levelTables(sql: postgres.Sql): Fragment {
  return sql`
                 lateral (select * from levels
                           where goods_id = place.goods_id and location_id = place.location_id
                           order by version_block desc limit 1) as level,
                 lateral (select level.reserved - case when level.holds_from <= statement_timestamp() then (
                                   select coalesce(sum(num), 0)::int from holds
                                    where goods_id = level.goods_id and location_id = level.location_id
                                      and expires_at >= level.holds_from and expires_at <= statement_timestamp())
                                 else 0 end as reserved offset 0) as live,
                 lateral (select level.on_hand::bigint - live.reserved - level.safety_stock as available offset 0)
                      as sums,
                 lateral (select level.is_low and sums.available < level.low_stock_until as is_low,
                                 sums.available + level.backorder_max <= 0 as is_sold_out offset 0) as now`;
}

function keyOf(sql: postgres.Sql, sort: LevelQuery["sort"]): Fragment {
  if (sort === "sku") return sql`json_build_array(place.sku, place.location_id)`;
  if (sort === "goods") return sql`json_build_array(place.goods_id, place.location_id)`;
  return sql`json_build_array(${usOf(sql, sql`place.at`)}, place.goods_id, place.location_id, place.version)`;
}

/** One text for whatever filters there are. */
function filters(sql: postgres.Sql, query: LevelQuery): Fragment {
  const { goodsIds, skus, skuPrefix, locationIds, isLow = null, isSoldOut = null, hasHolds = null } = query;
  const isOfGoods = query.sort !== "change" || (goodsIds === undefined && skus === undefined)
    ? sql`true`
    : sql`(place.goods_id = any ((select ${arrayLiteral(goodsIds ?? [])}::int[])::int[])
                  or place.goods_id in (select goods_id from goods
                                         where sku = any ((select ${arrayLiteral(skus ?? [])}::text[])::text[])))`;
  const isOfPrefix = query.sort === "sku" || skuPrefix === undefined
    ? sql`true`
    : sql`(select starts_with(sku, ${skuPrefix}) from goods where goods_id = place.goods_id)`;
  const isLast = query.sort === "change" ? sql`level.version = place.version` : sql`true`;
  const locations = locationIds === undefined ? null : arrayLiteral(locationIds);
  const isDeleted = query.deleted === "included" ? null : query.deleted === "only";
  return sql`${isOfGoods} and ${isOfPrefix} and ${isLast}
             and (${locations}::int[] is null or place.location_id = any (${locations}::int[]))
             and (${isDeleted}::bool is null or (level.deleted_at is not null) = ${isDeleted}::bool)
             and (${isLow}::bool is null or now.is_low = ${isLow}::bool)
             and (${isSoldOut}::bool is null or now.is_sold_out = ${isSoldOut}::bool)
             and (${hasHolds}::bool is null or (live.reserved > 0) = ${hasHolds}::bool)`;
}

/** The level that a row is. */
export function levelOf(row: LevelRow): ListedLevel {
  const [
    ,
    goodsId,
    locationId,
    sku,
    onHand,
    reserved,
    safetyStock,
    version,
    isLow,
    isSoldOut,
    updatedAtMs,
    deletedAtMs,
  ] = row;
  return {
    goodsId,
    locationId,
    onHand,
    reserved,
    version,
    deleted: deletedAtMs !== null,
    ...(safetyStock === 0 ? {} : { policy: { safetyStock, backorderMax: 0 } }),
    ...(sku === null ? {} : { sku }),
    isLow,
    isSoldOut,
    updatedAtMs,
    ...(deletedAtMs === null ? {} : { deletedAtMs }),
  };
}
