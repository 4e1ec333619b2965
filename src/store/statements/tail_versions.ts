/** The read of movements by their versions: those that one that was read stands behind, and that were not read. */
import type { Place } from "../../inventory/stock_key.ts";
import { column } from "../postgres/arrays.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { literal } from "./lists/frame.ts";
import { onlyRow } from "./only_row.ts";
import { answerColumns, type TailAnswer, type TailRead, tailReadOf } from "./tail_rows.ts";
import { placeColumns } from "./stock_keys.ts";

/** Versions of a place, both of them included. */
export interface VersionRange extends Place {
  readonly from: number;
  readonly to: number;
}

/** Reads them: of each range the highest ones, and of all of them `limit` at most. */
export async function readVersions(
  pool: Pool,
  ranges: readonly VersionRange[],
  limit: number,
  signal: AbortSignal,
): Promise<TailRead> {
  return tailReadOf(onlyRow(await pool.run(versionsStatement(ranges, limit), signal)), () => undefined);
}

/** The statement behind {@link readVersions}. */
export function versionsStatement(ranges: readonly VersionRange[], limit: number): Statement<TailAnswer[]> {
  const { goodsIds, locationIds } = placeColumns(ranges);
  return (sql) =>
    sql`
        with moved as materialized (
          select movement.*
            from unnest((select ${goodsIds}::int[]), (select ${locationIds}::int[]),
                        (select ${column(ranges, ({ from }) => from)}::bigint[]),
                        (select ${column(ranges, ({ to }) => to)}::bigint[]))
                   as range (goods_id, location_id, low, high),
                 lateral (select *, xmin::text::bigint as xid from movements
                           where goods_id = range.goods_id and location_id = range.location_id
                             and version between range.low and range.high
                           order by version desc limit ${literal(sql, limit)}) as movement
           limit ${literal(sql, limit)}
        )
        select ${answerColumns(sql)}`;
}
