/**
 * The reads behind streams of changes: movements that came between two snapshots, exactly, and where their goods stand.
 *
 * Rows are found by the ledger's index of times, from a time on that the caller answers for, and distinguished by the
 * transaction that wrote them, which each row has as xmin. A row is younger than a snapshot's xmax where its age is not
 * more: PostgreSQL's `age` compares ids of 32 bits as they wrap around, and has rows that are frozen as the oldest of
 * all where their id was overwritten. Where it was not, `at` has left out whatever is older than 2^31 transactions.
 */
import type postgres from "postgres";
import type { OperationKind } from "../../inventory/model.ts";
import type { ListedMovement } from "../../inventory/queries.ts";
import type { Place } from "../../inventory/stock_key.ts";
import { arrayLiteral } from "../postgres/arrays.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { lowXid, parseSnapshot, type TransactionSnapshot, wholeXid } from "../transaction_snapshot.ts";
import type { Fragment } from "./branches/branch.ts";
import { FIRST_US, literal, msOf, timeOfUs, usOf } from "./lists/frame.ts";

/** Where a walk through movements goes on: time in microseconds, goods, location and version of the last one. */
export type TailKey = readonly [atUs: number, goodsId: number, locationId: number, version: number];

/** Which movements are read. */
export interface TailQuery {
  /** What this snapshot saw is left out. Absent: nothing is. */
  readonly after?: TransactionSnapshot | undefined;
  /** What this snapshot did not see is left out. Absent: all that is committed is read. */
  readonly upTo?: TransactionSnapshot | undefined;
  /** Written down at this time or later. */
  readonly sinceUs: number;
  /** Or, where that is earlier, so long before the read by the database's clock. */
  readonly agoUs?: number;
  /** Transactions that `after` saw under way, and from which time on rows of each are read if it is over now. */
  readonly late?: readonly { readonly xid: number; readonly sinceUs: number }[];
  /** Those of them of which rows that savepoints wrote are read too, beside rows of others that were seen. */
  readonly withSavepoints?: readonly number[];
  /** Behind this one. */
  readonly key?: TailKey | undefined;
  /** Rows at most. */
  readonly limit: number;
}

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
  readonly snapshot: TransactionSnapshot;
  readonly nowUs: number;
  /** By time, goods, location and version. */
  readonly rows: readonly TailRow[];
  /** Of all places of the rows. */
  readonly levels: readonly TailLevel[];
  /** There may be more rows. */
  readonly hasMore: boolean;
}

type RowArray = readonly [
  goodsId: number,
  locationId: number,
  version: number,
  kind: OperationKind,
  orderId: string | null,
  operationId: string | null,
  onHandDelta: number,
  reservedDelta: number,
  onHandAfter: number,
  reservedAfter: number,
  reason: string | null,
  documentUri: string | null,
  actor: string | null,
  atUs: number,
  occurredAtMs: number | null,
  xid: number,
];
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

/** Reads movements. */
export async function readTail(pool: Pool, query: TailQuery, signal: AbortSignal): Promise<TailRead> {
  const [answer] = await pool.run(tailStatement(query), signal);
  if (answer === undefined) throw new Error("PostgreSQL answered a select without a row");
  const snapshot = parseSnapshot(answer.seen);
  return {
    snapshot,
    nowUs: Number(answer.now_us),
    rows: answer.moved.map((row) => rowOf(row, snapshot.xmax)),
    levels: answer.levels.map(levelOf),
    hasMore: answer.moved.length === query.limit,
  };
}

