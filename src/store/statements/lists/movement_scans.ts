/**
 * The movements that a list may have, each in the list's sequence, by the index that finds the fewest of them.
 *
 * Movements are never changed, so that what an index finds is there. The sequence is by time, and among those of one
 * time by place and version.
 */
import type postgres from "postgres";
import { isSortedByOrder, type MovementQuery } from "../../../inventory/queries.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Fragment } from "../branches/branch.ts";
import { direction, FIRST_US, type Key, LAST_US, literal, type Scan, timeOfUs } from "./frame.ts";

/** Movements that are looked at for one page. */
const MOVEMENTS_MAX = 3000;
/** The same over all kinds that are asked for, and over all locations of a goods: each is read as far as the page. */
const MOVEMENTS_OF_KINDS_MAX = 6000;
const MOVEMENTS_OF_PLACES_MAX = 20_000;

/** What the other parts of a scan are made with. */
interface ScanParts {
  readonly query: MovementQuery;
  /** The key of the row before the first, in every list but one of a buyer. */
  readonly key: Key;
  readonly max: number;
}

/** Candidates behind the key, as `scanned`: rows of movements, and with a buyer `made_at` of their order. */
export function movementScan(
  sql: postgres.Sql,
  query: MovementQuery,
  { after, size, scanMax = MOVEMENTS_MAX }: {
    readonly after: Key | undefined;
    readonly size: number;
    readonly scanMax?: number;
  },
): Scan {
  const { sinceUs = FIRST_US, untilUs = LAST_US, newestFirst } = query;
  const isByBuyer = isSortedByOrder(query);
  const start = isByBuyer
    ? [newestFirst ? LAST_US : FIRST_US, "", 0, 0, -1, -1]
    : [newestFirst ? untilUs : sinceUs, 0, -1, -1];
  // Where a scan finds nothing but what the filters fit, it need not go further than the page.
  const isExact = filtersOf(query).every((filter) => driverOf(query).includes(filter));
  const parts = { query, key: after ?? start, max: isExact ? size + 1 : scanMax };
  if (isByBuyer) return byBuyer(sql, parts);
  const [driver] = driverOf(query);
  switch (driver) {
    case "operationId":
      return within(
        sql,
        parts,
        sql`(
                  select * from movements
                   where at = (select created_at from operations where operation_id = ${query.operationId!})
                     and operation_id = ${query.operationId!} offset 0)`,
      );
    case "orderId":
      return within(
        sql,
        parts,
        sql`(
                  select * from ${
          ofOrder(sql, {
            orderId: sql`${query.orderId!}::text`,
            madeAt: sql`(select created_at from orders where order_id = ${query.orderId!})`,
          })
        } as its offset 0)`,
      );
    case "goodsId":
      return byPlace(sql, parts, after !== undefined || sinceUs !== FIRST_US || untilUs !== LAST_US);
    case "reason":
      return within(sql, parts, sql`movements`, sql`reason = ${query.reason!}`);
    case "actor":
      return within(sql, parts, sql`movements`, sql`actor = ${query.actor!}`);
    case "kinds":
      return byKinds(sql, parts);
    default:
      return within(sql, parts, sql`movements`);
  }
}

/**
 * The movements of an order, as a table. Its sale was made with it, and stands at that time among those of the same
 * write; for all others there is an index by order.
 */
export function ofOrder(
  sql: postgres.Sql,
  { orderId, madeAt }: { readonly orderId: Fragment; readonly madeAt: Fragment },
): Fragment {
  return sql`(
                    select * from movements where order_id = ${orderId} and order_id is not null and kind <> 'sell'
                    union all
                    select * from movements where at = ${madeAt} and order_id = ${orderId} and kind = 'sell')`;
}

type Filter = "operationId" | "orderId" | "buyerId" | "goodsId" | "locationId" | "reason" | "actor" | "kinds";
const FILTERS: readonly Filter[] = [
  "operationId",
  "orderId",
  "buyerId",
  "goodsId",
  "locationId",
  "reason",
  "actor",
  "kinds",
];

