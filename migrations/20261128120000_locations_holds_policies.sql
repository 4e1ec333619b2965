-- Stock by goods and location, names of goods, holds, policies, and what a movement was for.
--
-- The version before runs beside this one: whatever it does not know has a default, and it finds stock where it looks
-- for it, in a view that shows location 0. Its writes of other locations' rows would pass no fence of theirs.

-- migrate:up

-- Whoever reads for long (pg_dump) has a lock that this one waits for, and everybody else would wait behind it.
set local lock_timeout = '2s';

-- One row a (goods, location).
alter table stock rename to levels;
alter table levels
  add column location_id integer not null default 0,
  -- Policies: what sales may not touch, how far below nothing they may go, and how much one order or one buyer may take.
  add column safety_stock integer not null default 0,
  add column backorder_max integer not null default 0,
  add column order_num_max integer,
  add column buyer_num_max integer,
  -- The buyer's units of so long count; null: of all time.
  add column buyer_window_ms bigint,
  -- At this many available, or fewer, the stock is low, until there are low_stock_until or more.
  add column low_stock_at integer,
  add column low_stock_until integer,
  add column hold_ttl_ms bigint,
  add column is_low boolean not null default false,
  add column is_sold_out boolean generated always as
    (on_hand::bigint - reserved - safety_stock + backorder_max <= 0) stored,
  -- The time of the last write, where anything is reserved: no hold of it that is left ends before.
  add column holds_from timestamptz,
  drop constraint on_hand_not_negative,
  drop constraint reserved_within_on_hand,
  drop constraint stock_pkey,
  add constraint levels_pkey primary key (goods_id, location_id, version_block),
  add constraint location_id_not_negative check (location_id >= 0),
  add constraint available_within_backorders check (on_hand::bigint - reserved >= -backorder_max),
  add constraint policies_within_bounds check (
    safety_stock >= 0 and backorder_max >= 0 and order_num_max > 0 and buyer_num_max > 0 and buyer_window_ms > 0
    and low_stock_at >= 0 and low_stock_until > low_stock_at and hold_ttl_ms > 0
  ),
  add constraint policies_go_together check (
    (low_stock_at is null) = (low_stock_until is null) and (buyer_window_ms is null or buyer_num_max is not null)
  );

-- For the version before.
create view stock as
  select goods_id, on_hand, reserved, version, created_at, updated_at, deleted_at, version_block
    from levels where location_id = 0;

-- What shops call their goods. A name is never taken away or given to another goods.
create table goods (
  goods_id   integer     not null,
  sku        text        collate "C" not null,
  created_at timestamptz not null default now(),
  constraint goods_pkey primary key (goods_id),
  constraint goods_sku_key unique (sku),
  constraint named_goods_id_positive check (goods_id > 0),
  constraint sku_length check (length(sku) between 1 and 64)
);
-- Ids for goods that are known by their sku only; far from those that shops number by hand.
create sequence goods_ids as integer start with 1000000000 minvalue 1000000000;

-- Why stock moves. Never taken away, as the ledger names them.
create table reasons (
  code        text        not null,
  description text        not null,
  created_at  timestamptz not null default now(),
  constraint reasons_pkey primary key (code)
);
insert into reasons (code, description) values
  ('damage', 'Units were damaged'),
  ('theft', 'Units were stolen'),
  ('count', 'A count found another number'),
  ('found', 'Units were found'),
  ('return', 'Units came back from a customer'),
  ('correction', 'An earlier entry was wrong');

alter table orders
  -- Beside goods_ids; null: all at location 0.
  add column location_ids integer[],
  -- Beside location_ids, what `returned` says. The version before would give back such an order at location 0; it writes
  -- only one of the two, and so it can't.
  add column located_returned integer[],
  -- Beside nums, where fewer were taken than asked for: what was asked.
  add column asked integer[],
  -- Beside nums, of an order that was a hold: what it held.
  add column held integer[],
  add column buyer_id text,
  add constraint order_locations_match check (cardinality(location_ids) = cardinality(goods_ids)),
  add constraint order_locations_are_known check (
    case when location_ids is null then located_returned is null else located_returned is not distinct from returned end
  ),
  add constraint order_asked_match check (cardinality(asked) = cardinality(goods_ids)),
  add constraint order_held_match check (cardinality(held) = cardinality(goods_ids)),
  add constraint buyer_id_length check (length(buyer_id) between 1 and 64);
create index orders_by_buyer on orders (buyer_id, created_at, order_id) where buyer_id is not null;
create index orders_by_expiry on orders (expires_at, order_id) where state = 'held';
create index orders_held_by_buyer on orders (buyer_id, expires_at, order_id)
  where state = 'held' and buyer_id is not null;
