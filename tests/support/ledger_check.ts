/**
 * Whether a database is a whole ledger, by SQL alone: it shares no code and no arithmetic with the program that
 * wrote it.
 */
import postgres from "postgres";

/**
 * All violations of a database, a sentence each, sorted; empty if it is whole:
 *
 * - a goods has one row in stock
 * - stock is what its movements add up to, in units on hand, reserved units and version
 * - versions run 1..n without a gap, each after-value is the one before it plus the delta, and none is out of bounds
 * - each line of a sold order was sold by exactly one movement, and nothing else was sold
 * - what came back of a line is what rollback movements gave back, never more than was sold
 * - a recorded operation and its movements say the same
 * - an order without movements is barred, and a barred one has none
 */
export async function checkLedger(ownerUrl: string): Promise<string[]> {
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    return await ledgerViolations(sql);
  } finally {
    await sql.end();
  }
}

/** The same on a connection, so that it can look into a transaction that has not been committed. */
export async function ledgerViolations(sql: postgres.ISql): Promise<string[]> {
  const rows = await sql.unsafe<{ violation: string }[]>(VIOLATIONS);
  return rows.map((row) => row.violation);
}

const VIOLATIONS = `
with totals as (
  select goods_id, sum(on_hand_delta) as on_hand, sum(reserved_delta) as reserved,
         count(*) as movements, min(version) as first, max(version) as last
    from movements group by goods_id
), steps as (
  select m.*,
         lag(on_hand_after, 1, 0) over in_order as on_hand_before,
         lag(reserved_after, 1, 0) over in_order as reserved_before
    from movements m window in_order as (partition by goods_id order by version)
), order_lines as (
  select order_id, state, line.*
    from orders o, unnest(o.goods_ids, o.nums, o.returned) as line (goods_id, num, returned)
), sold as (
  select order_id, goods_id, count(*) as times, -sum(on_hand_delta) as num
    from movements where kind = 'sell' group by order_id, goods_id
), given_back as (
  select order_id, goods_id, sum(on_hand_delta) as num
    from movements where kind = 'rollback' group by order_id, goods_id
), operation_lines as (
  select operation_id, kind, order_id, goods_id, num
    from operations, unnest(goods_ids, nums) as line (goods_id, num)
   where kind <> 'bar'
), violations as (
  select format('goods %s: %s on hand, its movements add up to %s', goods_id, s.on_hand, t.on_hand) as violation
    from levels s join totals t using (goods_id) where s.on_hand <> t.on_hand
  union all
  select format('goods %s: %s reserved, its movements add up to %s', goods_id, s.reserved, t.reserved)
    from levels s join totals t using (goods_id) where s.reserved <> t.reserved
  union all
  select format('goods %s: version %s, its last movement is %s', goods_id, s.version, t.last)
    from levels s join totals t using (goods_id) where s.version <> t.last
  union all
  select format('goods %s: %s rows in stock', goods_id, count(*)) from levels group by goods_id having count(*) > 1
  union all
  select format('goods %s: in stock without a movement', goods_id)
    from levels s where not exists (select from totals t where t.goods_id = s.goods_id)
  union all
  select format('goods %s: movements without a row in stock', goods_id)
    from totals t where not exists (select from levels s where t.goods_id = s.goods_id)
  union all
  select format('goods %s: on hand %s and reserved %s are out of bounds', goods_id, on_hand, reserved)
    from levels where on_hand < 0 or reserved < 0 or reserved > on_hand
  union all
  select format('goods %s: versions %s to %s in %s movements', goods_id, first, last, movements)
    from totals where first <> 1 or last <> movements
  union all
  select format('goods %s, version %s: on hand %s after %s and %s', goods_id, version, on_hand_after, on_hand_before, on_hand_delta)
    from steps where on_hand_after <> on_hand_before + on_hand_delta
  union all
  select format('goods %s, version %s: reserved %s after %s and %s', goods_id, version, reserved_after, reserved_before, reserved_delta)
    from steps where reserved_after <> reserved_before + reserved_delta
  union all
  select format('goods %s, version %s: on hand %s and reserved %s are out of bounds', goods_id, version, on_hand_after, reserved_after)
    from movements where on_hand_after < 0 or reserved_after < 0 or reserved_after > on_hand_after
  union all
  select format('order %s, goods %s: %s sold by the order, %s in %s movements', order_id, goods_id, coalesce(l.num, 0),
                coalesce(s.num, 0), coalesce(s.times, 0))
    from (select * from order_lines where state in ('sold', 'rolled_back')) l
    full join sold s using (order_id, goods_id)
   where l.num is distinct from s.num or s.times <> 1
  union all
  select format('order %s, goods %s: %s came back, rollbacks gave %s', order_id, goods_id, coalesce(l.returned, 0), coalesce(g.num, 0))
    from order_lines l full join given_back g using (order_id, goods_id)
   where coalesce(l.returned, 0) <> coalesce(g.num, 0)
  union all
  select format('order %s, goods %s: %s came back of %s', order_id, goods_id, returned, num)
    from order_lines where returned < 0 or returned > num
  union all
  select format('order %s: names goods %s twice', order_id, goods_id)
    from order_lines group by order_id, goods_id having count(*) > 1
  union all
  select format('order %s: %s, but %s of %s came back', order_id, state, returned, nums)
    from orders where (state = 'rolled_back' and returned <> nums) or (state = 'sold' and returned = nums)
  union all
  select format('order %s: %s without a movement', order_id, state)
    from orders o where state <> 'barred' and not exists (select from movements m where m.order_id = o.order_id)
  union all
  select format('order %s: barred, but it has movements', order_id)
    from orders o where state = 'barred' and exists (select from movements m where m.order_id = o.order_id)
  union all
  select format('goods %s, version %s: a %s without its record', goods_id, version, kind)
    from movements m
   where (kind = 'sell') <> (operation_id is null)
      or (operation_id is not null and not exists (
           select from operations o
            where o.operation_id = m.operation_id and o.order_id is not distinct from m.order_id
              and case o.kind when 'rollback_whole' then 'rollback' when 'rollback_part' then 'rollback' else o.kind end = m.kind))
  union all
  select format('operation %s, goods %s: recorded as %s of %s, moved %s times by %s', operation_id, goods_id, l.kind, l.num,
                count(m.version), sum(m.on_hand_delta))
    from operation_lines l left join movements m using (operation_id, goods_id)
   group by operation_id, goods_id, l.kind, l.num
  having count(m.version) <> 1
      or case l.kind when 'set' then min(m.on_hand_after - m.reserved_after) else min(m.on_hand_delta) end <> l.num
  union all
  select format('operation %s, goods %s: moved, but not recorded', operation_id, goods_id)
    from movements m
   where operation_id is not null
     and not exists (select from operation_lines l where l.operation_id = m.operation_id and l.goods_id = m.goods_id)
)
select violation from violations order by violation`;
