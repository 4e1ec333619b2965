/**
 * Ends sessions of this program that keep a transaction open while they wait for a client that says nothing more.
 *
 * PostgreSQL before 17 has no limit for them: `idle_in_transaction_session_timeout` is armed only behind Sync, and
 * `statement_timeout` stands still while a message is read. So a process that vanishes without FIN or RST between Parse
 * and Sync, or before the last packet of either, would keep its row locks until TCP gives up, after two hours by
 * default.
 */
import type { Pool } from "../postgres/pool.ts";

/**
 * A block of ours is four statements and once as long idle; no transaction of ours needs more than this many timeouts.
 */
const STATEMENT_TIMEOUTS_A_TRANSACTION = 5;

/** How old a transaction of ours may get while PostgreSQL waits for its client, in ms. */
export function silentTransactionMsMax(statementTimeoutMs: number): number {
  return STATEMENT_TIMEOUTS_A_TRANSACTION * statementTimeoutMs;
}

/**
 * Ends them, whichever process they were of: who vanished can't do it himself. Answers the process ids of those ended.
 *
 * Ours are those of the same role, database and application name. Only who waits for his client: a commit that waits
 * for a standby would become visible before it is safe.
 */
export async function endSilentSessions(pool: Pool, ageMsMax: number, signal: AbortSignal): Promise<number[]> {
  const rows = await pool.run<{ pid: number; ended: boolean }[]>(
    (sql) =>
      sql`
        select pid, pg_terminate_backend(pid) as ended
          from pg_stat_activity
         where usename = current_user and datname = current_database()
           and application_name = current_setting('application_name') and pid <> pg_backend_pid()
           and wait_event_type = 'Client' and xact_start < clock_timestamp() - ${ageMsMax}::int * interval '1 ms'`,
    signal,
  );
  return rows.filter((row) => row.ended).map((row) => row.pid);
}
