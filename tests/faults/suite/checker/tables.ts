/** What PostgreSQL has in the end, read by the checker's own SQL. */
import postgres from "postgres";
import type { AskedLine } from "../history.ts";

/** A row of `levels`. */
export interface StockRow {
  readonly goodsId: number;
  readonly locationId?: number;
  readonly onHand: number;
  readonly reserved: number;
  readonly version: number;
  readonly deleted?: boolean;
  /** From its first policy on, which is the only one that it ever has. */
  readonly safetyStock?: number;
  /** Units that one buyer may have of it. */
  readonly buyerNumMax?: number | null;
}

/** A row of `movements`. */
export interface MovementRow {
  readonly goodsId: number;
  readonly locationId?: number;
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
  /** When it happened, where that is said. */
  readonly occurredAtMs?: number | null;
}

/** A row of `orders`. */
export interface OrderRow {
  readonly orderId: string;
  readonly state: string;
  /** Sorted by goods and location. `held`: of what was a hold, what it had. */
  readonly lines: readonly (AskedLine & { readonly returned: number; readonly held?: number | null })[];
  /** When it took what it has, in ms since 1970. */
  readonly atMs: number;
  readonly buyerId?: string | null;
  /** Of what is, or was, a hold. */
  readonly expiresAtMs?: number | null;
}

/** A row of `operations`. */
export interface OperationRow {
  readonly operationId: string;
  readonly kind: string;
  readonly orderId: string | null;
  readonly lines: readonly AskedLine[];
}

/** A row of `holds`. */
export interface HoldRow extends AskedLine {
  readonly orderId: string;
  readonly expiresAtMs: number;
}

/** All of it. */
export interface Tables {
  readonly stock: readonly StockRow[];
  readonly movements: readonly MovementRow[];
  readonly orders: readonly OrderRow[];
  readonly operations: readonly OperationRow[];
  readonly holds: readonly HoldRow[];
}

/** Whether the order is, or was, a hold. */
export function wasHold({ lines, expiresAtMs }: OrderRow): boolean {
  return (expiresAtMs ?? null) !== null && lines.length > 0;
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
        select goods_id as "goodsId", location_id as "locationId", on_hand as "onHand", reserved,
               version::float8 as version, deleted_at is not null as deleted, safety_stock as "safetyStock",
               buyer_num_max as "buyerNumMax"
          from levels`,
      movements: await sql<MovementRow[]>`
        select goods_id as "goodsId", location_id as "locationId", version::float8 as version, kind, order_id as "orderId",
               operation_id as "operationId", on_hand_delta as "onHandDelta", reserved_delta as "reservedDelta",
               on_hand_after as "onHandAfter", reserved_after as "reservedAfter",
               round(extract(epoch from at) * 1000)::float8 as "atMs",
               round(extract(epoch from occurred_at) * 1000)::float8 as "occurredAtMs"
          from movements`,
      orders: await sql<OrderRow[]>`
        select order_id as "orderId", state, round(extract(epoch from created_at) * 1000)::float8 as "atMs",
               buyer_id as "buyerId", round(extract(epoch from expires_at) * 1000)::float8 as "expiresAtMs",
               (select coalesce(json_agg(json_build_object('goodsId', g, 'locationId', coalesce(l, 0), 'num', n,
                                                           'returned', r, 'held', h) order by g, l), '[]')
                  from unnest(goods_ids, location_ids, nums, returned, held) as line (g, l, n, r, h)) as lines
          from orders`,
      operations: await sql<OperationRow[]>`
        select operation_id as "operationId", kind, order_id as "orderId",
               (select coalesce(json_agg(json_build_object('goodsId', g, 'locationId', coalesce(l, 0), 'num', n)
                                         order by g, l), '[]')
                  from unnest(goods_ids, location_ids, nums) as line (g, l, n)) as lines
          from operations`,
      holds: await sql<HoldRow[]>`
        select goods_id as "goodsId", location_id as "locationId", num, order_id as "orderId",
               round(extract(epoch from expires_at) * 1000)::float8 as "expiresAtMs"
          from holds`,
    }));
  } finally {
    await sql.end();
  }
}
