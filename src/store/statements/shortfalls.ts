/** Shortfalls that are on record: the list of those that somebody has to see to, and how one is resolved. */
import type { AskedResolution, RecordedShortfall, ResolvedShortfall, TimeKey } from "../../inventory/hold_lists.ts";
import { ConflictError } from "../errors.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type postgres from "postgres";

interface ShortfallRow {
  readonly order_id: string;
  readonly buyer_id: string | null;
  readonly lines: readonly [goodsId: number, locationId: number, asked: number, available: number][];
  readonly created_ms: string;
  readonly opened_ms: string;
  readonly resolved_ms: string | null;
  readonly resolution: string | null;
}

/** How often it is looked again at a shortfall that somebody else resolves at the same moment. */
const RESOLVE_ATTEMPTS_MAX = 3;

/** Open ones, the oldest first: at most `limit`, from behind `after` on. */
export async function listShortfalls(
  pool: Pool,
  { after, limit }: { readonly after: TimeKey | undefined; readonly limit: number },
  signal: AbortSignal,
): Promise<RecordedShortfall[]> {
  return (await pool.run(shortfallsStatement(after, limit), signal)).map(shortfallOf);
}

/** The statement behind {@link listShortfalls}. */
export function shortfallsStatement(after: TimeKey | undefined, limit: number): Statement<ShortfallRow[]> {
  const { atMs, orderId } = after ?? { atMs: 0, orderId: "" };
  return (sql) =>
    sql`
        select ${columns(sql)} from shortfalls
         where resolved_at is null
           and (created_at, order_id) > (to_timestamp(${atMs}::bigint / 1000.0), ${orderId}::text)
         order by created_at, order_id limit ${limit}::int`;
}

/**
 * Resolves the shortfall of the order, unless it is resolved, or another one than is asked for is open; undefined:
 * there is none. Not as of before it was opened, where the clock was set back (`CLOCK_BACK_MS_MAX`): it would pass for
 * one that was resolved before its hold was over (`reopenShortfalls`). Throws ConflictError where somebody else goes on
 * resolving it at the same moment.
 */
export async function resolveShortfall(
  pool: Pool,
  asked: AskedResolution,
  signal: AbortSignal,
): Promise<ResolvedShortfall | undefined> {
  for (let attempt = 1; attempt <= RESOLVE_ATTEMPTS_MAX; attempt++) {
    const [row] = await pool.write(resolveStatement(asked), signal);
    if (row === undefined) return undefined;
    const shortfall = shortfallOf(row);
    // What is read beside the update is as old as the statement: open, though somebody has just resolved it.
    if (row.now || shortfall.resolved !== undefined || !isAsked(shortfall, asked)) return { shortfall, now: row.now };
  }
  throw new ConflictError("the shortfall is being resolved by somebody else");
}

/** What resolving it would come to now: by this call, if it is open. */
export async function wouldResolveShortfall(
  pool: Pool,
  asked: AskedResolution,
  signal: AbortSignal,
): Promise<ResolvedShortfall | undefined> {
  const [row] = await pool.run<ShortfallRow[]>(
    (sql) => sql`select ${columns(sql)} from shortfalls where order_id = ${asked.orderId}::text`,
    signal,
  );
  if (row === undefined) return undefined;
  const shortfall = shortfallOf(row);
  return { shortfall, now: shortfall.resolved === undefined && isAsked(shortfall, asked) };
}

function isAsked(shortfall: RecordedShortfall, { openedAtMs = shortfall.openedAtMs }: AskedResolution): boolean {
  return shortfall.openedAtMs === openedAtMs;
}

function resolveStatement(
  { orderId, resolution, openedAtMs }: AskedResolution,
): Statement<(ShortfallRow & { now: boolean })[]> {
  return (sql) =>
    sql`
        with resolved as (
          update shortfalls
             set resolved_at = greatest(date_trunc('milliseconds', statement_timestamp()), created_at, opened_at),
                 resolution = ${resolution}::text
           where order_id = ${orderId}::text and resolved_at is null
             and coalesce(${openedAtMs ?? null}::bigint = ${openedMs(sql)}, true)
          returning *
        )
        select ${columns(sql)}, true as now from resolved
         union all
        select ${columns(sql)}, false from shortfalls
         where order_id = ${orderId}::text and not exists (select from resolved)`;
}

function columns(sql: postgres.Sql) {
  return sql`
               order_id, buyer_id, (extract(epoch from created_at) * 1000)::bigint as created_ms,
               ${openedMs(sql)} as opened_ms,
               (extract(epoch from resolved_at) * 1000)::bigint as resolved_ms, resolution,
               (select coalesce(jsonb_agg(jsonb_build_array(goods_id, location_id, num, free)), '[]')
                  from unnest(goods_ids, location_ids, asked, available) as line (goods_id, location_id, num, free))
                 as lines`;
}

function openedMs(sql: postgres.Sql) {
  return sql`(extract(epoch from coalesce(opened_at, created_at)) * 1000)::bigint`;
}

function shortfallOf(row: ShortfallRow): RecordedShortfall {
  const { order_id: orderId, buyer_id: buyerId, created_ms, opened_ms, resolved_ms, resolution } = row;
  return {
    orderId,
    lines: row.lines.map(([goodsId, locationId, asked, available]) => ({ goodsId, locationId, asked, available })),
    ...(buyerId === null ? {} : { buyerId }),
    createdAtMs: Number(created_ms),
    openedAtMs: Number(opened_ms),
    resolved: resolved_ms === null ? undefined : { atMs: Number(resolved_ms), resolution: resolution ?? "" },
  };
}
