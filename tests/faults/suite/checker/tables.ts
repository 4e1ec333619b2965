/** What PostgreSQL has in the end, read by the checker's own SQL. */
import postgres from "postgres";
import type { AskedLine } from "../history.ts";

/** A row of `stock`. */
export interface StockRow {
  readonly goodsId: number;
  readonly onHand: number;
  readonly reserved: number;
  readonly version: number;
}

/** A row of `movements`. */
export interface MovementRow {
  readonly goodsId: number;
  readonly version: number;
  readonly kind: string;
  readonly orderId: string | null;
  readonly operationId: string | null;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
  readonly onHandAfter: number;
  readonly reservedAfter: number;
  /** When it was decided, in ms since 1970. */
  readonly atMs: number;
}

/** A row of `orders`. */
export interface OrderRow {
  readonly orderId: string;
  readonly state: string;
  /** Sorted by goods. */
  readonly lines: readonly (AskedLine & { readonly returned: number })[];
  /** When it was applied, in ms since 1970. */
  readonly atMs: number;
}

/** A row of `operations`. */
export interface OperationRow {
  readonly operationId: string;
  readonly kind: string;
  readonly orderId: string | null;
  readonly lines: readonly AskedLine[];
}

/** All of it. */
export interface Tables {
  readonly stock: readonly StockRow[];
  readonly movements: readonly MovementRow[];
  readonly orders: readonly OrderRow[];
  readonly operations: readonly OperationRow[];
}

/**
 * Reads all tables at one moment, as the owner. To be called when no call is in progress any more: what has no clear
 * answer may otherwise be written after it.
 */
export async function readTables(ownerUrl: string): Promise<Tables> {
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    return await sql.begin("isolation level repeatable read read only", async (sql) => ({
      stock: await sql<StockRow[]>`
        select goods_id as "goodsId", on_hand as "onHand", reserved, version::float8 as version from levels`,
      movements: await sql<MovementRow[]>`
        select goods_id as "goodsId", version::float8 as version, kind, order_id as "orderId",
               operation_id as "operationId", on_hand_delta as "onHandDelta", reserved_delta as "reservedDelta",
               on_hand_after as "onHandAfter", reserved_after as "reservedAfter",
               round(extract(epoch from at) * 1000)::float8 as "atMs"
          from movements`,
      orders: await sql<OrderRow[]>`
        select order_id as "orderId", state, round(extract(epoch from created_at) * 1000)::float8 as "atMs",
               (select coalesce(json_agg(json_build_object('goodsId', g, 'num', n, 'returned', r) order by g), '[]')
                  from unnest(goods_ids, nums, returned) as line (g, n, r)) as lines
          from orders`,
      operations: await sql<OperationRow[]>`
        select operation_id as "operationId", kind, order_id as "orderId",
               (select coalesce(json_agg(json_build_object('goodsId', g, 'num', n) order by g), '[]')
                  from unnest(goods_ids, nums) as line (g, n)) as lines
          from operations`,
    }));
  } finally {
    await sql.end();
  }
}
