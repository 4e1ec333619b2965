/**
 * Keys of callers: rows of `api_keys`. The server reads them; those that change them are for the owner of the table, or
 * for a role that was granted as much.
 */
import type postgres from "postgres";
import type { Pool } from "../postgres/pool.ts";
import type { Statement } from "../postgres/transaction_block.ts";
import { arrayLiteral } from "../postgres/arrays.ts";

/** Keys that there may be which are neither expired nor revoked. */
export const KEYS_MAX = 10_000;
/** Keys that are over are read for so long, so that who still uses one is known by its name. */
const OVER_DAYS = 30;
/** Keys that one read brings, the older of those that are over left out. */
const READ_MAX = 2 * KEYS_MAX;

/** One key as the server knows it. */
export interface KeyRow {
  readonly id: string;
  /** SHA-256 of the key, in hex. */
  readonly sha256: string;
  readonly name: string;
  readonly rights: readonly string[];
  /** From the read on, by PostgreSQL's clock, an infinity included; undefined: it does not expire. */
  readonly endsInMs: number | undefined;
  readonly isRevoked: boolean;
}

/** What a read found. */
export interface KeysRead {
  /** Of all that was found; equal only where all is. */
  readonly digest: string;
  /** Undefined: the digest is the one that was known. */
  readonly keys: readonly KeyRow[] | undefined;
}

interface ReadRow {
  readonly digest: string;
  readonly key_id: string | null;
  readonly sha256: string;
  readonly name: string;
  readonly rights: string;
  readonly ends_in_ms: number | null;
  readonly is_revoked: boolean;
}

/**
 * All keys, unless they are as they were when the digest came to `known`. In every read all rows are looked at, and not
 * what a column says of their latest change: a row that was changed by hand counts, too. One that expires is another
 * one then, so that PostgreSQL's clock decides whatever the reader's has done since; and it may do so at `infinity`,
 * which no time can be taken off.
 */
export async function readKeys(pool: Pool, known: string | undefined, signal: AbortSignal): Promise<KeysRead> {
  const rows = await pool.run<ReadRow[]>(
    (sql) =>
      sql`
        with found as (
          select key_id, encode(key_sha256, 'hex') as sha256, name, array_to_string(rights, ',') as rights,
                 revoked_at is not null as is_revoked, coalesce(expires_at <= now(), false) as is_expired, expires_at
            from api_keys
           where coalesce(least(revoked_at, expires_at), 'infinity') > now() - interval '1 day' * ${OVER_DAYS}::int
           order by coalesce(least(revoked_at, expires_at), 'infinity') desc, key_id
           limit ${READ_MAX}::int
        ),
        digest as (
          select encode(sha256(convert_to(coalesce(string_agg(
                   concat_ws(' ', key_id, sha256, rights, is_revoked, is_expired, extract(epoch from expires_at), name),
                   chr(10) order by key_id), ''), 'UTF8')), 'hex') as digest
            from found
        )
        select digest, key_id, sha256, name, rights, is_revoked,
               (1000 * (extract(epoch from expires_at) - extract(epoch from now())))::float8 as ends_in_ms
          from digest left join found on digest is distinct from ${known ?? ""}::text`,
    signal,
  );
  const digest = rows[0]?.digest;
  if (digest === undefined) throw new Error("PostgreSQL answered a read of keys without a row");
  if (digest === known) return { digest, keys: undefined };
  const keys = rows.flatMap(({ key_id: id, sha256, name, rights, ends_in_ms, is_revoked: isRevoked }): KeyRow[] =>
    id === null ? [] : [{ id, sha256, name, rights: rights.split(","), endsInMs: ends_in_ms ?? undefined, isRevoked }]
  );
  return { digest, keys };
}

/** A key to be added. */
export interface NewKey {
  readonly id: string;
  readonly sha256: string;
  readonly name: string;
  readonly rights: readonly string[];
  /** ISO 8601, or an interval from now such as `90 days`; undefined: never. */
  readonly expires: { readonly at: string } | { readonly inDays: number } | undefined;
}

/** A key as it is listed; times in ISO 8601. */
export interface ListedKey {
  readonly id: string;
  readonly name: string;
  readonly rights: string;
  readonly state: "live" | "expired" | "revoked";
  readonly expires: string | null;
  readonly created: string;
  readonly updated: string;
}

const listed = (sql: postgres.Sql) =>
  sql`key_id as id, name, array_to_string(rights, ',') as rights,
      case when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'live' end as state,
      to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as expires,
      to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created,
      to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as updated`;

/** Adds a key. Answers it as it is listed; none where there are as many as there may be. */
export function addKey({ id, sha256, name, rights, expires }: NewKey): Statement<ListedKey[]> {
  const at = expires !== undefined && "at" in expires ? expires.at : null;
  const inDays = expires !== undefined && "inDays" in expires ? expires.inDays : null;
  return (sql) =>
    sql`
      insert into api_keys (key_id, key_sha256, name, rights, expires_at)
      select ${id}::text, decode(${sha256}::text, 'hex'), ${name}::text, ${arrayLiteral(rights)}::text::text[],
             coalesce(${at}::text::timestamptz, now() + interval '1 day' * ${inDays}::int)
       where (select count(*) from api_keys where revoked_at is null and coalesce(expires_at, 'infinity') > now())
             < ${KEYS_MAX}::int
      returning ${listed(sql)}`;
}

/** All keys, the newest first. */
export const listKeys: Statement<ListedKey[]> = (sql) =>
  sql`select ${listed(sql)} from api_keys order by created_at desc, key_id`;

/** Revokes a key. Answers it as it is then; none where there is no such key. Twice is as once. */
export function revokeKey(id: string): Statement<ListedKey[]> {
  return (sql) =>
    sql`
      update api_keys
         set revoked_at = coalesce(revoked_at, now()),
             updated_at = case when revoked_at is null then now() else updated_at end
       where key_id = ${id}::text
      returning ${listed(sql)}`;
}
