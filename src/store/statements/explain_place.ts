/** The read behind an explanation: a level and what it comes of, all of one statement and so of one snapshot. */
import type { Explained, ExplainLimits, Standing } from "../../inventory/explained.ts";
import type { OperationKind } from "../../inventory/model.ts";
import type { Place } from "../../inventory/stock_key.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { literal, msOf } from "./lists/frame.ts";
import { levelColumns, levelOf, type LevelRow, levelTables } from "./lists/levels.ts";
import { movementColumns, movementOf, type MovementRow } from "./lists/movements.ts";
import { onlyRow } from "./only_row.ts";
import { policyArray } from "./read_snapshot.ts";
import { policyOf, type PolicyRow } from "./snapshot_row.ts";

/** Movements that are added up, and holds. A goods may have millions of either. */
export const SUMMED_MAX = 10_000;

type StandingRow = readonly [version: number, onHand: number, reserved: number];

interface ExplainedRow {
  /** Null: there is none. */
  readonly level: readonly [level: LevelRow, policy: PolicyRow | null, standing: StandingRow] | null;
  /** Null: before the first movement. */
  readonly opening: StandingRow | null;
  readonly sums: readonly [kind: OperationKind, movements: number, onHandDelta: number, reservedDelta: number][];
  readonly is_chained: boolean;
  readonly holds: readonly [
    orderId: string,
    buyerId: string | null,
    num: number,
    expiresAtMs: number,
    isDue: boolean,
  ][];
  readonly held: readonly [count: number, num: number];
  readonly movements: readonly MovementRow[];
}

/** All that a place comes of; undefined: it never was set. */
export async function explainPlace(
  pool: Pool,
  place: Place,
  limits: ExplainLimits,
  signal: AbortSignal,
): Promise<Explained | undefined> {
  const row = onlyRow(await pool.run(explainPlaceStatement(place, limits), signal));
  if (row.level === null) return undefined;
  const [level, policy, standing] = row.level;
  const [count, num] = row.held;
  return {
    level: levelOf(level),
    ...(policy === null ? {} : { policy: policyOf(policy) }),
    standing: standingOf(standing),
    opening: standingOf(row.opening ?? [0, 0, 0]),
    sums: row.sums.map(([kind, movements, onHandDelta, reservedDelta]) => ({
      kind,
      movements,
      onHandDelta,
      reservedDelta,
    })),
    isChained: row.is_chained,
    holds: row.holds.map(([orderId, buyerId, units, expiresAtMs, isDue]) => ({
      orderId,
      ...(buyerId === null ? {} : { buyerId }),
      num: units,
      expiresAtMs,
      isDue,
    })),
    held: { count: Math.min(count, SUMMED_MAX), num, more: count > SUMMED_MAX },
    movements: row.movements.map(([, ...columns]) => movementOf(columns)),
  };
}

function standingOf([version, onHand, reserved]: StandingRow): Standing {
  return { version, onHand, reserved };
}

/**
 * The statement behind {@link explainPlace}. Of the ledger it reads the latest rows, also those that are newer than the
 * level says: it must not hide that. Where the sums begin is reckoned from the level's version, or is where the ledger
 * begins, of which the movements before are not kept; a row that is missing there breaks the chain.
 *
 * What is read of movements is bounded by their versions, and not by a limit alone: of a goods that the planner takes
 * for one of few movements it would read all rows and sort them.
 */
export function explainPlaceStatement(
  { goodsId, locationId }: Place,
  limits: ExplainLimits,
): Statement<ExplainedRow[]> {
  return (sql) => {
    const isHere = sql`goods_id = ${goodsId}::int and location_id = ${locationId}::int`;
    const max = literal(sql, SUMMED_MAX);
    const more = literal(sql, SUMMED_MAX + 1);
    return sql`
        with newest as materialized (
          select version from levels where ${isHere} order by version_block desc limit 1
        ), kept as materialized (
          select version, on_hand, reserved from openings
           where ${isHere} and version >= (select version - ${max} from newest)
        ), recent as materialized (
          (select version, kind, on_hand_delta, reserved_delta, on_hand_after, reserved_after
             from movements
            where ${isHere} and version >= (select version - ${max} from newest)
              and version > coalesce((select version from kept), 0) order by version desc limit ${more})
           union all
          select version, 'opening', 0, 0, on_hand, reserved from kept
        ), chained as (
          select *, version = coalesce((select version from kept), (select version - ${max} from newest)) as is_opening,
                 (version, on_hand_after::bigint, reserved_after::bigint)
                   = (1 + lag(version, 1, 0::bigint) over by_version,
                      on_hand_delta + lag(on_hand_after::bigint, 1, 0::bigint) over by_version,
                      reserved_delta + lag(reserved_after::bigint, 1, 0::bigint) over by_version) as follows
            from recent window by_version as (order by version)
        ), summed as materialized (
          select kind, count(*) as movements, sum(on_hand_delta::bigint) as on_hand_delta,
                 sum(reserved_delta::bigint) as reserved_delta, bool_and(follows) as follow
            from chained where not is_opening group by kind
        ), held as materialized (
          select expires_at, order_id, num from holds where ${isHere} order by expires_at, order_id limit ${more}
        )
        select
          (select json_build_array(
                    json_build_array(json_build_array(), ${levelColumns(sql)}),
                    ${policyArray(sql)},
                    json_build_array(level.version, level.on_hand, level.reserved))
             from (select ${goodsId}::int as goods_id, ${locationId}::int as location_id) as place,
                  ${levelTables(sql)}) as level,
          (select json_build_array(version, on_hand_after, reserved_after) from chained where is_opening) as opening,
          (select coalesce(json_agg(json_build_array(kind, movements, on_hand_delta, reserved_delta) order by kind), '[]')
             from summed) as sums,
          (select coalesce(bool_and(follow), exists (select from kept)) from summed) as is_chained,
          (select coalesce(json_agg(json_build_array(
                    order_id, (select buyer_id from orders where orders.order_id = first.order_id), num,
                    ${msOf(sql, sql`expires_at`)}, expires_at <= statement_timestamp())
                    order by expires_at, order_id), '[]')
             from (select * from held order by expires_at, order_id limit ${limits.holds}::int) as first) as holds,
          (select json_build_array(count(*), coalesce(sum(num), 0)) from held) as held,
          (select coalesce(json_agg(json_build_array(json_build_array(), ${movementColumns(sql)})
                    order by version desc), '[]')
             from (select * from movements
                    where ${isHere} and version >= (select min(version) from (
                            select version from recent order by version desc limit ${limits.movements}::int) as listed)
                    order by version desc limit ${limits.movements}::int) as latest) as movements`;
  };
}
