/** What all levels come to. */
import type { LevelQuery } from "../../../inventory/queries.ts";
import type { StockTotals } from "../../../inventory/stats.ts";
import type { Pool } from "../../postgres/pool.ts";
import type { Statement } from "../../postgres/transaction_block.ts";
import { filters, liveLevels } from "../lists/count_levels.ts";
import { onlyRow } from "../only_row.ts";

interface TotalsRow {
  readonly places: string;
  readonly on_hand: string;
  readonly reserved: string;
  readonly num: string;
  readonly low: string;
  readonly sold_out: string;
}

/** Added up one by one; StatementTimeoutError where there are more than can be in the time of a statement. */
export async function readTotals(pool: Pool, query: LevelQuery, signal: AbortSignal): Promise<StockTotals> {
  const row = onlyRow(await pool.run(totalsStatement(query), signal));
  return {
    places: BigInt(row.places),
    onHand: BigInt(row.on_hand),
    reserved: BigInt(row.reserved),
    num: BigInt(row.num),
    low: BigInt(row.low),
    soldOut: BigInt(row.sold_out),
  };
}

/** The statement behind {@link readTotals}. */
export function totalsStatement(query: LevelQuery): Statement<TotalsRow[]> {
  return (sql) =>
    sql`
        select count(*) as places, coalesce(sum(on_hand), 0) as on_hand, coalesce(sum(live_reserved), 0) as reserved,
               coalesce(sum(available), 0) as num,
               count(*) filter (where is_low and available < low_stock_until) as low,
               count(*) filter (where available + backorder_max <= 0) as sold_out
          from ${liveLevels(sql)}
         where ${filters(sql, query)}`;
}
