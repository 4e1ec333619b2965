-- The four tables of Holdfast. The server runs as the role holdfast_server, which `deno task migrate`
-- creates before the first migration; it may read, insert and change a few columns, and never delete.

-- migrate:up

-- One row a goods: what the ledger comes to. available = on_hand - reserved.
create table stock (
  goods_id   integer     not null,
  on_hand    integer     not null,
  reserved   integer     not null default 0,
  version    bigint      not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Set (by hand, so far): the goods is no longer sold. Setting its quantity opens it again.
  deleted_at timestamptz,
  constraint stock_pkey primary key (goods_id),
  constraint goods_id_positive check (goods_id > 0),
  constraint on_hand_not_negative check (on_hand >= 0),
  constraint reserved_not_negative check (reserved >= 0),
  constraint reserved_within_on_hand check (reserved <= on_hand),
  constraint version_positive check (version > 0)
);

-- One row an order that was applied or barred; a refused order leaves no row. The primary key is what
-- applies an order at most once.
create table orders (
  order_id   text        not null,
  state      text        not null,
  -- The lines, merged and sorted by goods: goods_ids[i] was sold nums[i] times, of which returned[i] came back.
  goods_ids  integer[]   not null,
  nums       integer[]   not null,
  returned   integer[]   not null,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint orders_pkey primary key (order_id),
  constraint order_state_known check (state in ('held', 'sold', 'released', 'expired', 'rolled_back', 'barred')),
  constraint held_orders_expire check (state <> 'held' or expires_at is not null),
  constraint order_lines_match check (cardinality(goods_ids) = cardinality(nums) and cardinality(nums) = cardinality(returned)),
  constraint rolled_back_orders_returned_all check (state <> 'rolled_back' or returned = nums)
);

-- One row a change that is not an order: it has an id of its own, the caller's or one that the server made.
-- The primary key is what applies it at most once.
create table operations (
  operation_id text        not null,
  kind         text        not null,
  order_id     text,
  goods_ids    integer[]   not null,
  nums         integer[]   not null,
  created_at   timestamptz not null default now(),
  constraint operations_pkey primary key (operation_id),
  constraint operation_kind_known check (kind in ('set', 'give_back', 'rollback_whole', 'rollback_part', 'bar')),
  constraint rollbacks_name_their_order check ((kind in ('rollback_whole', 'rollback_part', 'bar')) = (order_id is not null)),
  constraint operation_lines_match check (cardinality(goods_ids) = cardinality(nums))
);

-- The ledger: one immutable row a change of one goods. Its primary key is the fence: of two writers that
-- read the same version only one can insert version + 1. No foreign key: every write inserts here, and the
-- write statement itself checks that stock moved along.
create table movements (
  goods_id       integer     not null,
  version        bigint      not null,
  kind           text        not null,
  -- The order that was sold or rolled back.
  order_id       text,
  -- The row of operations that this movement is part of; none for a sale.
  operation_id   text,
  on_hand_delta  integer     not null,
  reserved_delta integer     not null,
  on_hand_after  integer     not null,
  reserved_after integer     not null,
  reason         text,
  actor          text,
  at             timestamptz not null default now(),
  constraint movements_pkey primary key (goods_id, version),
  constraint movement_kind_known check (kind in ('set', 'sell', 'rollback', 'give_back')),
  constraint movement_version_positive check (version > 0),
  constraint movement_after_within_bounds check (0 <= reserved_after and reserved_after <= on_hand_after),
  constraint sales_name_their_order check (kind not in ('sell', 'rollback') or order_id is not null)
);

grant select, insert on stock, orders, operations, movements to holdfast_server;
grant update (on_hand, reserved, version, updated_at, deleted_at) on stock to holdfast_server;
grant update (state, returned, expires_at, updated_at) on orders to holdfast_server;

-- So that `migrate status` is right for the server's role too.
grant select on schema_migrations to holdfast_server;

-- migrate:down

revoke select on schema_migrations from holdfast_server;

drop table movements;
drop table operations;
drop table orders;
drop table stock;
