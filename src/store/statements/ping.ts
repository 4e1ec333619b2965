/**
 * The statement behind readiness.
 */
import type postgres from "postgres";
import type { Statement } from "../postgres/transaction_block.ts";
import { BlockLostError, DatabaseUnavailableError, takesNoWrites } from "../errors.ts";
import type { Pool } from "../postgres/pool.ts";
import { type SessionLimits, type Sessions, type SessionState, unfitSettings } from "../postgres/sessions.ts";
import { onlyRow } from "./only_row.ts";

/** What a look at a session shows. */
interface Look extends SessionState {
  readonly read_only: string;
  readonly is_standby: boolean;
  /** The process that ran the statement. */
  readonly pid: number;
  readonly role: string;
}

/**
 * Resolves if PostgreSQL answers, takes writes, has the schema of this version, keeps to our limits, and answers a
 * commit only when it is durable; a standby after a failover takes no writes. Throws the errors of errors.ts.
 *
 * Where statements run in other sessions than the one that logged in, all of them are begun anew, for a pooler.
 */
export async function ping(pool: Pool, sessions: Sessions, limits: SessionLimits, signal: AbortSignal): Promise<void> {
  const rows = await look(pool, sessions, signal);
  const state = onlyRow(rows);
  if (sessions.kind === "own" && state.pid !== sessionOf(rows)) {
    sessions.foundPooler("a statement ran in another session than the one that logged in");
    throw new DatabaseUnavailableError("PostgreSQL is behind a pooler: sessions are begun anew");
  }
  const unfit = unfitSettings(state, limits);
  if (unfit.length > 0) {
    throw new DatabaseUnavailableError(`the settings of role ${state.role} do not do: ${unfit.join("; ")}. ${ADVICE}`);
  }
  if (state.read_only === "off") return;
  // Another server may have taken its place; only a new connection can find it.
  pool.dropIdle();
  throw takesNoWrites(state.is_standby);
}

async function look(pool: Pool, { kind }: Sessions, signal: AbortSignal): Promise<Look[]> {
  try {
    return kind === "own" ? await pool.run(schemaStatement, signal) : await lookInBlock(pool, signal);
  } catch (error) {
    const { code } = (error as Error).cause as { code?: string } ?? {};
    if (!(error instanceof DatabaseUnavailableError) || !OTHER_SCHEMA.has(code ?? "")) throw error;
    throw new DatabaseUnavailableError("the schema is missing, or older than this version: run `deno task migrate`", {
      cause: error,
    });
  }
}

/** Orders may need transaction blocks, and PgBouncer in its mode `statement` ends the connection at a `begin`. */
async function lookInBlock(pool: Pool, signal: AbortSignal): Promise<Look[]> {
  try {
    return await pool.block(({ run }) => run(schemaStatement), signal);
  } catch (error) {
    if (!(error instanceof BlockLostError)) throw error;
    const words =
      "a transaction block was lost behind the pooler; PgBouncer's pool_mode must be transaction or session";
    throw new DatabaseUnavailableError(words, { cause: error });
  }
}

/** undefined_table, undefined_column */
const OTHER_SCHEMA = new Set(["42P01", "42703"]);
const ADVICE = "`deno task migrate` makes them for the role holdfast_server; a pooler has them once it connects anew";

/** The process that took the log-in, as it was named then. */
function sessionOf(rows: readonly Look[]): number {
  return (rows as unknown as postgres.RowList<Look[]>).state.pid;
}

/**
 * Fails where the newest migration is missing, by something that it made. Reads no row: the first one may lie behind
 * many old versions. PostgreSQL shows times as 250ms, 1s or 0, which it takes for intervals, too.
 */
export const schemaStatement: Statement<Look[]> = (sql) =>
  sql`
    select current_setting('transaction_read_only') as read_only, pg_is_in_recovery() as is_standby,
           (select opened_at from shortfalls where false) as schema,
           pg_backend_pid() as pid, current_user::text as role,
           current_setting('enable_seqscan') as enable_seqscan, current_setting('jit') as jit,
           current_setting('synchronous_commit') as synchronous_commit,
           (1000 * extract(epoch from current_setting('statement_timeout')::interval))::int as statement_timeout,
           (1000 * extract(epoch from current_setting('lock_timeout')::interval))::int as lock_timeout,
           (1000 * extract(epoch from current_setting('idle_in_transaction_session_timeout')::interval))::int
             as idle_in_transaction_session_timeout`;
