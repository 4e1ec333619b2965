/** Holds in tests: the operations in short forms, time that passes at once, and whether all tables say the same. */
import type postgres from "postgres";
import type { Line, Order, Verdict } from "../../src/inventory/model.ts";
import type { ConfirmOperation } from "../../src/inventory/operations/confirm.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import type { ReserveOperation } from "../../src/inventory/operations/reserve.ts";

/** A line: goods, quantity, location. */
export type LineOf = readonly [goodsId: number, num: number, locationId?: number];

/** Lines in the sequence that operations want. */
export function lines(...given: LineOf[]): Line[] {
  return given.map(([goodsId, num, locationId = 0]) => ({ goodsId, locationId, num }));
}

/** Holds lines for a minute, where nothing else is said. */
export function reserve(orderId: string, given: readonly LineOf[], more: Partial<ReserveOperation> = {}): Operation {
  return { kind: "reserve", orderId, lines: lines(...given), ttlMs: 60_000, ...more };
}

/** Gives a hold so much time from now on. */
export function extend(orderId: string, ttlMs: number): Operation {
  return { kind: "extend", orderId, ttlMs };
}

/** Sells what a hold has; with lines, so much of it. */
export function confirm(
  orderId: string,
  given: readonly LineOf[] = [],
  more: Partial<ConfirmOperation> = {},
): Operation {
  return { kind: "confirm", orderId, lines: lines(...given), recordsShortfall: false, ...more };
}

/** Ends a hold. */
export function release(orderId: string): Operation {
  return { kind: "release", orderId };
}

/** Writes down that a hold's time is up. */
export function expire(orderId: string): Operation {
  return { kind: "expire", orderId };
}

/** The order of a verdict that has one; for others an error with the verdict. */
export function orderOf(verdict: Verdict): Order {
  if (!verdict.ok || (verdict.kind !== "hold" && verdict.kind !== "sell")) {
    throw new Error(`expected an order, got ${JSON.stringify(verdict)}`);
  }
  return verdict.order;
}

/** In a word: the state of the order, or why it was refused. */
export function wordOf(verdict: Verdict): string {
  if (!verdict.ok) {
    return verdict.refusal.reason === "order_state" ? `is ${verdict.refusal.state}` : verdict.refusal.reason;
  }
  return verdict.kind === "hold" || verdict.kind === "sell" ? verdict.order.state : verdict.kind;
}

/**
 * Lets so much time pass for all holds at once, by taking it off whatever is known of when they end. `owner` is a
 * session of the superuser.
 */
export async function elapse(owner: postgres.ISql, ms: number): Promise<void> {
  await owner`
    with by_order as (
      update orders set expires_at = expires_at - ${ms}::int * interval '1 ms' where state = 'held'
    ), by_line as (
      update holds set expires_at = expires_at - ${ms}::int * interval '1 ms'
    )
    update levels set holds_from = holds_from - ${ms}::int * interval '1 ms'`;
}

/**
 * What is wrong with the holds of a database, a sentence each; empty if nothing is:
 *
 * - `reserved` of a level is what the rows of holds come to, what the ledger comes to, and never below 0
 * - each row of holds is a line of an order that is on record as held, with the same number and the same end
 * - a line of such an order has its row, unless its time is up
 * - a movement of kind `expire` says when the hold's time was up, which was before it was written down
 * - an order's movements take back as much of `reserved` as they took, once it is held no more
 * - nothing is searched in vain: no row of holds ends before `holds_from` of its level
 */
export async function holdViolations(sql: postgres.ISql): Promise<string[]> {
  const rows = await sql<{ violation: string }[]>`
    with lines as (
      select order_id, state, expires_at, line.goods_id, coalesce(line.location_id, 0) as location_id, line.num
        from orders, unnest(goods_ids, location_ids, nums) as line (goods_id, location_id, num)
    ), violations as (
      select format('goods %s@%s: %s reserved, its holds have %s, its ledger %s', goods_id, location_id, reserved,
                    coalesce(h.num, 0), m.num) as violation
        from levels
        left join (select goods_id, location_id, sum(num) as num from holds group by 1, 2) h using (goods_id, location_id)
        left join (select goods_id, location_id, sum(reserved_delta) as num from movements group by 1, 2) m
               using (goods_id, location_id)
       where reserved <> coalesce(h.num, 0) or reserved is distinct from m.num or reserved < 0
      union all
      select format('order %s, goods %s@%s: a row of holds, and no such line of a live hold', h.order_id, h.goods_id,
                    h.location_id)
        from holds h left join lines l
          on l.order_id = h.order_id and l.goods_id = h.goods_id and l.location_id = h.location_id
             and l.num = h.num and l.expires_at = h.expires_at and l.state = 'held'
       where l.order_id is null
      union all
      select format('order %s, goods %s@%s: held without a row of holds', l.order_id, l.goods_id, l.location_id)
        from lines l
       where l.state = 'held' and l.num > 0 and l.expires_at > clock_timestamp()
         and not exists (select from holds h where h.order_id = l.order_id and h.goods_id = l.goods_id
                            and h.location_id = l.location_id and h.expires_at = l.expires_at)
      union all
      select format('goods %s@%s, version %s: expired at %s, written down at %s', goods_id, location_id, version,
                    occurred_at, at)
        from movements
       where (kind = 'expire') <> (occurred_at is not null) or occurred_at > at
      union all
      select format('order %s, goods %s@%s: %s, and its movements reserved %s', order_id, goods_id, location_id, state,
                    sum(reserved_delta))
        from movements join orders using (order_id)
       where state <> 'held'
       group by order_id, goods_id, location_id, state having sum(reserved_delta) <> 0
      union all
      select format('order %s, goods %s@%s: ends before %s', h.order_id, goods_id, location_id, holds_from)
        from holds h join levels using (goods_id, location_id)
       where holds_from is null or h.expires_at < holds_from
    )
    select violation from violations order by violation`;
  return rows.map((row) => row.violation);
}
