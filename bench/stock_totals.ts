/** Looks into the tables: what is in them before and after a measurement, and whether a whole ledger is right. */
import type postgres from "postgres";
import { ledgerViolations } from "../tests/support/ledger_check.ts";
import type { StockTotals } from "./stock_violations.ts";

/** Counts a stock. No call may be in progress. */
export async function stockTotals(sql: postgres.Sql): Promise<StockTotals> {
  const [row] = await sql<{ [K in keyof StockTotals]: string }[]>`
    select (select count(*) from orders) as orders, (select count(*) from operations) as operations,
           sum(on_hand) as units, sum(reserved) as reserved, sum(version) as movements
      from levels`;
  return {
    orders: Number(row?.orders),
    operations: Number(row?.operations),
    units: Number(row?.units),
    reserved: Number(row?.reserved),
    movements: Number(row?.movements),
  };
}

/** Counts the table of the article's approach, which keeps units only. */
export async function articleTotals(sql: postgres.Sql): Promise<StockTotals> {
  const [row] = await sql<{ units: string }[]>`select sum(num) as units from article_stock`;
  return { orders: 0, operations: 0, units: Number(row?.units), reserved: 0, movements: 0 };
}

/** Everything that is wrong with a stock's ledger, from the tables alone. */
export function checkLedger(sql: postgres.Sql): Promise<string[]> {
  return ledgerViolations(sql);
}
