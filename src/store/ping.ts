/**
 * The statement behind readiness.
 */
import { DatabaseUnavailableError } from "./errors.ts";
import type { Pool } from "./pool.ts";

/** Resolves if PostgreSQL answers, takes writes and has the tables; a standby after a fail-over does not. */
export async function ping(pool: Pool, signal: AbortSignal): Promise<void> {
  const [row] = await pool.run<{ read_only: string }[]>(
    (sql) =>
      sql`
      select current_setting('transaction_read_only') as read_only, (select 1 from stock limit 1) as schema`,
    signal,
  );
  if (row?.read_only === "off") return;
  // Another server may have taken its place; only a new connection can find it.
  pool.dropIdle();
  throw new DatabaseUnavailableError("PostgreSQL takes no writes");
}
