/**
 * Sales at location 0, alone or beside ends of holds, as most batches are: one list, of which all that is written is
 * made.
 */
import type postgres from "postgres";
import type { Changes, Movement, Order } from "../../../inventory/model.ts";
import { column } from "../../postgres/arrays.ts";
import type { Branch, Fragment } from "./branch.ts";
import { isLow, stillPlain, VERSIONS_A_BLOCK } from "./levels.ts";
import { attributionOf } from "./movements.ts";

/**
 * Whether all that moves is taken from on hand at location 0, by operations of one kind for orders, or off reserved
 * there, as the time of its hold is up; and of no level anything else changes, and no hold ends otherwise.
 */
export function areSales({ movements, levels, endedLines = [] }: Changes): boolean {
  const kind = kindOf(movements);
  const isSale = ({ kind: its, onHandDelta, reservedDelta, occurredAtMs }: Movement) =>
    its === kind && onHandDelta < 0 && reservedDelta === 0 && occurredAtMs === undefined;
  return movements.length > 0 &&
    movements.every((movement) =>
      movement.locationId === 0 && movement.operationId === undefined && (isEnd(movement) || isSale(movement))
    ) &&
    levels.every(({ before, after }) => before?.deleted === false && before.policy === after.policy) &&
    // Each end has its line, and no other line ends.
    endedLines.length === movements.filter(isEnd).length;
}

/**
 * Inserts their movements, and updates their levels: what movements.ts and levels.ts beside this file do of any
 * operations, with the same fences, by rising goods id, so that two servers seldom wait for each other. A goods that
 * is moved by several of them was read as it stood before the first, and stands as after the last. Their location is a
 * column, like the goods: where it is a number of the statement, the planner may read all that lies there. Only ends of
 * holds have a time of their own, `occurred_at`.
 */
export function moveSold(sql: postgres.Sql, at: Fragment, holdsFrom: Fragment, changes: Changes): Branch {
  const { movements, levels } = changes;
  const attribution = attributionOf(sql, movements);
  const kind = kindOf(movements) ?? null;
  const freed = freedOf(sql, changes);
  const tables = sql`
        sold as (
          select *, 0 as location_id
            from unnest((select ${column(movements, (m) => m.goodsId)}::int[]),
                        (select ${column(movements, (m) => m.version)}::bigint[]),
                        (select ${column(movements, (m) => m.orderId)}::text[]),
                        (select ${column(movements, (m) => -m.onHandDelta - m.reservedDelta)}::int[]),
                        (select ${column(movements, (m) => m.onHandAfter)}::int[]),
                        (select ${column(movements, (m) => m.reservedAfter)}::int[]) ${attribution.arrays})
              as m (goods_id, version, order_id, num, on_hand, reserved ${attribution.columns})
        ), moved as (
          insert into movements (goods_id, location_id, version, kind, order_id, on_hand_delta, reserved_delta,
                                 on_hand_after, reserved_after, at ${attribution.names})
          select goods_id, location_id, version, case when ${freed} = 0 then ${kind}::text else 'expire' end, order_id,
                 ${freed} - num, -${freed}, on_hand, reserved, ${at} ${attribution.values}
            from sold
        ), levelled as (
          update levels
             set on_hand = l.on_hand, reserved = l.reserved, version = l.version, updated_at = ${at},
                 holds_from = case when l.reserved > 0 then ${holdsFrom} end, is_low = ${isLow(sql, sql`levels`)}
            from (select goods_id, location_id, min(version) - 1 as version_read,
                         max(on_hand + (num - ${freed})) as on_hand_read, max(reserved + ${freed}) as reserved_read,
                         max(version) as version, min(on_hand) as on_hand, min(reserved) as reserved
                    from sold group by goods_id, location_id order by goods_id, location_id) as l
           where levels.goods_id = any (array[l.goods_id]) and levels.location_id = l.location_id
             and levels.version_block = l.version_read / ${VERSIONS_A_BLOCK}::bigint
             and levels.version = l.version_read
             and levels.on_hand = l.on_hand_read and levels.reserved = l.reserved_read and levels.deleted_at is null
             ${stillPlain(sql, changes)}
          returning levels.goods_id
        )`;
  return { tables, unmoved: sql`(select count(*) from levelled) = ${levels.length}::int` };
}

