/** What names a database and its past. */
import type postgres from "postgres";
import type { Place } from "../../inventory/stock_key.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type { Fragment } from "./branches/branch.ts";
import { timeOfUs } from "./lists/frame.ts";
import { lowXid } from "../transaction_snapshot.ts";
import { onlyRow } from "./only_row.ts";

/**
 * The id of the database: that of its cluster, which a standby of it and a copy of its files have too, and its own
 * within that. A database that a dump was restored to has another one.
 */
export async function identifyDatabase(pool: Pool, signal: AbortSignal): Promise<string> {
  const row = onlyRow(await pool.run(identityStatement, signal));
  return row.id;
}

/** The statement behind {@link identifyDatabase}. */
export const identityStatement: Statement<{ readonly id: string }[]> = (sql) =>
  sql`
    select (select system_identifier from pg_control_system()) || '-' ||
           (select oid from pg_database where datname = current_database()) as id`;

/**
 * A movement, the lower 32 bits of the id of the transaction that wrote it, and its time, in microseconds since 1970: a
 * database that was restored to an earlier moment gives the same ids to other transactions, but not the same time.
 */
export interface WrittenMovement extends Place {
  readonly version: number;
  readonly xid: number;
  readonly atUs: number;
}

/** Whether the movement is there, and was written by that transaction. */
export async function isMovementThere(pool: Pool, movement: WrittenMovement, signal: AbortSignal): Promise<boolean> {
  const rows = await pool.run(isThereStatement(movement), signal);
  return rows.length > 0;
}

/** The statement behind {@link isMovementThere}. */
export function isThereStatement(movement: WrittenMovement): Statement<unknown[]> {
  return (sql) => sql`${isThere(sql, movement)}`;
}

/** A query that has a row where the movement is there. */
export function isThere(sql: postgres.Sql, { goodsId, locationId, version, xid, atUs }: WrittenMovement): Fragment {
  return sql`
      select 1 as one from movements
       where goods_id = ${goodsId}::int and location_id = ${locationId}::int and version = ${version}::bigint
         and xmin = ${lowXid(xid)}::text::xid and at = ${timeOfUs(sql, atUs)}`;
}
