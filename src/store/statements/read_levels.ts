/**
 * The read behind InvDetail.
 */
import type { Level } from "../../inventory/model.ts";
import { arrayLiteral } from "../postgres/arrays.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import type { Pool } from "../postgres/pool.ts";

interface LevelRow {
  goods_id: number;
  on_hand: number;
  reserved: number;
  version: string;
}

/** The committed levels of these goods, at one moment. A goods that is unknown or no longer sold has none. */
export async function readLevels(
  pool: Pool,
  goodsIds: readonly number[],
  signal: AbortSignal,
): Promise<Map<number, Level>> {
  const rows = await pool.run(levelsStatement(goodsIds), signal);
  return new Map(rows.map(({ goods_id, on_hand, reserved, version }) => [
    goods_id,
    { goodsId: goods_id, onHand: on_hand, reserved, version: Number(version), deleted: false },
  ]));
}

/** The statement behind {@link readLevels}; see readSnapshot for how a row is looked for. */
export function levelsStatement(goodsIds: readonly number[]): Statement<LevelRow[]> {
  return (sql) =>
    sql`
        select newest.goods_id, on_hand, reserved, version
          from unnest((select ${arrayLiteral(goodsIds)}::int[])) as asked (goods_id),
               lateral (select * from stock where goods_id = asked.goods_id order by version_block desc limit 1) as newest
         where deleted_at is null`;
}
