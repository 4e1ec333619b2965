/**
 * Whether the tables hold what callers were told. After every measurement: as many orders, units and movements came as
 * were acknowledged. At the end of the run: the whole ledger of every database.
 */
import type postgres from "postgres";
import { ledgerViolations } from "../tests/support/ledger_check.ts";

/** What a database holds. */
export interface Holdings {
  readonly orders: number;
  /** Units on hand, of all goods. */
  readonly units: number;
  /** Versions of all goods, which is their movements. */
  readonly movements: number;
}

/** What callers know of their sales; each line is of one unit. */
export interface Acknowledged {
  readonly orders: number;
  readonly units: number;
  /** Orders that may have been sold, and the units of each at most. */
  readonly unknownOrders: number;
  readonly unitsPerOrderMax: number;
}

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

/**
 * What does not add up between two countings, a sentence each; none if everything does.
 *
 * `hasMovements`: each unit that leaves is one movement.
 */
export function bookViolations(
  before: Holdings,
  after: Holdings,
  { orders, units, unknownOrders, unitsPerOrderMax }: Acknowledged,
  hasMovements: boolean,
): string[] {
  const left = before.units - after.units;
  const came = after.orders - before.orders;
  const moved = after.movements - before.movements;
  const unitsMax = units + unknownOrders * unitsPerOrderMax;
  return [
    ...(left < units || left > unitsMax ? [`${left} units left the stock, ${units} to ${unitsMax} were sold`] : []),
    ...(came < orders || came > orders + unknownOrders
      ? [`${came} orders came, ${orders} to ${orders + unknownOrders} were acknowledged`]
      : []),
    ...(hasMovements && moved !== left ? [`${moved} movements for ${left} units`] : []),
  ];
}

/** Everything that is wrong with a stock's ledger, from the tables alone. */
export function checkLedger(sql: postgres.Sql): Promise<string[]> {
  return ledgerViolations(sql);
}
