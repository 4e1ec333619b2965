-- When somebody has to see to a shortfall anew, so that what was meant for the time before is not taken for this one.

-- migrate:up

set local lock_timeout = '2s';

-- Null: since created_at.
alter table shortfalls add column opened_at timestamptz;
grant update (opened_at) on shortfalls to holdfast_server;

-- migrate:down

set local lock_timeout = '2s';

alter table shortfalls drop column opened_at;
