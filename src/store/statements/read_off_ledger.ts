/**
 * The read that finds goods off their ledger.
 */
import { arrayLiteral } from "../postgres/arrays.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";

/**
 * Those of the goods whose next movement is on record although their row of stock stands before it, or is not there: no
 * write of them can pass its fence.
 */
export async function readOffLedger(pool: Pool, goodsIds: readonly number[], signal: AbortSignal): Promise<number[]> {
  const rows = await pool.run(offLedgerStatement(goodsIds), signal);
  return rows.map((row) => row.goods_id);
}

/**
 * The statement behind {@link readOffLedger}, of one snapshot, so that a write under way shows in both tables or in
 * none; see readSnapshot for how a row of stock is looked for.
 */
export function offLedgerStatement(goodsIds: readonly number[]): Statement<{ goods_id: number }[]> {
  return (sql) =>
    sql`
        with newest as (
          select asked.goods_id,
                 (select version from stock where goods_id = asked.goods_id order by version_block desc limit 1) as version
            from unnest((select ${arrayLiteral(goodsIds)}::int[])) as asked (goods_id)
        )
        select newest.goods_id
          from newest
          join movements on movements.goods_id = newest.goods_id and movements.version = coalesce(newest.version, 0) + 1`;
}
