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
  if (typeof value !== "string") return String(value);
  // Hardly any text has a quote or a backslash: a look for one takes half of the time of replacing none, as measured.
  return /["\\]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : `"${value}"`;
}

/**
 * The same, of one value of each row. Rows that follow each other often have the same text, such as whose they are:
 * what it is written as is kept for the next one.
 */
export function column<T>(rows: readonly T[], value: (row: T) => Element): string {
  let last: Element;
  let literal = "";
  let all = "";
  for (const row of rows) {
    const next = value(row);
    if (all === "" || next !== last) literal = element(last = next);
    all += all === "" ? literal : `,${literal}`;
  }
  return `{${all}}`;
}

/** The numbers of an array as PostgreSQL writes it, of which none is NULL; null: none. */
export function numbersOf(array: string | null): readonly number[] {
  return array === null ? [] : JSON.parse(`[${array.slice(1, -1)}]`);
}
