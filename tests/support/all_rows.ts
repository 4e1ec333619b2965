/** All that a database contains, to see that something changed nothing. */
import type postgres from "postgres";

/**
 * Every row of the four tables, by key. They are equal to earlier ones if nothing at all was written in between.
 */
export async function allRows(owner: postgres.ISql): Promise<Record<string, unknown>> {
  const [row] = await owner`
    select (select json_agg(t order by t.goods_id) from levels t) as stock,
           (select json_agg(t order by t.order_id) from orders t) as orders,
           (select json_agg(t order by t.operation_id) from operations t) as operations,
           (select json_agg(t order by t.goods_id, t.version) from movements t) as movements`;
  return { ...row };
}
