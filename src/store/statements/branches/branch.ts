/**
 * The parts that the write after a decision is made of.
 *
 * Arrays are asked for by selects of their own, so that no plan depends on their length: else the statement of a short
 * batch is planned anew at every call, which takes PostgreSQL as long again as all the rest of a lone sale.
 */
import type postgres from "postgres";

/** A piece of a statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** A table expression of the statement, and what has to be true of it so that the fence is not lost. */
export interface Branch {
  readonly tables: Fragment;
  readonly unmoved?: Fragment;
}

/** The time of a number of ms since 1970. */
export function timeOf(sql: postgres.Sql, ms: number): Fragment {
  return sql`to_timestamp(${ms / 1000}::float8)`;
}
