/**
 * The reads that show whose rows are the ones to wait for.
 */
import { errorFields, type Log } from "../../telemetry/log.ts";
import { keyOf, type StockKey } from "../../inventory/stock_key.ts";
import { arrayLiteral } from "../postgres/arrays.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { StoreError } from "../errors.ts";
import type { Pool } from "../postgres/pool.ts";
import { keyColumns, type KeyRow, placeOfRow } from "./stock_keys.ts";

/**
 * Those of these goods whose row some other session has locked at this moment. None where the database can't say: an
 * engine that spreads rows over servers may lock one of them in a statement, but not several.
 *
 * Throws the errors of errors.ts, and no other error of PostgreSQL's: this is a guess at whom to wait for, and whoever
 * is not blamed here is tried again.
 */
export async function readLocked(
  pool: Pool,
  stockKeys: readonly StockKey[],
  log: Log,
  signal: AbortSignal,
): Promise<StockKey[]> {
  const rows = await guessed(() => pool.run(lockedStatement(stockKeys), signal), log);
  return rows.map((row) => keyOf(placeOfRow(row)));
}

/** The same of orders. One that is not committed yet, or that nobody knows, has no row to look at. */
export async function readLockedOrders(
  pool: Pool,
  orderIds: readonly string[],
  log: Log,
  signal: AbortSignal,
): Promise<string[]> {
  const rows = await guessed(() => pool.run(lockedOrdersStatement(orderIds), signal), log);
  return rows.map((row) => row.order_id);
}

async function guessed<T>(read: () => Promise<T[]>, log: Log): Promise<T[]> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    log.warn({ error: errorFields(error) }, "PostgreSQL can't say which rows are locked");
    return [];
  }
}

/** The statement behind {@link readLocked}; see readSnapshot for how a row is looked for. */
export function lockedStatement(stockKeys: readonly StockKey[]): Statement<KeyRow[]> {
  const { goodsIds, locationIds } = keyColumns(stockKeys);
  return (sql) =>
    sql`
        with newest as (
          select level.goods_id, level.location_id, version_block
            from unnest((select ${goodsIds}::int[]), (select ${locationIds}::int[])) as asked (goods_id, location_id),
                 lateral (select * from levels where goods_id = asked.goods_id and location_id = asked.location_id
                           order by version_block desc limit 1) as level
        ), free as (
          -- That or a higher block: a row that has moved on meanwhile is free as well.
          select level.goods_id, level.location_id
            from newest,
                 lateral (select goods_id, location_id from levels
                           where goods_id = newest.goods_id and location_id = newest.location_id
                             and version_block >= newest.version_block
                             for update skip locked) as level
        )
        select goods_id, location_id from newest except select goods_id, location_id from free`;
}

function lockedOrdersStatement(orderIds: readonly string[]): Statement<{ order_id: string }[]> {
  const ids = arrayLiteral(orderIds);
  return (sql) =>
    sql`
        with free as (
          select order_id from orders where order_id = any ((select ${ids}::text[])::text[]) for update skip locked
        )
        select order_id from orders where order_id = any ((select ${ids}::text[])::text[]) except select order_id from free`;
}
