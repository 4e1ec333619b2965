-- What is left of movements that are not kept any more: where their places stood then (docs/retention.md). For whoever
-- keeps all of them, movements is one table as it was.

-- migrate:up

-- Where a place stood after the last of its movements that are not kept. Its ledger is this row and what comes behind
-- it. No server writes it.
create table openings (
  goods_id    integer     not null,
  location_id integer     not null,
  version     bigint      not null,
  on_hand     integer     not null,
  reserved    integer     not null,
  -- When that movement was written down.
  at          timestamptz not null,
  constraint openings_pkey primary key (goods_id, location_id),
  constraint opening_version_positive check (version > 0),
  constraint opening_reserved_not_negative check (reserved >= 0)
);

-- The periods that movements are kept in, each in a partition of its own, movements_<period>.
create table periods (
  period   smallint    not null,
  began_at timestamptz not null,
  constraint periods_pkey primary key (period),
  constraint period_positive check (period > 0)
);

grant select on openings, periods to holdfast_server;

-- migrate:down

set local lock_timeout = '2s';

-- Nobody drops movements between this look and the end.
lock table openings, periods in access exclusive mode;
do $$
begin
  if exists (select from openings) or exists (select from periods) then
    raise exception 'the version before has no words for what is on record: movements in periods';
  end if;
end
$$;

-- What is left of a division that did not come to its end.
alter table movements drop constraint if exists movements_1_period, drop column if exists period;

drop table periods;
drop table openings;
