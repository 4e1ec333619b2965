/** The read that compares rows of levels with the ledger, page by page. */
import type { Place } from "../../inventory/stock_key.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { type KeyRow, placeOfRow } from "./stock_keys.ts";

/** A page of places, in the sequence of their keys. */
export interface CheckedPage {
  readonly places: number;
  /** The last of them; undefined: there are no more. */
  readonly last: Place | undefined;
  /** Those whose level is not what their newest movement came to. */
  readonly off: readonly Place[];
}

interface CheckedRow extends KeyRow {
  readonly is_off: boolean;
}

/** The page behind that place, or the first one. */
export async function checkLedger(
  pool: Pool,
  after: Place | undefined,
  limit: number,
  signal: AbortSignal,
): Promise<CheckedPage> {
  const rows = await pool.run(checkLedgerStatement(after, limit), signal);
  const last = rows.at(-1);
  return {
    places: rows.length,
    last: last && placeOfRow(last),
    off: rows.filter(({ is_off }) => is_off).map(placeOfRow),
  };
}

/**
 * The statement behind {@link checkLedger}, of one snapshot, so that a write under way shows in both tables or in none.
 */
export function checkLedgerStatement(after: Place | undefined, limit: number): Statement<CheckedRow[]> {
  const { goodsId, locationId } = after ?? { goodsId: 0, locationId: 0 };
  return (sql) =>
    sql`
        with page as (
          select goods_id, location_id, on_hand, reserved, version from levels
           where (goods_id, location_id) > (${goodsId}::int, ${locationId}::int)
           order by goods_id, location_id limit ${limit}::int
        )
        select page.goods_id, page.location_id,
               (newest.version, newest.on_hand_after, newest.reserved_after)
                 is distinct from (page.version, page.on_hand, page.reserved) as is_off
          from page
          left join lateral (
            select * from (
              (select version, on_hand_after, reserved_after from movements
                where goods_id = page.goods_id and location_id = page.location_id
                order by version desc limit 1)
               union all
              select version, on_hand, reserved from openings
               where goods_id = page.goods_id and location_id = page.location_id
            ) as kept order by version desc limit 1
          ) as newest on true
         order by page.goods_id, page.location_id`;
}
