/**
 * The read behind InvDetail with all locations.
 */
import { type GoodsLevels, LOCATIONS_MAX } from "../../inventory/levels.ts";
import { arrayLiteral } from "../postgres/arrays.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { levelColumns, levelOf, type LevelRow } from "./read_levels.ts";

interface LocationRow extends LevelRow {
  /** It is no longer sold there. */
  readonly deleted: boolean;
}

/** The committed levels of these goods at all of their locations, at one moment; of unknown goods there is nothing. */
export async function readLocations(
  pool: Pool,
  goodsIds: readonly number[],
  signal: AbortSignal,
): Promise<Map<number, GoodsLevels>> {
  const rows = await pool.run(locationsStatement(goodsIds), signal);
  const found = new Map<number, { count: number; levels: GoodsLevels["levels"][number][] }>();
  for (const row of rows) {
    const goods = found.get(row.goods_id) ?? { count: 0, levels: [] };
    goods.count++;
    if (!row.deleted) goods.levels.push(levelOf(row));
    found.set(row.goods_id, goods);
  }
  return new Map(Array.from(found, ([goodsId, { count, levels }]) => [
    goodsId,
    { levels: levels.sort((a, b) => a.locationId - b.locationId), isCut: count > LOCATIONS_MAX },
  ]));
}

/**
 * The statement behind {@link readLocations}. It goes from the highest location down, one search of the primary key for
 * each: a location's row is in the highest of its blocks (see readSnapshot), so that a step down meets the row first,
 * where a step up would meet whatever dead versions an old snapshot keeps.
 */
export function locationsStatement(goodsIds: readonly number[]): Statement<LocationRow[]> {
  return (sql) =>
    sql`
        with recursive newest as (
          select level.*, 1 as nth
            from unnest((select ${arrayLiteral(goodsIds)}::int[])) as asked (goods_id),
                 lateral (select * from levels where goods_id = asked.goods_id
                           order by location_id desc, version_block desc limit 1) as level
          union all
          select level.*, nth + 1
            from newest,
                 lateral (select * from levels where goods_id = newest.goods_id and location_id < newest.location_id
                           order by location_id desc, version_block desc limit 1) as level
           where nth <= ${LOCATIONS_MAX}::int
        )
        select ${levelColumns(sql)}, deleted_at is not null as deleted from newest`;
}
