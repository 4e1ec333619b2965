/**
 * Movements as reads of changes answer them, with where their places stand, and how they are distinguished by the
 * transaction that wrote them, which each row has as xmin.
 *
 * A row is younger than a transaction where its age is not more: PostgreSQL's `age` compares ids of 32 bits as they
 * wrap around, and has rows that are frozen as the oldest of all where their id was overwritten. Where it was not, only
 * the time of a row can leave it out; so nobody asks by these ids for what is older than 2^31 transactions.
 */
import type postgres from "postgres";
import type { ListedMovement } from "../../inventory/queries.ts";
import type { Place } from "../../inventory/stock_key.ts";
import { arrayLiteral } from "../postgres/arrays.ts";
import {
  type DatabaseSnapshot,
  lowXid,
  parseSnapshot,
  type SeenTransactions,
  wholeXid,
} from "../transaction_snapshot.ts";
import type { Fragment } from "./branches/branch.ts";
import { msOf, timeOfUs, usOf } from "./lists/frame.ts";
import { type MovementColumns, movementColumns, movementOf } from "./lists/movements.ts";

/** Where a walk through movements goes on: time in microseconds, goods, location and version of the last one. */
export type TailKey = readonly [atUs: number, goodsId: number, locationId: number, version: number];

/** A movement, and which transaction wrote it. */
export interface TailRow extends ListedMovement {
  readonly atUs: number;
  readonly xid: number;
}

/** Where a place stands, with what says whether it is low or sold out at other numbers. */
export interface TailLevel extends Place {
  readonly version: number;
  readonly sku: string | undefined;
  readonly safetyStock: number;
  readonly backorderMax: number;
  readonly isLow: boolean;
  readonly lowStockAt: number | undefined;
  readonly lowStockUntil: number | undefined;
  readonly deletedAtMs: number | undefined;
}

/** What a read came to. */
export interface TailRead {
  /** What it saw itself, and when, by the database's clock. */
  readonly snapshot: DatabaseSnapshot;
  readonly nowUs: number;
  /** By time, goods, location and version. */
  readonly rows: readonly TailRow[];
  /** Of all places of the rows. */
  readonly levels: readonly TailLevel[];
  /** Behind which movement there may be more; undefined: that was the end. */
  readonly next: TailKey | undefined;
}

type RowArray = readonly [...MovementColumns, atUs: number, xid: number];
type LevelArray = readonly [
  goodsId: number,
  locationId: number,
  version: number,
  sku: string | null,
  safetyStock: number,
  backorderMax: number,
  isLow: boolean,
  lowStockAt: number | null,
  lowStockUntil: number | null,
  deletedAtMs: number | null,
];

/** The one row of the answer. */
export interface TailAnswer {
  readonly seen: string;
  readonly now_us: string;
  readonly moved: readonly RowArray[];
  readonly levels: readonly LevelArray[];
}

/** The answer, in words; `next` as in {@link TailRead}. */
export function tailReadOf(
  answer: TailAnswer,
  next: (rows: readonly TailRow[]) => TailKey | undefined,
): TailRead {
  const snapshot = parseSnapshot(answer.seen);
  const rows = answer.moved.map((row) => rowOf(row, snapshot.xmax));
  return { snapshot, nowUs: Number(answer.now_us), rows, levels: answer.levels.map(levelOf), next: next(rows) };
}

/** The key of a row. */
export function tailKeyOf({ atUs, goodsId, locationId, version }: TailRow): TailKey {
  return [atUs, goodsId, locationId, version];
}

/** By what walks are sorted. */
export function compareTailKeys(a: TailKey, b: TailKey): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}

/** The columns of the answer, of one snapshot: rows of a table called `moved`, which has `xid`, with their levels. */
export function answerColumns(sql: postgres.Sql): Fragment {
  return sql`pg_current_snapshot()::text as seen, ${usOf(sql, sql`statement_timestamp()`)} as now_us,
               (select coalesce(json_agg(json_build_array(
                         ${movementColumns(sql)}, ${usOf(sql, sql`at`)}, xid)), '[]') from moved) as moved,
               (select coalesce(json_agg(json_build_array(
                         place.goods_id, place.location_id, level.version,
                         (select sku from goods where goods_id = place.goods_id), level.safety_stock,
                         level.backorder_max, level.is_low, level.low_stock_at, level.low_stock_until,
                         ${msOf(sql, sql`level.deleted_at`)})), '[]')
                  from (select distinct goods_id, location_id from moved) as place,
                       lateral (select * from levels
                                 where goods_id = place.goods_id and location_id = place.location_id
                                 order by version_block desc limit 1) as level) as levels`;
}

/** Whether a movement comes behind the key. */
export function isBehind(sql: postgres.Sql, key: TailKey | undefined): Fragment {
  if (key === undefined) return sql`true`;
  const [atUs, goodsId, locationId, version] = key;
  return sql`(at, goods_id, location_id, version)
                   > (${timeOfUs(sql, atUs)}, ${goodsId}::bigint, ${locationId}::bigint, ${version}::bigint)`;
}

/** Whether the rows of the transaction `writer` were not seen. */
export function isUnseen(sql: postgres.Sql, { xip, from, above }: SeenTransactions, writer: Fragment): Fragment {
  return sql`case when age(${writer}) <= (select age(${lowXid(from)}::text::xid))
                    then not ${isOneOf(sql, above, writer)} else ${isOneOf(sql, xip, writer)} end`;
}

/** Whether it is one of these transactions. */
function isOneOf(sql: postgres.Sql, xids: readonly number[], writer: Fragment): Fragment {
  return sql`${writer} = any ((select ${arrayLiteral(xids.map(lowXid))}::xid[])::xid[])`;
}

function rowOf(row: RowArray, nextXid: number): TailRow {
  const [atUs, xid] = row.slice(-2) as [number, number];
  return { ...movementOf(row), atUs, xid: wholeXid(xid, nextXid) };
}

function levelOf(
  [
    goodsId,
    locationId,
    version,
    sku,
    safetyStock,
    backorderMax,
    isLow,
    lowStockAt,
    lowStockUntil,
    deletedAtMs,
  ]: LevelArray,
): TailLevel {
  return {
    goodsId,
    locationId,
    version,
    sku: sku ?? undefined,
    safetyStock,
    backorderMax,
    isLow,
    lowStockAt: lowStockAt ?? undefined,
    lowStockUntil: lowStockUntil ?? undefined,
    deletedAtMs: deletedAtMs ?? undefined,
  };
}
