/**
 * Whether a database is a whole ledger, by SQL alone: it shares no code and no arithmetic with what writes it. It reads
 * all rows of all tables, in one snapshot.
 */
import type postgres from "postgres";

/** Of what is found, so many are listed. */
const VIOLATIONS_MAX = 10_000;

/**
 * The violations of a database, a sentence each, sorted, up to a bound; empty if it is whole:
 *
 * - a goods has one row a location in stock
 * - stock is what its movements add up to, in units on hand, reserved units and version
 * - versions run 1..n without a gap, or from the opening's where movements are not kept any more, each after-value is
 *   the one before it plus the delta, and none is out of bounds; the first of a place stays in any case
 * - what is reserved is what lines of holds have, each of an order that is held until the same moment
 * - each line of a sold order was sold by exactly one movement, of the sale or its confirmation, and nothing else was
 *   sold
 * - what came back of a line is what rollback movements gave back, never more than was sold
 * - a recorded operation and its movements say the same
 * - an order without movements is barred, and a barred one has none
 */
export async function ledgerViolations(sql: postgres.ISql): Promise<string[]> {
  const rows = await sql.unsafe<{ violation: string }[]>(VIOLATIONS);
  return rows.map((row) => row.violation);
}

/**
 * A goods and its location, as one text: the goods alone at location 0. Rows are put together by the two columns: of
 * millions of movements texts would take several times as long.
 */
const PLACE = "goods_id || case when location_id = 0 then '' else '@' || location_id end";