/**
 * Deletes the lines of the holds that end, beside {@link moveSold}; none: nothing does. Of each goods they are the
 * first of all that there are (see readSnapshot), so they are found as a range of the key, which takes PostgreSQL a
 * quarter of the time of looking each of them up. They are as many as were read, of as many units, or the fence is
 * lost.
 */
export function deleteEnded(sql: postgres.Sql, { movements, endedLines = [] }: Changes): Branch[] {
  if (endedLines.length === 0) return [];
  const ends = movements.filter(isEnd);
  // By goods, and of each by the time of its end.
  const firsts = ends.filter((end, i) => end.goodsId !== ends[i - 1]?.goodsId);
  const lasts = ends.filter((end, i) => end.goodsId !== ends[i + 1]?.goodsId);
  const units = ends.reduce((sum, { reservedDelta }) => sum - reservedDelta, 0);
  const tables = sql`
        ended as (
          delete from holds
           using unnest((select ${column(firsts, (m) => m.goodsId)}::int[]),
                        (select ${column(firsts, (m) => m.locationId)}::int[]),
                        (select ${column(firsts, (m) => m.occurredAtMs)}::bigint[]),
                        (select ${column(lasts, (m) => m.occurredAtMs)}::bigint[]),
                        (select ${column(lasts, (m) => m.orderId)}::text[]))
              as l (goods_id, location_id, first_ms, last_ms, last_id)
           where holds.goods_id = any (array[l.goods_id]) and holds.location_id = l.location_id
             and holds.expires_at >= to_timestamp(l.first_ms / 1000::float8)
             and (holds.expires_at, holds.order_id) <= (to_timestamp(l.last_ms / 1000::float8), l.last_id)
          returning holds.num
        )`;
  const unmoved = sql`(select count(*) from ended) = ${ends.length}::int
                   and (select sum(num) from ended) = ${units}::bigint`;
  return [{ tables, unmoved }];
}

/** Whether the new orders are plain, and have a line each, which all that is sold is of. */
export function haveOneLine({ movements, orders, endedLines = [] }: Changes): boolean {
  const added = orders.filter(({ before }) => before === undefined);
  return added.length > 0 && added.length === movements.length - endedLines.length &&
    added.every(({ after }) => after.lines.length === 1 && isPlain(after));
}

/** Inserts orders that {@link haveOneLine}, beside {@link moveSold}. */
export function insertSold(sql: postgres.Sql, at: Fragment, changes: Changes): Branch {
  const tables = sql`
        added as (
          insert into orders (order_id, state, goods_ids, nums, returned, created_at, updated_at)
          select order_id, 'sold', array[goods_id], array[num], array[0], ${at}, ${at} from sold where ${
    freedOf(sql, changes)
  } = 0
        )`;
  return { tables };
}

function isPlain({ state, asked, held, buyerId }: Order): boolean {
  return state === "sold" && asked === undefined && held === undefined && buyerId === undefined;
}

/** Of the sales. */
function kindOf(movements: readonly Movement[]): Movement["kind"] | undefined {
  return movements.find((movement) => !isEnd(movement))?.kind;
}

/** What a row of the list takes off reserved; where none is an end it is a number, which the planner leaves out. */
function freedOf(sql: postgres.Sql, { endedLines = [] }: Changes): Fragment {
  return endedLines.length === 0 ? sql`0` : sql`(case when occurred_at is null then 0 else num end)`;
}

function isEnd({ kind }: Movement): boolean {
  return kind === "expire";
}
