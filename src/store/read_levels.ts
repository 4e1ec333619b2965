/**
 * The read behind InvDetail.
 */
import type { Level } from "../inventory/model.ts";
import { arrayLiteral } from "./arrays.ts";
import type { Pool } from "./pool.ts";

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
  const rows = await pool.run<LevelRow[]>(
    (sql) =>
      sql`
        select goods_id, on_hand, reserved, version
          from stock where goods_id = any (${arrayLiteral(goodsIds)}::int[]) and deleted_at is null`,
    signal,
  );
  return new Map(rows.map(({ goods_id, on_hand, reserved, version }) => [
    goods_id,
    { goodsId: goods_id, onHand: on_hand, reserved, version: Number(version), deleted: false },
  ]));
}
