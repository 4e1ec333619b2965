/** The orders that a list may have, each in the list's sequence, by the index that finds the fewest of them. */
import type postgres from "postgres";
import type { OrderState } from "../../../inventory/model.ts";
import { isSortedByTaking, type OrderQuery } from "../../../inventory/queries.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Fragment } from "../branches/branch.ts";
import { direction, FIRST_US, type Key, LAST_US, literal, type Scan, timeOfUs } from "./frame.ts";
import { movementScan, ofOrder } from "./movement_scans.ts";

/** Orders that are looked at for one page. */
const ORDERS_MAX = 3000;
/** Holds whose time is up and that are not swept yet, as far as one page allows for them. */
const STALE_MAX = 100;
/** Movements whose orders are looked at for one page; each is two searches more. */
const TAKINGS_MAX = 1000;
/** Movements by which orders take goods. */
const TAKING = ["sell", "reserve"] as const;

/** The states on record of orders that are in a state: what has expired may still be on record as held. */
const ON_RECORD: Readonly<Record<OrderState, readonly OrderState[]>> = {
  held: ["held"],
  sold: ["sold"],
  released: ["released"],
  expired: ["expired", "held"],
  rolled_back: ["rolled_back"],
  barred: ["barred"],
};

/** What the parts of a scan are made with. */
interface ScanParts {
  readonly query: OrderQuery;
  readonly key: Key;
}

/** Candidates behind the key, as `scanned`: rows of orders, by goods with what took it first. */
export function orderScan(
  sql: postgres.Sql,
  query: OrderQuery,
  { after, size }: { readonly after: Key | undefined; readonly size: number },
): Scan {
  const { states, buyerId, sinceUs = FIRST_US, untilUs = LAST_US, newestFirst } = query;
  if (isSortedByTaking(query)) return byGoods(sql, query, { after, size });
  const parts = { query, key: after ?? [newestFirst ? untilUs : sinceUs, ""] };
  if (buyerId !== undefined) return byBuyer(sql, parts, buyerId);
  // Sales, the most of all orders, have no index by state.
  if (states === undefined || states.includes("sold")) return byTime(sql, parts);
  return byStates(sql, parts, [...new Set(states.flatMap((state) => ON_RECORD[state]))], size);
}

function sorted(sql: postgres.Sql, newestFirst: boolean): Fragment {
  const { sort } = direction(sql, newestFirst);
  return sql`order by created_at ${sort}, order_id ${sort}`;
}

function byTime(sql: postgres.Sql, { query: { sinceUs, untilUs, newestFirst }, key }: ScanParts): Scan {
  const [atUs, orderId] = key as [number, string];
  const { behind } = direction(sql, newestFirst);
  const end = newestFirst
    ? sql`created_at >= ${timeOfUs(sql, sinceUs ?? FIRST_US)}`
    : sql`created_at < ${timeOfUs(sql, untilUs ?? LAST_US)}`;
  const tables = sql`
        scanned as (
          select * from orders
           where ${end} and (created_at, order_id) ${behind} (${timeOfUs(sql, atUs)}, ${orderId}::text)
          ${sorted(sql, newestFirst)} limit ${literal(sql, ORDERS_MAX)}
        )`;
  return { tables, max: ORDERS_MAX };
}

function byBuyer(sql: postgres.Sql, parts: ScanParts, buyerId: string): Scan {
  const found = ordersOf(sql, parts, {
    column: sql`buyer_id`,
    value: sql`${buyerId}::text`,
    only: sql`buyer_id is not null`,
    limit: literal(sql, ORDERS_MAX),
  });
  return { tables: sql`scanned as (${found})`, max: ORDERS_MAX };
}

/**
 * Those with one value in a column, in the sequence of the list. The column is the first of what is compared and sorted
 * by, so that no index but its own will do: the planner does not know how seldom the value is.
 */
function ordersOf(
  sql: postgres.Sql,
  { query: { sinceUs, untilUs, newestFirst }, key }: ScanParts,
  { column, value, only, limit }: {
    readonly column: Fragment;
    readonly value: Fragment;
    readonly only: Fragment;
    readonly limit: Fragment;
  },
): Fragment {
  const [atUs, orderId] = key as [number, string];
  const { behind, sort } = direction(sql, newestFirst);
  const end = newestFirst
    ? sql`(${column}, created_at) >= (${value}, ${timeOfUs(sql, sinceUs ?? FIRST_US)})`
    : sql`(${column}, created_at) < (${value}, ${timeOfUs(sql, untilUs ?? LAST_US)})`;
  return sql`
          select * from orders
           where ${only} and ${end}
             and (${column}, created_at, order_id) ${behind} (${value}, ${timeOfUs(sql, atUs)}, ${orderId}::text)
           order by ${column} ${sort}, created_at ${sort}, order_id ${sort} limit ${limit}`;
}

/**
 * The index has no sales, and PostgreSQL uses it only where the text says so. Each state is read as far as the page:
 * little beyond it, as few orders are on record as held whose time is up.
 */
function byStates(sql: postgres.Sql, parts: ScanParts, states: readonly OrderState[], size: number): Scan {
  const max = Math.min(ORDERS_MAX, 2 * size + STALE_MAX);
  const limit = sql`${max}::int`;
  const found = ordersOf(sql, parts, {
    column: sql`state`,
    value: sql`asked.state`,
    only: sql`state <> 'sold'`,
    limit,
  });
  const tables = sql`
        scanned as (
          select found.*
            from unnest((select ${arrayLiteral(states)}::text[])) as asked (state), lateral (${found}) as found
          ${sorted(sql, parts.query.newestFirst)} limit ${limit}
        )`;
  return { tables, max };
}

/** The movements of the goods, out of which {@link takenOrders} finds the orders. */
function byGoods(
  sql: postgres.Sql,
  { goodsId, locationId, sinceUs, untilUs, newestFirst }: OrderQuery,
  { after, size }: { readonly after: Key | undefined; readonly size: number },
): Scan {
  const key = after === undefined ? undefined : [after[0]!, goodsId!, after[1]!, after[2]!];
  const query = {
    ...(goodsId === undefined ? {} : { goodsId }),
    ...(locationId === undefined ? {} : { locationId }),
    ...(sinceUs === undefined ? {} : { sinceUs }),
    ...(untilUs === undefined ? {} : { untilUs }),
    kinds: TAKING,
    newestFirst,
  };
  return movementScan(sql, query, { after: key, size, scanMax: TAKINGS_MAX });
}

/** The orders whose goods was taken first by one of these movements. */
export function takenOrders(sql: postgres.Sql, query: OrderQuery): Fragment {
  const { goodsId = null, locationId = null } = query;
  const taking = arrayLiteral(TAKING);
  return sql`(
                  select made.*, scanned.at as taken_at, scanned.location_id as taken_location_id,
                         scanned.version as taken_version
                    from scanned,
                         lateral (select * from orders where order_id = scanned.order_id offset 0) as made
                   where scanned.kind = any (${taking}::text[])
                     and not exists (
                       select from ${
    ofOrder(sql, { orderId: sql`scanned.order_id`, madeAt: sql`made.created_at` })
  } as earlier
                        where earlier.goods_id = ${goodsId}::int
                          and (${locationId}::int is null or earlier.location_id = ${locationId}::int)
                          and earlier.kind = any (${taking}::text[])
                          and (earlier.at, earlier.location_id, earlier.version)
                                < (scanned.at, scanned.location_id, scanned.version)
                       offset 0))`;
}
