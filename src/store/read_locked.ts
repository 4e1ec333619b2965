/**
 * The read that tells whose rows are the ones to wait for.
 */
import { errorFields, type Log } from "../telemetry/log.ts";
import { arrayLiteral } from "./arrays.ts";
import { StoreError } from "./errors.ts";
import type { Pool } from "./pool.ts";

/**
 * Those of these goods whose row some other session has locked at this moment. None where the database can't tell: an
 * engine that spreads rows over servers may lock one of them in a statement, but not several.
 *
 * Throws the errors of errors.ts, and no other error of PostgreSQL's: this is a guess at whom to wait for, and whoever is
 * not blamed here is tried again.
 */
export async function readLocked(
  pool: Pool,
  goodsIds: readonly number[],
  log: Log,
  signal: AbortSignal,
): Promise<number[]> {
  try {
    return await lockedOf(pool, goodsIds, signal);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    log.warn({ error: errorFields(error) }, "PostgreSQL can't tell which rows are locked");
    return [];
  }
}

async function lockedOf(pool: Pool, goodsIds: readonly number[], signal: AbortSignal): Promise<number[]> {
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