const VIOLATIONS = `
with since as (
  select coalesce((select min(began_at) from periods), '-infinity') as at
), ledger as not materialized (
  select m.* from movements m left join openings o using (goods_id, location_id) where m.version > coalesce(o.version, 0)
), restricted as (
  select distinct goods_id, location_id from movements where kind = 'policy'
  union select goods_id, location_id from openings
), totals as (
  select goods_id, location_id, sum(on_hand_delta) as on_hand, sum(reserved_delta) as reserved,
         count(*) as movements, min(version) as first, max(version) as last
    from (select goods_id, location_id, version, on_hand_delta, reserved_delta from ledger
          union all select goods_id, location_id, version, on_hand, reserved from openings) as moved
   group by goods_id, location_id
), steps as (
  select m.*,
         lag(on_hand_after::bigint, 1, coalesce(o.on_hand, 0)::bigint) over in_order as on_hand_before,
         lag(reserved_after::bigint, 1, coalesce(o.reserved, 0)::bigint) over in_order as reserved_before
    from ledger m left join openings o using (goods_id, location_id)
  window in_order as (partition by goods_id, location_id order by m.version)
), order_lines as (
  select order_id, state, goods_id, location_id, line.num, line.returned, o.created_at < since.at as is_old
    from since, orders o, unnest(o.goods_ids, o.nums, o.returned, coalesce(o.location_ids, array_fill(0, array[cardinality(o.goods_ids)])))
           as line (goods_id, num, returned, location_id)
), sold as (
  select order_id, goods_id, location_id, count(*) as times, -sum(on_hand_delta) as num
    from ledger where kind in ('sell', 'confirm') and on_hand_delta <> 0 group by order_id, goods_id, location_id
), given_back as (
  select order_id, goods_id, location_id, sum(on_hand_delta) as num
    from ledger where kind = 'rollback' group by order_id, goods_id, location_id
), operation_lines as (
  select operation_id, kind, order_id, goods_id, location_id, line.num
    from since, operations, unnest(goods_ids, nums, coalesce(location_ids, array_fill(0, array[cardinality(goods_ids)]))) as line (goods_id, num, location_id)
   where kind <> 'bar' and created_at >= since.at
), held as (
  select goods_id, location_id, h.order_id, h.num, o.order_id is not null and o.state = 'held' and o.expires_at = h.expires_at as is_held
    from holds h left join orders o using (order_id)
), violations as (
  select format('goods %s: %s on hand, its movements add up to %s', ${PLACE}, s.on_hand, t.on_hand) as violation
    from levels s join totals t using (goods_id, location_id) where s.on_hand <> t.on_hand
  union all
  select format('goods %s: %s reserved, its movements add up to %s', ${PLACE}, s.reserved, t.reserved)
    from levels s join totals t using (goods_id, location_id) where s.reserved <> t.reserved
  union all
  select format('goods %s: version %s, its last movement is %s', ${PLACE}, s.version, t.last)
    from levels s join totals t using (goods_id, location_id) where s.version <> t.last
  union all
  select format('goods %s: %s rows in stock', ${PLACE}, count(*)) from levels group by goods_id, location_id having count(*) > 1
  union all
  select format('goods %s: in stock without a movement', ${PLACE})
    from levels s where not exists (select from totals t where (t.goods_id, t.location_id) = (s.goods_id, s.location_id))
  union all
  select format('goods %s: movements without a row in stock', ${PLACE})
    from totals t where not exists (select from levels s where (t.goods_id, t.location_id) = (s.goods_id, s.location_id))
  union all
  select format('goods %s: on hand %s and reserved %s are out of bounds', ${PLACE}, on_hand, reserved)
    from levels where reserved < 0 or on_hand::bigint - reserved < -backorder_max
  union all
  select format('goods %s: %s reserved, holds have %s', ${PLACE}, s.reserved, coalesce(h.num, 0))
    from levels s left join (select goods_id, location_id, sum(num) as num from held group by goods_id, location_id) h using (goods_id, location_id)
   where s.reserved <> coalesce(h.num, 0)
  union all
  select format('hold %s, goods %s: of an order that is not held so long', order_id, ${PLACE}) from held where not is_held
  union all
  select format('goods %s: versions %s to %s in %s movements', ${PLACE}, t.first, t.last, t.movements)
    from totals t left join openings o using (goods_id, location_id)
   where t.first <> coalesce(o.version, 1) or t.last - t.first + 1 <> t.movements
  union all
  select format('goods %s: without its first movement', ${PLACE})
    from openings o where not exists (
           select from movements m where m.version = 1 and (m.goods_id, m.location_id) = (o.goods_id, o.location_id))
  union all
  select format('goods %s, version %s: on hand %s after %s and %s', ${PLACE}, version, on_hand_after, on_hand_before, on_hand_delta)
    from steps where on_hand_after <> on_hand_before + on_hand_delta
  union all
  select format('goods %s, version %s: reserved %s after %s and %s', ${PLACE}, version, reserved_after, reserved_before, reserved_delta)
    from steps where reserved_after <> reserved_before + reserved_delta
  union all
  select format('goods %s, version %s: on hand %s and reserved %s are out of bounds', ${PLACE}, version, on_hand_after, reserved_after)
    from ledger where reserved_after < 0 or (reserved_after > on_hand_after and (goods_id, location_id) not in (select goods_id, location_id from restricted))
  union all
  select format('order %s, goods %s: %s sold by the order, %s in %s movements', order_id, ${PLACE}, coalesce(l.num, 0),
                coalesce(s.num, 0), coalesce(s.times, 0))
    from (select * from order_lines where state in ('sold', 'rolled_back')) l
    full join sold s using (order_id, goods_id, location_id)
   where (coalesce(l.num, 0) <> coalesce(s.num, 0) or s.times <> 1) and not (l.is_old and s.order_id is null)
  union all
  select format('order %s, goods %s: %s came back, rollbacks gave %s', order_id, ${PLACE}, coalesce(l.returned, 0), coalesce(g.num, 0))
    from order_lines l full join given_back g using (order_id, goods_id, location_id)
   where case when l.is_old then l.returned < coalesce(g.num, 0) else coalesce(l.returned, 0) <> coalesce(g.num, 0) end
  union all
  select format('order %s, goods %s: %s came back of %s', order_id, ${PLACE}, returned, num)
    from order_lines where returned < 0 or returned > num
  union all
  select format('order %s: names goods %s twice', order_id, ${PLACE})
    from order_lines group by order_id, goods_id, location_id having count(*) > 1
  union all
  select format('order %s: %s, but %s of %s came back', order_id, state, returned, nums)
    from orders where (state = 'rolled_back' and returned <> nums) or (state = 'sold' and returned = nums)
  union all
  select format('order %s: %s without a movement', order_id, state)
    from since, orders o
   where state <> 'barred' and o.created_at >= since.at and not exists (select from ledger m where m.order_id = o.order_id)
  union all
  select format('order %s: barred, but it has movements', order_id)
    from orders o where state = 'barred' and exists (select from movements m where m.order_id = o.order_id)
  union all
  select format('goods %s, version %s: a %s without its record', ${PLACE}, version, kind)
    from ledger m
   where (kind in ('sell', 'reserve', 'extend', 'confirm', 'release', 'expire')) <> (operation_id is null)
      or (operation_id is null and not exists (select from orders o where o.order_id = m.order_id) and kind <> 'sell')
      or (operation_id is not null and not exists (
           select from operations o
            where o.operation_id = m.operation_id and o.order_id is not distinct from m.order_id
              and case o.kind when 'rollback_whole' then 'rollback' when 'rollback_part' then 'rollback' else o.kind end = m.kind))
  union all
  select format('operation %s, goods %s: recorded as %s of %s, moved %s times by %s', operation_id, ${PLACE}, l.kind, l.num,
                count(m.version), sum(m.on_hand_delta))
    from operation_lines l left join ledger m using (operation_id, goods_id, location_id)
   where l.kind <> 'count'
   group by operation_id, goods_id, location_id, l.kind, l.num
  having count(m.version) <> 1
      or (l.kind = 'set' and (goods_id, location_id) not in (select goods_id, location_id from restricted)
          and l.num not in (min(m.on_hand_after - m.reserved_after), min(m.on_hand_after)))
      or (l.kind <> 'set' and min(m.on_hand_delta) <> case when l.kind = 'transfer' then -l.num else l.num end)
  union all
  select format('operation %s: a count that moved %s times', operation_id, count(*))
    from ledger where kind = 'count' group by operation_id having count(*) > 1
  union all
  select format('operation %s, goods %s: transferred %s times, in all %s', operation_id, goods_id, count(*), sum(on_hand_delta))
    from ledger where kind = 'transfer' group by operation_id, goods_id having count(*) <> 2 or sum(on_hand_delta) <> 0
  union all
  select format('operation %s, goods %s: moved, but not recorded', operation_id, ${PLACE})
    from ledger m
   where operation_id is not null and kind not in ('policy', 'delete', 'restore', 'transfer')
     and not exists (select from operation_lines l where l.operation_id = m.operation_id and (l.goods_id, l.location_id) = (m.goods_id, m.location_id))
)
select violation from violations order by violation limit ${VIOLATIONS_MAX}`;
