/** The answers of statements that have one row, whatever there is. */
import { invariant } from "../../base/invariant.ts";

/** The row of such a statement. @throws InvariantError where there is none */
export function onlyRow<R>(rows: readonly R[]): R {
  const row = rows[0];
  invariant(row !== undefined, "PostgreSQL answered a select without a row");
  return row;
}
