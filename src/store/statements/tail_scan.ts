/**
 * Reads of the past: movements of a time, so many at a time whether they are wanted or not. A page takes the same time
 * however few of them are.
 */
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type { SeenTransactions } from "../transaction_snapshot.ts";
import { LAST_US, literal, timeOfUs, usOf } from "./lists/frame.ts";
import { onlyRow } from "./only_row.ts";
import {
  answerColumns,
  isBehind,
  isUnseen,
  type TailAnswer,
  type TailKey,
  type TailRead,
  tailReadOf,
} from "./tail_rows.ts";

/** Which movements are read. */
export interface ScanQuery {
  /** Written down at this time or later, and before that. */
  readonly sinceUs: number;
  readonly untilUs?: number | undefined;
  /** Behind this one. */
  readonly key?: TailKey | undefined;
  /** Of these what was not seen. Absent: all. */
  readonly after?: SeenTransactions | undefined;
  /** Of these what was seen. Absent: all that are committed. */
  readonly upTo?: SeenTransactions | undefined;
  /** Movements that are looked at, at most. */
  readonly limit: number;
}

/** What was written down so long ago was committed long since, or never will be: a day. */
const SETTLED_US = 86_400_000_000;

interface ScanAnswer extends TailAnswer {
  readonly edge: TailKey | null;
}

/** Reads movements. */
export async function scanTail(pool: Pool, query: ScanQuery, signal: AbortSignal): Promise<TailRead> {
  const answer = onlyRow(await pool.run(scanStatement(query), signal));
  return tailReadOf(answer, () => answer.edge ?? undefined);
}

/**
 * The statement behind {@link scanTail}. What was written down long ago is taken as seen by `upTo`, whatever its id
 * says: those of frozen rows may have come round again.
 */
export function scanStatement(query: ScanQuery): Statement<ScanAnswer[]> {
  const { sinceUs, untilUs = LAST_US, key, after, upTo, limit } = query;
  return (sql) => {
    const writer = sql`place.writer`;
    const seen = upTo === undefined ? sql`true` : sql`not ${isUnseen(sql, upTo, writer)}`;
    const was = upTo === undefined || after !== undefined
      ? seen
      : sql`(place.at < statement_timestamp() - ${SETTLED_US}::bigint * interval '1 microsecond' or ${seen})`;
    return sql`
        with scanned as materialized (
          select at, goods_id, location_id, version, xmin as writer from movements
           where at >= ${timeOfUs(sql, sinceUs)} and at < ${timeOfUs(sql, untilUs)} and ${isBehind(sql, key)}
           order by at, goods_id, location_id, version limit ${literal(sql, limit)}
        ), moved as materialized (
          select movement.*, writer::text::bigint as xid
            from scanned as place,
                 lateral (select * from movements
                           where goods_id = place.goods_id and location_id = place.location_id
                             and version = place.version offset 0) as movement
           where ${after === undefined ? sql`true` : isUnseen(sql, after, writer)} and ${was}
        )
        select ${answerColumns(sql)},
               (select json_build_array(${usOf(sql, sql`at`)}, goods_id, location_id, version)
                  from scanned offset ${literal(sql, limit - 1)} limit 1) as edge`;
  };
}
