/**
 * The read of a tailer: movements that came since a snapshot, exactly. They are looked for by the ledger's index of
 * times, from a time on for which the caller answers.
 */
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type { SeenTransactions } from "../transaction_snapshot.ts";
import { literal, timeOfUs } from "./lists/frame.ts";
import {
  answerColumns,
  isBehind,
  isUnseen,
  type TailAnswer,
  type TailKey,
  tailKeyOf,
  type TailRead,
  tailReadOf,
} from "./tail_rows.ts";

/** Which movements are read. */
export interface TailQuery {
  /** What was seen is left out. */
  readonly after: SeenTransactions;
  /** Written down at this time or later. */
  readonly sinceUs: number;
  /** Or, where that is earlier, so long before the read, by the database's clock. */
  readonly agoUs: number;
  /** Behind this one. */
  readonly key?: TailKey | undefined;
  /** Rows at most. */
  readonly limit: number;
}

/** Reads movements. */
export async function readTail(pool: Pool, query: TailQuery, signal: AbortSignal): Promise<TailRead> {
  const [answer] = await pool.run(tailStatement(query), signal);
  return tailReadOf(
    answer,
    (rows) => rows.length === query.limit && rows.length > 0 ? tailKeyOf(rows.at(-1)!) : undefined,
  );
}

/** The statement behind {@link readTail}: of one snapshot, so that rows and levels are of one moment. */
export function tailStatement(query: TailQuery): Statement<TailAnswer[]> {
  const { after, sinceUs, agoUs, key, limit } = query;
  return (sql) =>
    sql`
        with moved as materialized (
          select *, xmin::text::bigint as xid from movements
           where at >= (select least(${timeOfUs(sql, sinceUs)},
                                     statement_timestamp() - ${agoUs}::bigint * interval '1 microsecond'))
             and ${isBehind(sql, key)} and ${isUnseen(sql, after, sql`xmin`)}
           order by at, goods_id, location_id, version limit ${literal(sql, limit)}
        )
        select ${answerColumns(sql)}`;
}
