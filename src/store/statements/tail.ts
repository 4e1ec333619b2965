/**
 * The read of a tailer: movements that came since a snapshot, exactly. They are looked for by the ledger's index of
 * times, from a time on for which the caller answers.
 */
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type { SeenTransactions } from "../transaction_snapshot.ts";
import { literal, timeOfUs } from "./lists/frame.ts";
import { isThere, type WrittenMovement } from "./tail_marks.ts";
import { onlyRow } from "./only_row.ts";
import {
  answerColumns,
  isBehind,
  isUnseen,
  type TailAnswer,
  type TailKey,
  tailKeyOf,
  type TailRead,
  tailReadOf,
  type TailRow,
} from "./tail_rows.ts";

/** Which movements are read. */
export interface TailQuery {
  /** What was seen is left out. */
  readonly after: SeenTransactions;
  /** Written down at this time or later. */
  readonly sinceUs: number;
  /** Or, where that is earlier, so long before the read, by the database's clock. */
  readonly agoUs: number;
  /** A movement of before, which must be there as that transaction wrote it. */
  readonly witness: WrittenMovement | undefined;
  /** Behind this one. */
  readonly key?: TailKey | undefined;
  /** Rows at most. */
  readonly limit: number;
}

/** What came of it. */
export interface NewRead extends TailRead {
  /** The witness is there. */
  readonly isPastThere: boolean;
}

interface NewAnswer extends TailAnswer {
  readonly is_past_there: boolean;
}

/** Reads movements. */
export async function readTail(pool: Pool, query: TailQuery, signal: AbortSignal): Promise<NewRead> {
  const answer = onlyRow(await pool.run(tailStatement(query), signal));
  const isFull = (rows: readonly TailRow[]) => rows.length === query.limit && rows.length > 0;
  const read = tailReadOf(answer, (rows) => isFull(rows) ? tailKeyOf(rows.at(-1)!) : undefined);
  return { ...read, isPastThere: answer.is_past_there };
}

/** The statement behind {@link readTail}: of one snapshot, so that rows and levels are of one moment. */
export function tailStatement(query: TailQuery): Statement<NewAnswer[]> {
  const { after, sinceUs, agoUs, key, limit, witness } = query;
  return (sql) =>
    sql`
        with moved as materialized (
          select *, xmin::text::bigint as xid from movements
           where at >= (select least(${timeOfUs(sql, sinceUs)},
                                     statement_timestamp() - ${agoUs}::bigint * interval '1 microsecond'))
             and ${isBehind(sql, key)} and ${isUnseen(sql, after, sql`xmin`)}
           order by at, goods_id, location_id, version limit ${literal(sql, limit)}
        )
        select ${answerColumns(sql)},
               ${witness === undefined ? sql`true` : sql`exists (${isThere(sql, witness)})`} as is_past_there`;
}
