/** A stock with many live holds: how they come into it, and how some of them come to end while it is measured. */
import type postgres from "postgres";
import type { Workload } from "./workload.ts";

/** Their time is up so much later than that they were made: after the run, but for those that are timed anew. */
const LATER = "interval '1 day'";
/** Before this only those are over that were timed anew. */
const SOON = "interval '1 hour'";

/**
 * Adds holds of a unit each to a stock of `goods` goods, whose ledger has nothing but the movement that set it: every
 * second one is of goods 1, the others are of all others by turns. Their keys are as long as those of the service.
 *
 * No index is looked after: whoever fills the tables makes them at the end.
 */
export async function addHolds(sql: postgres.Sql, goods: number, count: number): Promise<void> {
  await sql.unsafe(`
    insert into orders (order_id, state, goods_ids, nums, returned, held, expires_at)
    select 'held-' || lpad(i::text, 31, '0'), 'held', array[case i % 2 when 0 then 1 else 2 + (i / 2) % ${
    goods - 1
  } end], array[1], array[0], array[1],
           date_trunc('milliseconds', now()) + ${LATER} + i * interval '1 ms'
      from generate_series(1, ${count}) as i`);
  await sql.unsafe(`
    insert into holds (goods_id, location_id, expires_at, order_id, num)
    select goods_ids[1], 0, expires_at, order_id, 1 from orders where state = 'held'`);
  await sql.unsafe(`
    insert into movements (goods_id, version, kind, order_id, on_hand_delta, reserved_delta, on_hand_after,
                           reserved_after)
    select goods_id, 1 + nth, 'reserve', order_id, 0, 1, on_hand, nth
      from (select goods_id, order_id, row_number() over (partition by goods_id order by expires_at) as nth
              from holds) as hold
           join levels using (goods_id)`);
  await sql.unsafe(`
    update levels
       set reserved = hold.count, version = version + hold.count, holds_from = now()
      from (select goods_id, count(*)::int as count from holds group by goods_id) as hold
     where levels.goods_id = hold.goods_id`);
}

/** Holds that are to end, of the goods of a workload alike. */
export interface Ending {
  readonly goods: Workload["goods"];
  /** From this moment on, in ms since 1970, so many in each second, one after the other. */
  readonly fromMs: number;
  readonly perS: number;
  readonly count: number;
}

/**
 * Has the time of some holds be up earlier than it was: in holds and orders, the two places where it stands. Nothing is
 * moved by it. No call may be in progress.
 */
export async function endHolds(sql: postgres.Sql, { goods, fromMs, perS, count }: Ending): Promise<void> {
  const timed = await byKey(
    sql,
    `
    with slice as materialized (
      select hold.*,
             to_timestamp((${fromMs}::bigint + row_number() over (order by hold.expires_at, hold.goods_id) * 1000
                                                  / ${perS}::bigint) / 1000.0) as ends_at
        from generate_series(1, ${goods}::int) as asked (goods_id),
             lateral (select * from holds
                       where goods_id = asked.goods_id and location_id = 0 and expires_at > now() + ${SOON}
                       order by expires_at limit ${Math.ceil(count / goods)}::int) as hold
       order by hold.expires_at limit ${count}::int
    ), timed as (
      update holds set expires_at = ends_at from slice
       where holds.goods_id = slice.goods_id and holds.location_id = slice.location_id
         and holds.expires_at = slice.expires_at and holds.order_id = slice.order_id
      returning holds.order_id
    ), known as (
      update orders set expires_at = ends_at from slice where orders.order_id = slice.order_id
      returning orders.order_id
    )
    select least((select count(*) from timed), (select count(*) from known)) as timed`,
  );
  if (timed !== count) throw new Error(`${timed} holds were left to end, not ${count}`);
}

/**
 * After a measurement: has those live on that were to end and that no call has met, so that the next one finds none,
 * and writes down the others, as the sweeper would in time. Answers how many live on. No call may be in progress.
 */
export async function settleEnds(sql: postgres.Sql): Promise<number> {
  return await byKey(
    sql,
    `
    with due as materialized (
      select order_id, goods_ids[1] as goods_id, expires_at,
             exists (select from holds
                      where goods_id = orders.goods_ids[1] and location_id = 0 and expires_at = orders.expires_at
                        and order_id = orders.order_id) as lives
        from orders where state = 'held' and expires_at < now() + ${SOON}
    ), timed as (
      update holds set expires_at = due.expires_at + ${LATER} from due
       where holds.goods_id = due.goods_id and holds.location_id = 0 and holds.expires_at = due.expires_at
         and holds.order_id = due.order_id and due.lives
      returning holds.order_id
    ), known as (
      update orders
         set state = case when due.lives then 'held' else 'expired' end,
             expires_at = case when due.lives then due.expires_at + ${LATER} else due.expires_at end
        from due
       where orders.order_id = due.order_id
    )
    select count(*) as timed from timed`,
  );
}

/** Runs it with rows looked up by their keys: the planner would read all of both tables. */
async function byKey(sql: postgres.Sql, statement: string): Promise<number> {
  return await sql.begin(async (sql) => {
    await sql.unsafe("set local enable_hashjoin = off");
    await sql.unsafe("set local enable_mergejoin = off");
    const [row] = await sql.unsafe<{ timed: string }[]>(statement);
    return Number(row?.timed);
  });
}
