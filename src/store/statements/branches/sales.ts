/** Sales alone, at location 0, as most batches are: one list, of which all that is written is made. */
import type postgres from "postgres";
import type { Changes, Order } from "../../../inventory/model.ts";
import { column } from "../../postgres/arrays.ts";
import type { Branch, Fragment } from "./branch.ts";
import { isLow, stillPlain, VERSIONS_A_BLOCK } from "./levels.ts";
import { attributionOf } from "./movements.ts";

/**
 * Whether all that moves is taken from on hand at location 0, by operations of one kind for orders, and of no level
 * anything else changes.
 */
export function areSales({ movements, levels }: Changes): boolean {
  return movements.length > 0 &&
    movements.every(({ kind, locationId, operationId, onHandDelta, reservedDelta }) =>
      kind === movements[0]?.kind && locationId === 0 && operationId === undefined && onHandDelta < 0 &&
      reservedDelta === 0
    ) && levels.every(({ before, after }) => before?.deleted === false && before.policy === after.policy);
}

/**
 * Inserts their movements, and updates their levels: what {@link insertMovements} and {@link updateLevels} do of any
 * operations, with the same fences, by rising goods id, so that two servers seldom wait for each other. A goods that
 * is sold by several of them was read as it stood before the first, and stands as after the last. Their location is a
 * column, like the goods: where it is a number of the statement, the planner may read all that lies there.
 */
export function moveSold(sql: postgres.Sql, at: Fragment, changes: Changes): Branch {
  const { movements, levels } = changes;
  const attribution = attributionOf(sql, movements);
  const kind = movements[0]?.kind ?? null;
  const tables = sql`
        sold as (
          select *, 0 as location_id
            from unnest((select ${column(movements, (m) => m.goodsId)}::int[]),
                        (select ${column(movements, (m) => m.version)}::bigint[]),
                        (select ${column(movements, (m) => m.orderId)}::text[]),
                        (select ${column(movements, (m) => -m.onHandDelta)}::int[]),
                        (select ${column(movements, (m) => m.onHandAfter)}::int[]),
                        (select ${column(movements, (m) => m.reservedAfter)}::int[]) ${attribution.arrays})
              as m (goods_id, version, order_id, num, on_hand, reserved ${attribution.columns})
        ), moved as (
          insert into movements (goods_id, location_id, version, kind, order_id, on_hand_delta, reserved_delta,
                                 on_hand_after, reserved_after, at ${attribution.names})
          select goods_id, location_id, version, ${kind}::text, order_id, -num, 0, on_hand, reserved, ${at}
                 ${attribution.values}
            from sold
        ), levelled as (
          update levels
             set on_hand = l.on_hand, version = l.version, updated_at = ${at},
                 holds_from = case when l.reserved > 0 then ${at} end, is_low = ${isLow(sql, sql`levels`)}
            from (select goods_id, location_id, min(version) - 1 as version_read, max(on_hand + num) as on_hand_read,
                         max(version) as version, min(on_hand) as on_hand, min(reserved) as reserved
                    from sold group by goods_id, location_id order by goods_id, location_id) as l
           where levels.goods_id = any (array[l.goods_id]) and levels.location_id = l.location_id
             and levels.version_block = l.version_read / ${VERSIONS_A_BLOCK}::bigint
             and levels.version = l.version_read
             and levels.on_hand = l.on_hand_read and levels.reserved = l.reserved and levels.deleted_at is null
             ${stillPlain(sql, changes)}
          returning levels.goods_id
        )`;
  return { tables, unmoved: sql`(select count(*) from levelled) = ${levels.length}::int` };
}

/** Whether the orders are new and plain, and have a line each. */
export function haveOneLine({ movements, orders }: Changes): boolean {
  return orders.length === movements.length &&
    orders.every(({ before, after }) => before === undefined && after.lines.length === 1 && isPlain(after));
}

/** Inserts orders that {@link haveOneLine}, beside {@link moveSold}. */
export function insertSold(sql: postgres.Sql, at: Fragment): Branch {
  const tables = sql`
        added as (
          insert into orders (order_id, state, goods_ids, nums, returned, created_at, updated_at)
          select order_id, 'sold', array[goods_id], array[num], array[0], ${at}, ${at} from sold
        )`;
  return { tables };
}

function isPlain({ state, asked, held, buyerId }: Order): boolean {
  return state === "sold" && asked === undefined && held === undefined && buyerId === undefined;
}