function filtersOf(query: MovementQuery): Filter[] {
  return FILTERS.filter((filter) => query[filter] !== undefined);
}

/** The filters that the scan goes by; none: by time. Sales have no index by kind: most movements are theirs. */
function driverOf(query: MovementQuery): Filter[] {
  const [first] = filtersOf(query).filter((filter) => filter !== "locationId");
  if (first === "goodsId") return ["goodsId", "locationId"];
  if (first === undefined || (first === "kinds" && query.kinds?.includes("sell"))) return [];
  return [first];
}

/** What is behind the key and within the times, of whatever the table has. */
function bounds(sql: postgres.Sql, parts: ScanParts): Fragment {
  const { sinceUs, untilUs, newestFirst } = parts.query;
  const end = newestFirst
    ? sql`at >= ${timeOfUs(sql, sinceUs ?? FIRST_US)}`
    : sql`at < ${timeOfUs(sql, untilUs ?? LAST_US)}`;
  return sql`${end} and ${isBehind(sql, parts)}`;
}

function isBehind(sql: postgres.Sql, { query: { newestFirst }, key }: ScanParts): Fragment {
  const [atUs, goodsId, locationId, version] = key.slice(-4) as [number, number, number, number];
  const { behind } = direction(sql, newestFirst);
  return sql`(at, goods_id, location_id, version)
                     ${behind} (${timeOfUs(sql, atUs)}, ${goodsId}::bigint, ${locationId}::bigint, ${version}::bigint)`;
}

function sorted(sql: postgres.Sql, newestFirst: boolean): Fragment {
  const { sort } = direction(sql, newestFirst);
  return sql`order by at ${sort}, goods_id ${sort}, location_id ${sort}, version ${sort}`;
}

function within(sql: postgres.Sql, parts: ScanParts, table: Fragment, only: Fragment = sql`true`): Scan {
  const tables = sql`
        scanned as (
          select * from ${table} as found where ${only} and ${bounds(sql, parts)}
          ${sorted(sql, parts.query.newestFirst)} limit ${literal(sql, MOVEMENTS_MAX)}
        )`;
  return { tables, max: MOVEMENTS_MAX };
}

/**
 * The index has no sales, and PostgreSQL uses it only where the text says so. The kind is the first of what is compared
 * and sorted by, so that no other index will do: the planner does not know how seldom a kind is.
 */
function byKinds(sql: postgres.Sql, { query, key, max: most }: ScanParts): Scan {
  const { kinds = [], sinceUs, untilUs, newestFirst } = query;
  const max = Math.min(most, Math.floor(MOVEMENTS_OF_KINDS_MAX / kinds.length));
  const [atUs, goodsId, locationId, version] = key as [number, number, number, number];
  const { behind, sort } = direction(sql, newestFirst);
  const end = newestFirst
    ? sql`(kind, at) >= (asked.kind, ${timeOfUs(sql, sinceUs ?? FIRST_US)})`
    : sql`(kind, at) < (asked.kind, ${timeOfUs(sql, untilUs ?? LAST_US)})`;
  const tables = sql`
        scanned as (
          select found.*
            from unnest((select ${arrayLiteral(kinds)}::text[])) as asked (kind),
                 lateral (select * from movements
                           where kind <> 'sell' and ${end} and (kind, at, goods_id, location_id, version)
                             ${behind} (asked.kind, ${timeOfUs(sql, atUs)}, ${goodsId}::bigint, ${locationId}::bigint,
                                 ${version}::bigint)
                           order by kind ${sort}, at ${sort}, goods_id ${sort}, location_id ${sort}, version ${sort}
                           limit ${max}::int) as found
          ${sorted(sql, newestFirst)} limit ${max}::int
        )`;
  return { tables, max };
}

/**
 * All locations of a goods, or one. Within a place times do not fall with versions, so that where its part of the list
 * begins is found by halving, however many movements lie before it, and however many are of one time: as many as are
 * written until a clock that was set back has caught up.
 */
