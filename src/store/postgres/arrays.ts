/**
 * Array parameters. The pool does not read the type catalogue (see pool.ts), so the driver knows no array
 * types, and arrays go over as PostgreSQL's text form with a cast in the statement.
 */

type Element = string | number | boolean | undefined;

/** `{...}` literal of a one-dimensional array; undefined is NULL. PostgreSQL manual, section 8.15.6. */
export function arrayLiteral(values: readonly Element[]): string {
  return `{${values.map(element).join(",")}}`;
}

function element(value: Element): string {
  if (value === undefined) return "NULL";
  return typeof value === "string" ? `"${value.replace(/["\\]/g, "\\$&")}"` : String(value);
}

/** The same, of one value of each row. */
export function column<T>(rows: readonly T[], value: (row: T) => Element): string {
  return arrayLiteral(rows.map(value));
}

/** The numbers of an array as PostgreSQL writes it, of which none is NULL; null: none. */
export function numbersOf(array: string | null): readonly number[] {
  return array === null ? [] : JSON.parse(`[${array.slice(1, -1)}]`);
}
