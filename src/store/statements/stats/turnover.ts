/**
 * What was turned over in days, added up from the ledger.
 *
 * Of all goods each day is a range of the index by time, and a page reads no day that it does not get to. Of goods that
 * are named the ledger of each place is read alone, from where it stood at the begin of the first day to where it stood
 * at the end of the last: times do not fall with versions, so that both are found by halving.
 */
import type postgres from "postgres";
import type { TurnoverPage, TurnoverQuery, TurnoverRows } from "../../../inventory/stats.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Pool } from "../../postgres/pool.ts";
import type { Statement } from "../../postgres/transaction_block.ts";
import type { Fragment } from "../branches/branch.ts";

interface TurnoverRow {
  readonly day: number;
  readonly goods_id: number;
  readonly sold: string;
  readonly given_back: string;
  readonly added: string;
  readonly removed: string;
  readonly movements: string;
}

/** A page of rows; StatementTimeoutError where there is more to add up than can be in the time of a statement. */
export async function readTurnover(
  pool: Pool,
  query: TurnoverQuery,
  page: TurnoverPage,
  signal: AbortSignal,
): Promise<TurnoverRows> {
  const rows = await pool.run(turnoverStatement(query, page), signal);
  return {
    rows: rows.slice(0, page.size).map((row) => ({
      day: row.day,
      goodsId: row.goods_id,
      sold: BigInt(row.sold),
      givenBack: BigInt(row.given_back),
      added: BigInt(row.added),
      removed: BigInt(row.removed),
      movements: BigInt(row.movements),
    })),
    more: rows.length > page.size,
  };
}

/** The statement behind {@link readTurnover}. One row more is asked for than the page may have. */
export function turnoverStatement(query: TurnoverQuery, page: TurnoverPage): Statement<TurnoverRow[]> {
  return (sql) => query.goodsIds === undefined ? ofAll(sql, query, page) : ofGoods(sql, query, query.goodsIds, page);
}

/** Day by day from the last one, until the page is full. */
function ofAll(sql: postgres.Sql, query: TurnoverQuery, { size, afterGoodsId }: TurnoverPage) {
  const { startsUs, isByGoods } = query;
  const last = startsUs.length - 2;
  const begins = startsUs.slice(0, -1).reverse();
  const ends = startsUs.slice(1).reverse();
  const group = isByGoods ? sql`group by goods_id order by goods_id` : sql`having count(*) > 0`;
  return sql<TurnoverRow[]>`
        select ${last}::int - (day.place - 1)::int as day, sums.*
          from unnest((select ${arrayLiteral(begins)}::bigint[]), (select ${arrayLiteral(ends)}::bigint[]))
                 with ordinality as day (begin_us, end_us, place),
               lateral (
                 select ${isByGoods ? sql`goods_id` : sql`0 as goods_id`}, ${sums(sql)}
                   from (select goods_id, kind, on_hand_delta from movements
                          where at >= ${timeOf(sql, sql`day.begin_us`)} and at < ${timeOf(sql, sql`day.end_us`)}
                            and ${isAt(sql, query)} and ${isWhole(sql)} offset 0) as moved
                  where day.place > 1 or goods_id > ${afterGoodsId}::int ${group}
               ) as sums
         limit ${size + 1}::int`;
}

function ofGoods(
  sql: postgres.Sql,
  query: TurnoverQuery,
  goodsIds: readonly number[],
  { size, afterGoodsId }: TurnoverPage,
) {
  const { startsUs, isByGoods } = query;
  const last = startsUs.length - 2;
  return sql<TurnoverRow[]>`
        with bounds as materialized (
          select array_agg(${timeOf(sql, sql`us`)} order by us) as starts
            from unnest((select ${arrayLiteral(startsUs)}::bigint[])) as us
        ), place as materialized (
          select goods_id, location_id from movements
           where version = 1 and goods_id = any ((select ${arrayLiteral(goodsIds)}::int[])::int[]) and ${
    isAt(sql, query)
  }
        ), dated as (
          select width_bucket(moved.at, (select starts from bounds)) - 1 as day, moved.*
            from place, ${writtenBefore(sql, startsUs[0]!, sql`first`)}, ${
    writtenBefore(sql, startsUs.at(-1)!, sql`last`)
  },
                 lateral (select goods_id, kind, on_hand_delta, at from movements
                           where goods_id = place.goods_id and location_id = place.location_id
                             and version > first.version and version <= last.version and ${
    isWhole(sql)
  } offset 0) as moved
        )
        select day, ${isByGoods ? sql`goods_id` : sql`0 as goods_id`}, ${sums(sql)}
          from dated
         where day between 0 and ${last}::int and (day < ${last}::int or goods_id > ${afterGoodsId}::int)
         group by day ${isByGoods ? sql`, goods_id` : sql``}
         order by day desc ${isByGoods ? sql`, goods_id` : sql``} limit ${size + 1}::int`;
}

function sums(sql: postgres.Sql): Fragment {
  const of = (delta: Fragment, when: Fragment) => sql`coalesce(sum(${delta}) filter (where ${when}), 0)`;
  const sale = sql`kind in ('sell', 'confirm')`;
  const back = sql`kind in ('rollback', 'give_back')`;
  const other = sql`kind not in ('sell', 'confirm', 'rollback', 'give_back')`;
  return sql`${of(sql`-on_hand_delta`, sale)} as sold, ${of(sql`on_hand_delta`, back)} as given_back,
                        ${of(sql`on_hand_delta`, sql`${other} and on_hand_delta > 0`)} as added,
                        ${of(sql`-on_hand_delta`, sql`${other} and on_hand_delta < 0`)} as removed,
                        count(*) as movements`;
}

function isAt(sql: postgres.Sql, { locationIds }: TurnoverQuery): Fragment {
  const locations = locationIds === undefined ? null : arrayLiteral(locationIds);
  return sql`(${locations}::int[] is null or location_id = any (${locations}::int[]))`;
}

/**
 * Whether what came behind the movement is kept: the first one of a place stays when the others of its period leave,
 * and by itself it would pass for all that was turned over then.
 */
function isWhole(sql: postgres.Sql): Fragment {
  return sql`(version > 1 or not exists (select from openings
                                          where openings.goods_id = movements.goods_id
                                            and openings.location_id = movements.location_id))`;
}

/** How many movements of a `place` were written down before that time, as a table of this name. */
function writtenBefore(sql: postgres.Sql, us: number, name: Fragment): Fragment {
  const isHere = sql`goods_id = place.goods_id and location_id = place.location_id`;
  return sql`
                 lateral (
                   with recursive search (low, high) as (
                     select 0::bigint, (select version from levels where ${isHere} order by version_block desc limit 1)
                     union all
                     select case when is_before then middle else low end, case when is_before then high else middle - 1 end
                       from search,
                            lateral (select (low + high + 1) / 2 as middle) as half,
                            lateral (select coalesce((select at < ${timeOf(sql, sql`${us}::bigint`)} from movements
                                                       where ${isHere} and version = middle), true) as is_before) as look
                      where low < high
                   )
                   select low as version from search where low >= high limit 1
                 ) as ${name}`;
}

function timeOf(sql: postgres.Sql, us: Fragment): Fragment {
  return sql`(timestamptz 'epoch' + ${us} * interval '1 microsecond')`;
}