create index orders_by_time on orders (created_at);
-- Sales, the most of all orders, do without.
create index orders_by_state on orders (state, created_at, order_id) where state <> 'sold';

-- What live holds have reserved, a row a line; the rows of a (goods, location) come to its `reserved`. Whatever ends a
-- hold deletes its rows.
create table holds (
  goods_id    integer     not null,
  location_id integer     not null,
  expires_at  timestamptz not null,
  order_id    text        not null,
  num         integer     not null,
  -- By time, so that those that are over are found without reading past the remains of older ones.
  constraint holds_pkey primary key (goods_id, location_id, expires_at, order_id),
  constraint held_num_positive check (num > 0)
);

-- Confirmations that found their hold expired and the stock gone, as long as somebody has to see to them.
create table shortfalls (
  order_id     text        not null,
  buyer_id     text,
  goods_ids    integer[]   not null,
  location_ids integer[]   not null,
  asked        integer[]   not null,
  available    integer[]   not null,
  created_at   timestamptz not null default now(),
  resolved_at  timestamptz,
  resolution   text,
  constraint shortfalls_pkey primary key (order_id)
);
create index shortfalls_open on shortfalls (created_at, order_id) where resolved_at is null;

alter table operations
  add column location_ids integer[],
  -- What else was asked for, and what was answered.
  add column content jsonb,
  add column answer jsonb,
  drop constraint operation_kind_known,
  add constraint operation_kind_known check (kind in (
    'set', 'give_back', 'rollback_whole', 'rollback_part', 'bar', 'adjust', 'count', 'transfer', 'policy', 'delete', 'restore'
  ));

alter table movements
  add column location_id integer not null default 0,
  add column document_uri text,
  -- When it happened, where that was not when it was written down.
  add column occurred_at timestamptz,
  drop constraint movement_after_within_bounds,
  drop constraint movement_kind_known,
  add constraint movement_kind_known check (kind in (
    'set', 'sell', 'rollback', 'give_back', 'reserve', 'extend', 'confirm', 'release', 'expire', 'adjust', 'count',
    'transfer', 'policy', 'delete', 'restore'
  )),
  add constraint movement_reserved_not_negative check (reserved_after >= 0),
  drop constraint movements_pkey,
  add constraint movements_pkey primary key (goods_id, location_id, version);
-- What says how many there are, and not how many came or went: a count that comes late looks for it.
create index movements_by_count on movements (goods_id, location_id, version) where kind in ('set', 'count');
-- Without sales, which are most of all and are found by their time, the order's: with them a sale's write took 20 to 40 %
-- more of PostgreSQL's time.
create index movements_by_order on movements (order_id, goods_id, location_id, version)
  where order_id is not null and kind <> 'sell';
-- It grows at its end only, as that of orders by time does, which costs sales little; with a BRIN a page of a list reads
-- thousands of rows, and the more the longer vacuum has not come by.
create index movements_by_time on movements (at);
create index movements_by_reason on movements (reason, at) where reason is not null;
create index movements_by_actor on movements (actor, at) where actor is not null;
create index movements_by_kind on movements (kind, at) where kind <> 'sell';
-- The places that there are: each has one first movement, which nothing changes. An index of levels would have an entry
-- for every block of versions of each, as long as an old snapshot is open.
create index places_by_goods on movements (goods_id, location_id) where version = 1;
create index places_by_location on movements (location_id, goods_id) where version = 1;
-- The newest block first, so that whoever looks for the places meets the row and not its remains.
create index levels_low on levels (goods_id, location_id, version_block desc) where is_low;
create index levels_sold_out on levels (goods_id, location_id, version_block desc) where is_sold_out;
create index levels_deleted on levels (goods_id, location_id, version_block desc) where deleted_at is not null;

grant select, insert on levels, stock, goods, reasons, holds, shortfalls to holdfast_server;
grant update (on_hand, reserved, version, updated_at, deleted_at) on stock to holdfast_server;
grant update (on_hand, reserved, version, updated_at, deleted_at, safety_stock, backorder_max, order_num_max,
              buyer_num_max, buyer_window_ms, low_stock_at, low_stock_until, hold_ttl_ms, is_low, holds_from)
  on levels to holdfast_server;
-- created_at: a hold that is reserved anew takes its units anew, and its buyer's window is counted from there.
grant update (goods_ids, location_ids, located_returned, nums, asked, held, buyer_id, created_at) on orders to holdfast_server;
grant update (expires_at, num), delete on holds to holdfast_server;
grant update (resolved_at, resolution) on shortfalls to holdfast_server;
grant usage on sequence goods_ids to holdfast_server;

-- migrate:down

set local lock_timeout = '2s';

