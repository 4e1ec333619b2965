/**
 * The read behind InvDetail.
 */
import type postgres from "postgres";
import type { Level } from "../../inventory/model.ts";
import type { NamedLevel } from "../../inventory/levels.ts";
import { keyOf, type StockKey } from "../../inventory/stock_key.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { keyColumns, type KeyRow, placeOfRow } from "./stock_keys.ts";

/** A level as a row; what expired holds have reserved is not in `reserved`. */
export interface LevelRow extends KeyRow {
  readonly on_hand: number;
  readonly reserved: number;
  readonly safety_stock: number;
  readonly version: string;
}

/**
 * The committed levels of these goods, at one moment; what expired holds have reserved is not counted any more. A goods
 * that is unknown or no longer sold has none.
 */
export async function readLevels(
  pool: Pool,
  stockKeys: readonly StockKey[],
  signal: AbortSignal,
): Promise<Map<StockKey, NamedLevel>> {
  const rows = await pool.run(levelsStatement(stockKeys), signal);
  return new Map(rows.map((row) => [
    keyOf(placeOfRow(row)),
    row.sku === null ? levelOf(row) : { ...levelOf(row), sku: row.sku },
  ]));
}

/** A level as a row, and what its goods is called. */
interface NamedRow extends LevelRow {
  readonly sku: string | null;
}

/** The level that a row says. */
export function levelOf(row: LevelRow): Level {
  const { on_hand: onHand, reserved, safety_stock: safetyStock, version } = row;
  const level = { ...placeOfRow(row), onHand, reserved, version: Number(version), deleted: false };
  return safetyStock === 0 ? level : { ...level, policy: { safetyStock, backorderMax: 0 } };
}

/** The statement behind {@link readLevels}; see readSnapshot for how a row is looked for. */
export function levelsStatement(stockKeys: readonly StockKey[]): Statement<NamedRow[]> {
  const { goodsIds, locationIds } = keyColumns(stockKeys);
  return (sql) =>
    sql`
        select ${levelColumns(sql)}, (select sku from goods where goods.goods_id = newest.goods_id) as sku
          from unnest((select ${goodsIds}::int[]), (select ${locationIds}::int[])) as asked (goods_id, location_id),
               lateral (select * from levels where goods_id = asked.goods_id and location_id = asked.location_id
                         order by version_block desc limit 1) as newest
         where deleted_at is null`;
}

/** The columns of a {@link LevelRow}, out of a row of levels that is called `newest`. */
export function levelColumns(sql: postgres.Sql) {
  return sql`newest.goods_id, newest.location_id, on_hand, safety_stock, version,
               reserved - case when holds_from <= statement_timestamp() then (
                            select coalesce(sum(num), 0)::int from holds
                             where goods_id = newest.goods_id and location_id = newest.location_id
                               and expires_at >= newest.holds_from and expires_at <= statement_timestamp())
                          else 0 end as reserved`;
}