/** The statement behind {@link readTail}: of one snapshot, so that rows and levels are of one moment. */
export function tailStatement(query: TailQuery): Statement<TailAnswer[]> {
  const { sinceUs, agoUs = 0, late = [], key, limit } = query;
  return (sql) =>
    sql`
        with bounds as materialized (
          select pg_current_snapshot() as seen,
                 least(${timeOfUs(sql, sinceUs)}, statement_timestamp() - ${agoUs}::bigint * interval '1 microsecond',
                       (select timestamptz 'epoch' + min(since_us) * interval '1 microsecond'
                          from unnest(${arrayLiteral(late.map(({ xid }) => xid))}::text[],
                                      ${arrayLiteral(late.map((each) => each.sinceUs))}::bigint[])
                                 as late (xid, since_us)
                         where pg_visible_in_snapshot(late.xid::xid8, pg_current_snapshot()))) as since
        ), moved as materialized (
          select *, xmin::text::bigint as xid from movements
           where at >= (select since from bounds) and ${isBehind(sql, key)}
             and ${isYounger(sql, query)} and ${isSeen(sql, query)}
           order by at, goods_id, location_id, version limit ${literal(sql, limit)}
        )
        select (select seen from bounds)::text as seen, ${usOf(sql, sql`statement_timestamp()`)} as now_us,
               (select coalesce(json_agg(json_build_array(
                         goods_id, location_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                         on_hand_after, reserved_after, reason, document_uri, actor, ${usOf(sql, sql`at`)},
                         ${msOf(sql, sql`occurred_at`)}, xid)), '[]') from moved) as moved,
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

function isBehind(sql: postgres.Sql, key: TailKey | undefined): Fragment {
  if (key === undefined) return sql`true`;
  const [atUs, goodsId, locationId, version] = key;
  return sql`(at, goods_id, location_id, version)
                   > (${timeOfUs(sql, atUs)}, ${goodsId}::bigint, ${locationId}::bigint, ${version}::bigint)`;
}

/** Whether `after` did not see it. */
function isYounger(sql: postgres.Sql, { after, withSavepoints = [] }: TailQuery): Fragment {
  if (after === undefined) return sql`true`;
  const fromXid = withSavepoints.length === 0 ? sql`${lowXid(after.xmax)}::text` : sql`
                     coalesce((select (min(xid) % 4294967296)::text from unnest(${
    arrayLiteral(withSavepoints)
  }::bigint[]) as ended (xid)
                                where pg_visible_in_snapshot(ended.xid::text::xid8, pg_current_snapshot())),
                              ${lowXid(after.xmax)}::text)`;
  return sql`(age(xmin) <= (select age((${fromXid})::xid))
                  or xmin = any ((select ${arrayLiteral(after.xip.map(lowXid))}::xid[])::xid[]))`;
}

/**
 * Whether `upTo` saw it. Rows of long before it are taken as seen, whatever their ids say: those of frozen rows may
 * have come round again.
 */
function isSeen(sql: postgres.Sql, { upTo, after }: TailQuery): Fragment {
  if (upTo === undefined) return sql`true`;
  const isOld = after === undefined
    ? sql`at < statement_timestamp() - ${SETTLED_US}::bigint * interval '1 microsecond'`
    : sql`false`;
  return sql`(${isOld} or age(xmin) > (select age(${lowXid(upTo.xmax)}::text::xid))
                  and xmin <> all ((select ${arrayLiteral(upTo.xip.map(lowXid))}::xid[])::xid[]))`;
}

/** Before all times. */
export const BEGINNING_US = FIRST_US;
/** What was written down so long ago is taken as committed long since, or as never: a day. */
const SETTLED_US = 86_400_000_000;

function rowOf(
  [
    goodsId,
    locationId,
    version,
    kind,
    orderId,
    operationId,
    onHandDelta,
    reservedDelta,
    onHandAfter,
    reservedAfter,
    reason,
    documentUri,
    actor,
    atUs,
    occurredAtMs,
    xid,
  ]: RowArray,
  nextXid: number,
): TailRow {
  return {
    goodsId,
    locationId,
    version,
    kind,
    orderId: orderId ?? undefined,
    operationId: operationId ?? undefined,
    onHandDelta,
    reservedDelta,
    onHandAfter,
    reservedAfter,
    ...(reason === null ? {} : { reason }),
    ...(documentUri === null ? {} : { documentUri }),
    ...(actor === null ? {} : { actor }),
    atMs: Math.floor(atUs / 1000),
    ...(occurredAtMs === null ? {} : { occurredAtMs }),
    atUs,
    xid: wholeXid(xid, nextXid),
  };
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
