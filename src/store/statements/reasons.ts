/** Why stock moves: rows of `reasons`, which are never changed. */
import type { Pool } from "../postgres/pool.ts";

/** A reason that a write may give. */
export interface Reason {
  readonly code: string;
  readonly description: string;
}

/** All reasons, up to so many, by code. */
export async function readReasons(pool: Pool, max: number, signal: AbortSignal): Promise<Reason[]> {
  const rows = await pool.run<Reason[]>(
    (sql) => sql`select code, description from reasons order by code collate "C" limit ${max}::int`,
    signal,
  );
  return rows.map(({ code, description }) => ({ code, description }));
}

/**
 * Adds a reason unless its code is there, or so many are there already. Answers the one with this code as it is then;
 * none where there are too many, or another has been as fast.
 */
export async function addReason(
  pool: Pool,
  { code, description }: Reason,
  max: number,
  signal: AbortSignal,
): Promise<Reason | undefined> {
  const rows = await pool.write<Reason[]>(
    (sql) =>
      sql`
        with asked as (select ${code}::text as code, ${description}::text as description),
        added as (
          insert into reasons (code, description)
          select code, description from asked where (select count(*) from reasons) < ${max}::int
              on conflict do nothing
          returning code, description
        )
        select * from added
        union all
        select reasons.code, reasons.description from asked join reasons on reasons.code = asked.code`,
    signal,
  );
  const [row] = rows;
  return row && { code: row.code, description: row.description };
}
