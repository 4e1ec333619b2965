/**
 * The statement behind readiness.
 */
import type { Statement } from "./block.ts";
import { DatabaseUnavailableError } from "./errors.ts";
import type { Pool } from "./pool.ts";

/** Levels of `synchronous_commit` at which a commit is told before the disks that it must be on have it. */
const NOT_DURABLE = new Set(["off", "local"]);

/**
 * Resolves if PostgreSQL answers, takes writes, has the schema of this version, and tells a commit only when it is
 * durable; a standby after a fail-over takes no writes. Throws the errors of errors.ts.
 */
export async function ping(pool: Pool, signal: AbortSignal): Promise<void> {
  const [row] = await pool.run(schemaStatement, signal);
  if (row === undefined) throw new Error("PostgreSQL answered a select without a row");
  if (NOT_DURABLE.has(row.synchronous_commit)) {
    throw new DatabaseUnavailableError(
      `synchronous_commit is ${row.synchronous_commit}: what is acknowledged could be lost; expected on or remote_apply`,
    );
  }
  if (row.read_only === "off") return;
  // Another server may have taken its place; only a new connection can find it.
  pool.dropIdle();
  throw new DatabaseUnavailableError("PostgreSQL takes no writes");
}

/** Fails where a column lacks. Reads no row: the first one may lie behind many old versions. */
export const schemaStatement: Statement<{ read_only: string; synchronous_commit: string }[]> = (sql) =>
  sql`
    select current_setting('transaction_read_only') as read_only, (select version_block from stock where false) as schema,
           current_setting('synchronous_commit') as synchronous_commit`;
