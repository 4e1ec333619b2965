/**
 * The read behind InvDetail.
 */
import type { Level } from "../inventory/model.ts";
import type { Pool } from "./pool.ts";

interface LevelRow {
  goods_id: number;
  on_hand: number;
  reserved: number;
  version: string;
}

/** The committed level of a goods by primary key; undefined if it is unknown or no longer sold. */
export async function readLevel(pool: Pool, goodsId: number, signal: AbortSignal): Promise<Level | undefined> {
  const [row] = await pool.run<LevelRow[]>(
    (sql) =>
      sql`
        select goods_id, on_hand, reserved, version
          from stock where goods_id = ${goodsId}::int and deleted_at is null`,
    signal,
  );
  return row && {
    goodsId: row.goods_id,
    onHand: row.on_hand,
    reserved: row.reserved,
    version: Number(row.version),
    deleted: false,
  };
}
