-- Who may call: keys that the shop makes, of which only a hash is kept. The server reads them and nothing more; they
-- are added and revoked by `deno task keys`, as the owner or as a role that was granted select, insert and update here.

-- migrate:up

create table api_keys (
  key_id     text        collate "C" not null,
  -- SHA-256 of the whole key, whose secret has 256 random bits: nothing slower is needed, and no salt.
  key_sha256 bytea       not null,
  -- The actor of the ledger's rows.
  name       text        not null,
  rights     text[]      not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint api_keys_pkey primary key (key_id),
  constraint key_id_shape check (key_id ~ '^[a-z0-9]{12}$'),
  constraint key_sha256_length check (octet_length(key_sha256) = 32),
  -- Printable ASCII without a comma, and without a space at either end.
  constraint key_name_shape check (
    length(name) between 1 and 128 and name !~ '[^ -~]' and strpos(name, ',') = 0 and name = btrim(name)
  ),
  constraint key_rights_known check (
    cardinality(rights) > 0 and rights <@ array['reader', 'seller', 'stocker', 'operator']
  )
);

grant select on api_keys to holdfast_server;

-- migrate:down

set local lock_timeout = '2s';

-- The version before lets everybody in who reaches it. Nobody adds a key between this look and the end.
lock table api_keys in access exclusive mode;
do $$
begin
  if exists (select from api_keys where revoked_at is null and (expires_at is null or expires_at > now())) then
    raise exception 'the version before has no words for what is on record: keys that are valid (revoke them first)';
  end if;
end
$$;

drop table api_keys;
