/**
 * The read that finds goods off their ledger.
 */
import { keyOf, type StockKey } from "../../inventory/stock_key.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { keyColumns, type KeyRow, placeOfRow } from "./stock_keys.ts";

/**
 * Those of the goods whose next movement is on record although their row of levels stands before it, or is not there:
 * no write of them can pass its fence.
 */
export async function readOffLedger(
  pool: Pool,
  stockKeys: readonly StockKey[],
  signal: AbortSignal,
): Promise<StockKey[]> {
  const rows = await pool.run(offLedgerStatement(stockKeys), signal);
  return rows.map((row) => keyOf(placeOfRow(row)));
}

/**
 * The statement behind {@link readOffLedger}, of one snapshot, so that a write under way shows in both tables or in
 * none; see readSnapshot for how a row of levels is looked for.
 */
export function offLedgerStatement(stockKeys: readonly StockKey[]): Statement<KeyRow[]> {
  const { goodsIds, locationIds } = keyColumns(stockKeys);
  return (sql) =>
    sql`
        with newest as (
          select asked.goods_id, asked.location_id,
                 (select version from levels where goods_id = asked.goods_id and location_id = asked.location_id
                   order by version_block desc limit 1) as version
            from unnest((select ${goodsIds}::int[]), (select ${locationIds}::int[])) as asked (goods_id, location_id)
        )
        select newest.goods_id, newest.location_id
          from newest
          join movements on movements.goods_id = newest.goods_id and movements.location_id = newest.location_id
                        and movements.version = coalesce(newest.version, 0) + 1`;
}