-- What the version before has no words for must not be lost. Nobody writes any of it between this look and the end.
lock table levels, orders, operations, movements, goods, reasons, holds, shortfalls in access exclusive mode;
do $$
declare
  found text;
begin
  select string_agg(what, ', ') into found from (
    select 'stock at other locations than 0' as what
      where exists (select from levels where location_id <> 0) or exists (select from movements where location_id <> 0)
         or exists (select from orders where location_ids is not null)
         or exists (select from operations where location_ids is not null)
    union all
    select 'holds' where exists (select from holds) or exists (select from orders where held is not null)
    union all
    select 'shortfalls' where exists (select from shortfalls)
    union all
    select 'buyers of orders' where exists (select from orders where buyer_id is not null)
    union all
    select 'orders of which less was taken than asked for' where exists (select from orders where asked is not null)
    union all
    select 'skus' where exists (select from goods)
    union all
    select 'reasons of the shop''s own'
      where exists (select from reasons
                     where code not in ('damage', 'theft', 'count', 'found', 'return', 'correction'))
    union all
    select 'policies'
      where exists (select from levels
                     where safety_stock <> 0 or backorder_max <> 0 or order_num_max is not null
                        or buyer_num_max is not null or low_stock_at is not null or hold_ttl_ms is not null)
    union all
    select 'backorders' where exists (select from movements where reserved_after > on_hand_after or on_hand_after < 0)
    union all
    select 'movements of the kinds ' || string_agg(distinct kind, ' ' order by kind) from movements
     where kind not in ('set', 'sell', 'rollback', 'give_back') having count(*) > 0
    union all
    select 'operations of the kinds ' || string_agg(distinct kind, ' ' order by kind) from operations
     where kind not in ('set', 'give_back', 'rollback_whole', 'rollback_part', 'bar') having count(*) > 0
    union all
    select 'documents of movements' where exists (select from movements where document_uri is not null)
    union all
    select 'movements that happened before they were written down'
      where exists (select from movements where occurred_at is not null)
  ) as things;
  if found is not null then
    raise exception 'the version before has no words for what is on record: %', found;
  end if;
end
$$;

drop index levels_deleted;
drop index levels_sold_out;
drop index levels_low;
drop index places_by_location;
drop index places_by_goods;
drop index movements_by_kind;
drop index movements_by_actor;
drop index movements_by_reason;
drop index movements_by_time;
drop index movements_by_order;
drop index movements_by_count;

alter table movements
  drop constraint movements_pkey,
  add constraint movements_pkey primary key (goods_id, version),
  drop constraint movement_reserved_not_negative,
  drop constraint movement_kind_known,
  add constraint movement_kind_known check (kind in ('set', 'sell', 'rollback', 'give_back')),
  add constraint movement_after_within_bounds check (0 <= reserved_after and reserved_after <= on_hand_after),
  drop column occurred_at,
  drop column document_uri,
  drop column location_id;

alter table operations
  drop constraint operation_kind_known,
  add constraint operation_kind_known check (kind in ('set', 'give_back', 'rollback_whole', 'rollback_part', 'bar')),
  drop column answer,
  drop column content,
  drop column location_ids;

drop table shortfalls;
drop table holds;

drop index orders_by_state;
drop index orders_by_time;
drop index orders_held_by_buyer;
drop index orders_by_expiry;
drop index orders_by_buyer;
alter table orders
  drop constraint buyer_id_length,
  drop constraint order_held_match,
  drop constraint order_asked_match,
  drop constraint order_locations_are_known,
  drop constraint order_locations_match,
  drop column buyer_id,
  drop column held,
  drop column asked,
  drop column located_returned,
  drop column location_ids;

drop table reasons;
drop sequence goods_ids;
drop table goods;

drop view stock;
alter table levels
  drop constraint policies_go_together,
  drop constraint policies_within_bounds,
  drop constraint available_within_backorders,
  drop constraint location_id_not_negative,
  drop constraint levels_pkey,
  add constraint stock_pkey primary key (goods_id, version_block),
  add constraint reserved_within_on_hand check (reserved <= on_hand),
  add constraint on_hand_not_negative check (on_hand >= 0),
  drop column holds_from,
  drop column is_sold_out,
  drop column is_low,
  drop column hold_ttl_ms,
  drop column low_stock_until,
  drop column low_stock_at,
  drop column buyer_window_ms,
  drop column buyer_num_max,
  drop column order_num_max,
  drop column backorder_max,
  drop column safety_stock,
  drop column location_id;
alter table levels rename to stock;

grant select, insert on stock to holdfast_server;
grant update (on_hand, reserved, version, updated_at, deleted_at) on stock to holdfast_server;
revoke update (goods_ids, nums, created_at) on orders from holdfast_server;
