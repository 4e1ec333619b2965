/** The read of which transactions wrote movements lately. */
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { type DatabaseSnapshot, lowXid, parseSnapshot, wholeXid } from "../transaction_snapshot.ts";
import { onlyRow } from "./only_row.ts";
import type { WrittenMovement } from "./tail_marks.ts";
import { FIRST_US, literal, timeOfUs, usOf } from "./lists/frame.ts";

/** What was seen, and when, by the database's clock. */
export interface XidsRead {
  readonly snapshot: DatabaseSnapshot;
  readonly nowUs: number;
  /** Ascending, from the one that was asked for on; undefined: more movements would have to be looked at. */
  readonly xids: readonly number[] | undefined;
  /** The newest movement by its time, and its whole transaction id; undefined: there is none. */
  readonly newest: WrittenMovement | undefined;
}

/** The row of the answer. */
interface XidsRow {
  readonly seen: string;
  readonly now_us: string;
  readonly xids: readonly number[];
  readonly is_whole: boolean;
  readonly newest: readonly [goodsId: number, locationId: number, version: number, xid: number, atUs: number] | null;
}

/** Transactions from `from` on whose movements are there, by the newest `limit` movements. */
export async function readXids(
  pool: Pool,
  { from, limit }: { readonly from: number; readonly limit: number },
  signal: AbortSignal,
): Promise<XidsRead> {
  const row = onlyRow(await pool.run(xidsStatement(from, limit), signal));
  const snapshot = parseSnapshot(row.seen);
  const xids = row.xids.map((xid) => wholeXid(xid, snapshot.xmax)).sort((a, b) => a - b);
  return {
    snapshot,
    nowUs: Number(row.now_us),
    xids: row.is_whole ? xids : undefined,
    newest: row.newest === null ? undefined : newestOf(row.newest, snapshot),
  };
}

function newestOf(
  [goodsId, locationId, version, xid, atUs]: NonNullable<XidsRow["newest"]>,
  { xmax }: DatabaseSnapshot,
): WrittenMovement {
  return { goodsId, locationId, version, xid: wholeXid(xid, xmax), atUs };
}

/** The statement behind {@link readXids}. The oldest movement that it looks at is of before, or there is none older. */
export function xidsStatement(from: number, limit: number): Statement<XidsRow[]> {
  return (sql) =>
    sql`
        with latest as materialized (
          select goods_id, location_id, version, at, xmin as writer,
                 age(xmin) <= (select age(${lowXid(from)}::text::xid)) as is_asked
            from movements where at >= ${timeOfUs(sql, FIRST_US)} order by at desc limit ${literal(sql, limit)}
        )
        select pg_current_snapshot()::text as seen, ${usOf(sql, sql`statement_timestamp()`)} as now_us,
               (select coalesce(json_agg(distinct writer::text::bigint), '[]') from latest where is_asked) as xids,
               not coalesce((select is_asked from latest offset ${literal(sql, limit - 1)} limit 1), false) as is_whole,
               (select json_build_array(goods_id, location_id, version, writer::text::bigint, ${usOf(sql, sql`at`)})
                  from latest limit 1) as newest`;
}
