/**
 * The read that tells whose rows are the ones to wait for.
 */
import { arrayLiteral } from "./arrays.ts";
import type { Pool } from "./pool.ts";

/** Those of these goods whose row some other session has locked at this moment. */
export async function readLocked(pool: Pool, goodsIds: readonly number[], signal: AbortSignal): Promise<number[]> {
  const ids = arrayLiteral(goodsIds);
  const rows = await pool.run<{ goods_id: number }[]>(
    (sql) =>
      sql`
        with free as (
          select goods_id from stock where goods_id = any (${ids}::int[]) for update skip locked
        )
        select goods_id from stock where goods_id = any (${ids}::int[])
        except select goods_id from free`,
    signal,
  );
  return rows.map((row) => row.goods_id);
}
