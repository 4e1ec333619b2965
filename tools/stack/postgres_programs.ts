/** What runs a PostgreSQL, wherever it comes from. */

/** A PostgreSQL: the directory of its programs, and its major version. */
export interface PostgresPrograms {
  readonly binDir: string;
  readonly major: number;
}