function byPlace(sql: postgres.Sql, parts: ScanParts, isBounded: boolean): Scan {
  const { query: { goodsId, locationId, newestFirst }, max } = parts;
  const { sort } = direction(sql, newestFirst);
  const isOfPlace = sql`goods_id = place.goods_id and location_id = place.location_id`;
  const isHere = locationId === undefined ? sql`true` : sql`location_id = ${locationId}`;
  const begin = sql`
                 lateral (
                   with recursive search (low, high) as (
                     select 0::bigint, (select version from levels where ${isOfPlace} order by version_block desc limit 1)
                     union all
                     select case when is_before then middle else low end, case when is_before then high else middle - 1 end
                       from search,
                            lateral (select (low + high + 1) / 2 as middle) as half,
                            lateral (select coalesce((select (${isBehind(sql, parts)}) = ${newestFirst}::bool
                                                        from movements
                                                       where ${isOfPlace} and version = middle), true)
                                              as is_before) as look
                      where low < high
                   )
                   select low as version from search where low >= high limit 1
                 ) as begin,`;
  const isWithin = newestFirst ? sql`version <= begin.version` : sql`version > begin.version`;
  const tables = sql`
        place as materialized (
          select goods_id, location_id from movements where version = 1 and goods_id = ${goodsId!} and ${isHere}
        ), width as materialized (
          select least(${max}::int, greatest(1, ${MOVEMENTS_OF_PLACES_MAX}::int / greatest(1, count(*))))::int as max
            from place
        ), scanned as (
          select found.*
            from place, ${isBounded ? begin : sql``}
                 lateral (select * from movements
                           where ${isOfPlace} and ${isBounded ? isWithin : sql`true`} and ${bounds(sql, parts)}
                           order by version ${sort} limit (select width.max from width)) as found
          ${sorted(sql, newestFirst)} limit (select width.max from width)
        )`;
  return { tables, max, width: sql`(select width.max from width)` };
}

/** The movements of each of the buyer's orders, one order after the other. */
function byBuyer(sql: postgres.Sql, parts: ScanParts): Scan {
  const { query: { buyerId, sinceUs, untilUs, newestFirst }, key } = parts;
  const { behind, sort } = direction(sql, newestFirst);
  const [madeUs, orderId, atUs, goodsId, locationId, version] = key as [number, string, number, number, number, number];
  // As with orders of a buyer; an order that was made later has no movement before.
  const end = newestFirst
    ? sql`buyer_id >= ${buyerId!}`
    : sql`(buyer_id, created_at) < (${buyerId!}::text, ${timeOfUs(sql, untilUs ?? LAST_US)})`;
  const tables = sql`
        scanned as (
          select found.*, made.created_at as made_at
            from (select order_id, created_at from orders
                   where buyer_id is not null and ${end}
                     and (buyer_id, created_at, order_id)
                       ${behind}= (${buyerId!}::text, ${timeOfUs(sql, madeUs)}, ${orderId}::text)
                   order by buyer_id ${sort}, created_at ${sort}, order_id ${sort}) as made,
                 lateral (select * from ${
    ofOrder(sql, { orderId: sql`made.order_id`, madeAt: sql`made.created_at` })
  } as its
                           where at >= ${timeOfUs(sql, sinceUs ?? FIRST_US)}
                             and at < ${timeOfUs(sql, untilUs ?? LAST_US)}
                             and (made.created_at, made.order_id, at, goods_id, location_id, version)
                               ${behind} (${timeOfUs(sql, madeUs)}, ${orderId}::text, ${timeOfUs(sql, atUs)},
                                   ${goodsId}::bigint, ${locationId}::bigint, ${version}::bigint)
                           ${sorted(sql, newestFirst)}) as found
           limit ${literal(sql, MOVEMENTS_MAX)}
        )`;
  return { tables, max: MOVEMENTS_MAX };
}
