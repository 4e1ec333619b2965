/**
 * What all lists have in common: a scan of candidates by an index, in the list's sequence, of which those that the
 * filters fit make the page.
 *
 * A scan is bounded, so that a page takes the same time however seldom the filters fit. Where it ends before the page
 * is full, the list goes on behind its last candidate, the edge.
 *
 * The scan is a table expression that is used twice, for the page and for the edge: PostgreSQL then reads only as many
 * rows of it as are asked for, and keeps them. Nothing sorts behind it: that would read all of it. Behind a scan stand
 * subqueries of one row each and no joins, and these leave the sequence as it is.
 */
import type postgres from "postgres";
import { invariant } from "../../../base/invariant.ts";
import type { Page } from "../../../inventory/queries.ts";
import type { Fragment } from "../branches/branch.ts";

/** Of all rows of a page, however the caller reads it; one row is on a page whatever it takes. */
const PAGE_BYTES_MAX = 3 * 1024 * 1024;

/** Values of the last row by which a list is sorted. */
export type Key = readonly (string | number)[];

/** The one row of a list's answer. A row of the page begins with its key. */
export interface FrameRow<R extends readonly [key: Key, ...unknown[]]> {
  readonly page: readonly R[];
  /** Rows that were found for it; more than there are, where they would be too large together. */
  readonly found: number;
  /** Where the page is not full: the last candidate, where there may be more. */
  readonly edge: Key | null;
}

/** Table expressions that lead to one called `scanned`. */
export interface Scan {
  readonly tables: Fragment;
  /** Candidates at most. */
  readonly max: number;
  /** The same where only the statement knows. */
  readonly width?: Fragment;
  /** The table that has all of these, where it is not `scanned`. */
  readonly all?: Fragment;
}

/**
 * The list as a statement: `page` selects rows from `scanned`, each as JSON `row` and with `bytes`, which it takes in
 * an answer at most; `key` is the key of a candidate, which is called `place` there. One row more is asked for than the
 * page may have.
 */
export function framed(
  sql: postgres.Sql,
  { scan, page, key, size }: {
    readonly scan: Scan;
    readonly page: Fragment;
    readonly key: Fragment;
    readonly size: number;
  },
): Fragment {
  const last = scan.width === undefined ? sql`${scan.max - 1}::int` : sql`${scan.width} - 1`;
  return sql`
        with recursive ${scan.tables}, page as materialized (
          select row, row_number() over () = 1 or sum(bytes) over (rows unbounded preceding) <= ${PAGE_BYTES_MAX}::int
                        as fits
            from (${page} limit ${size + 1}::int) as found
        )
        select (select coalesce(json_agg(row) filter (where fits), '[]') from page) as page,
               (select count(*)::int from page) as found,
               case when (select count(*) from page) <= ${size}::int
                 then (select ${key} from ${scan.all ?? sql`scanned`} as place offset ${last} limit 1) end as edge,
               (extract(epoch from statement_timestamp()) * 1000000)::bigint as at_us`;
}

/** The page of an answer. One row more was asked for than it may have, to see whether it is the end. */
export function pageOf<R extends readonly [key: Key, ...unknown[]]>(
  { page, found, edge }: FrameRow<R>,
  size: number,
): Page<R, Key> {
  const rows = page.slice(0, size);
  return { rows, next: rows.length < found ? rows.at(-1)?.[0] : edge ?? undefined };
}

/**
 * A number that stands in the text. Of a parameter the planner knows nothing once it plans for all values: it takes a
 * limit for a tenth of all rows, and plans for as many.
 */
export function literal(sql: postgres.Sql, value: number): Fragment {
  invariant(Number.isSafeInteger(value), `a number in the text of a statement is ${value}`);
  return sql`${sql.unsafe(String(value))}`;
}

/** Before every time, and after it: bounds of a list that has none. A key has integers that are exact as doubles. */
export const FIRST_US = 0;
export const LAST_US = 9_000_000_000_000_000;

/** A time in microseconds since 1970; exact, as a double has all of these. */
export function timeOfUs(sql: postgres.Sql, us: number): Fragment {
  return sql`(select timestamptz 'epoch' + ${us}::bigint * interval '1 microsecond')`;
}

/** The other way round. */
export function usOf(sql: postgres.Sql, time: Fragment): Fragment {
  return sql`(extract(epoch from ${time}) * 1000000)::bigint`;
}

/** Milliseconds of a time. */
export function msOf(sql: postgres.Sql, time: Fragment): Fragment {
  return sql`(extract(epoch from ${time}) * 1000)::bigint`;
}

/** The words for a list's direction: what comes behind a key, and how it is sorted. */
export function direction(sql: postgres.Sql, isDescending: boolean) {
  return isDescending ? { behind: sql`<`, sort: sql`desc` } : { behind: sql`>`, sort: sql`asc` };
}
