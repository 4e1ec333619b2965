/** The read of which transactions under way may have written movements. */
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { usOf } from "./lists/frame.ts";
import { onlyRow } from "./only_row.ts";

/** What was seen, and when, by the database's clock. */
export interface WritersRead {
  readonly nowUs: number;
  /** The lower 32 bits of their ids, those of their savepoints among them. */
  readonly xids: readonly number[];
}

interface WritersRow {
  readonly now_us: string;
  readonly xids: readonly number[];
}

/** Reads them. */
export async function readWriters(pool: Pool, signal: AbortSignal): Promise<WritersRead> {
  const row = onlyRow(await pool.run(writersStatement, signal));
  return { nowUs: Number(row.now_us), xids: row.xids };
}

/**
 * The statement behind {@link readWriters}. Whoever writes to a table has a lock of it until its transaction is over,
 * and waits for it before; the two modes that readers have are not meant.
 */
export const writersStatement: Statement<WritersRow[]> = (sql) =>
  sql`
    select ${
    usOf(sql, sql`statement_timestamp()`)
  } as now_us, coalesce(json_agg(own.transactionid::text::bigint), '[]') as xids
      from pg_locks as own
     where own.locktype = 'transactionid' and own.mode = 'ExclusiveLock' and own.granted
       and own.virtualtransaction in (
             select virtualtransaction from pg_locks
              where locktype = 'relation' and relation = 'movements'::regclass
                and database = (select oid from pg_database where datname = current_database())
                and mode not in ('AccessShareLock', 'RowShareLock'))`;
