/** All that a database contains, to see that something changed nothing. */
import type postgres from "postgres";

/**
 * Every row of all tables, by key. They are equal to earlier ones if nothing at all was written in between.
 */
export async function allRows(owner: postgres.ISql): Promise<Record<string, unknown>> {
  const [row] = await owner`
    select (select json_agg(t order by t.goods_id, t.location_id) from levels t) as stock,
           (select json_agg(t order by t.order_id) from orders t) as orders,
           (select json_agg(t order by t.operation_id) from operations t) as operations,
           (select json_agg(t order by t.goods_id, t.location_id, t.version) from movements t) as movements,
           (select json_agg(t order by t.goods_id, t.location_id, t.expires_at, t.order_id) from holds t) as holds,
           (select json_agg(t order by t.order_id) from shortfalls t) as shortfalls,
           (select json_agg(t order by t.goods_id) from goods t) as goods,
           (select json_agg(t order by t.code) from reasons t) as reasons`;
  return { ...row };
}
