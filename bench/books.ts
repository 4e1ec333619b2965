/** Looks into the tables: what they hold before and after a measurement, and whether a whole ledger is right. */
import type postgres from "postgres";
import { ledgerViolations } from "../tests/support/ledger_check.ts";
import type { Holdings } from "./book_violations.ts";

/** Counts a stock. Nothing may be under way. */
export async function stockHoldings(sql: postgres.Sql): Promise<Holdings> {
  const [row] = await sql<{ orders: string; units: string; movements: string }[]>`
    select (select count(*) from orders) as orders, sum(on_hand) as units, sum(version) as movements from stock`;
  return { orders: Number(row?.orders), units: Number(row?.units), movements: Number(row?.movements) };
}

/** Counts the table of the article's way, which keeps units only. */
export async function articleHoldings(sql: postgres.Sql): Promise<Holdings> {
  const [row] = await sql<{ units: string }[]>`select sum(num) as units from article_stock`;
  return { orders: 0, units: Number(row?.units), movements: 0 };
}

/** Everything that is wrong with a stock's ledger, from the tables alone. */
export function checkLedger(sql: postgres.Sql): Promise<string[]> {
  return ledgerViolations(sql);
}
