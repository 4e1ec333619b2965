/**
 * The ledger in periods, each a partition of movements by its column `period`, whose default is the period that is
 * written now. So no statement of the service names it, and a row's period is decided by PostgreSQL.
 *
 * Each partition has the fence as its own primary key. What begins a period sees to it that no decision of before is
 * written into it, see {@link beginPeriod}: so of two writers that read the same version still only one can commit.
 */
import type postgres from "postgres";
import { setTimeout as delay } from "node:timers/promises";
import { CLOCK_BACK_MS_MAX } from "../read_snapshot.ts";

/** The period in which the first movements of places stay, whose others are not kept: by them places are found. */
const FIRST_MOVEMENTS = 0;
const COLUMNS_OF_KEY = "goods_id, location_id, version";
/**
 * Whoever reads the ledger for long has a lock that this one waits for, and everybody else waits behind it: not for
 * longer than sales bear, but more than once.
 */
const LOCK_TIMEOUT = "150ms";
const LOCK_TRIES_MAX = 20;
const LOCK_PAUSE_MS = 500;
/** For a vacuum of the table: one that PostgreSQL began by itself makes way after a second (deadlock_timeout). */
const VACUUM_TIMEOUT = "5s";
/** Where whoever runs this falls silent, its locks are taken from it after so long. */
const SILENCE_MAX = "2s";
/** lock_not_available */
const LOCKED = "55P03";

/** A period, and when it began, in ms since 1970; `-Infinity`: it has all that there was. */
export interface Period {
  readonly period: number;
  readonly beganAtMs: number;
}

/** What there is, from the oldest to the one that is written now; empty: movements is one table. */
export async function readPeriods(sql: postgres.Sql): Promise<{ readonly nowMs: number; readonly periods: Period[] }> {
  const rows = await sql<{ now_ms: string; period: number | null; began_ms: string | null }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms, period,
           case when isfinite(began_at) then (extract(epoch from began_at) * 1000)::bigint end as began_ms
      from (select 1) as one left join periods on true order by period`;
  const periods = rows.flatMap(({ period, began_ms }) =>
    period === null ? [] : [{ period, beganAtMs: began_ms === null ? -Infinity : Number(began_ms) }]
  );
  return { nowMs: Number(rows[0]!.now_ms), periods };
}

/**
 * How far the times of the ledger are ahead of the clock, in ms, as it was set back lately; 0: they are not. What is
 * written until it has caught up may be given times as far ahead, whichever period it is in.
 */
export async function readAheadMs(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ ms: string }[]>`
    select coalesce(ceil(extract(epoch from max(at) - statement_timestamp()) * 1000), 0)::bigint as ms
      from movements
     where at > statement_timestamp() and at <= statement_timestamp() + ${CLOCK_BACK_MS_MAX}::int * interval '1 ms'`;
  return Number(row!.ms);
}

/**
 * Makes the one table the first period. Reads all of it once, beside those who write; they wait for milliseconds only.
 * May be run again where it did not come to its end.
 */
export async function divide(sql: postgres.Sql): Promise<void> {
  await briefly(sql, "movements", async (short) => {
    await short`alter table movements add column if not exists period smallint not null default 1`;
    await short`alter table movements drop constraint if exists movements_1_period`;
    await short`alter table movements add constraint movements_1_period check (period = 1) not valid`;
  });
  await sql.begin(async (long) => {
    await long`set local statement_timeout = 0`;
    await long`alter table movements validate constraint movements_1_period`;
  });
  await briefly(sql, "movements", async (short) => {
    await short`lock table movements in access exclusive mode`;
    const indexes = await short<{ name: string; definition: string }[]>`
      select relname as name, pg_get_indexdef(indexrelid) as definition
        from pg_index join pg_class on pg_class.oid = indexrelid
       where indrelid = 'movements'::regclass and not indisprimary`;
    const grants = await short<{ right: string; grantee: string }[]>`
      select privilege_type as right, case when grantee = 0 then 'public' else grantee::regrole::text end as grantee
        from pg_class, aclexplode(relacl) where pg_class.oid = 'movements'::regclass and grantee <> relowner`;
    const [table] = await short<{ owner: string }[]>`
      select relowner::regrole::text as owner from pg_class where oid = 'movements'::regclass`;
    await short`alter table movements rename to movements_1`;
    await short`alter index movements_pkey rename to movements_1_pkey`;
    for (const { name } of indexes) await short.unsafe(`alter index "${name}" rename to "${name}_1"`);
    await short`create table movements (like movements_1 including defaults including constraints) partition by list (period)`;
    await short.unsafe(`alter table movements owner to ${table!.owner}`);
    await short`alter table movements drop constraint movements_1_period`;
    await short`alter table movements attach partition movements_1 for values in (1)`;
    // Each finds the one of the partition that is like it.
    for (const { definition } of indexes) {
      await short.unsafe(definition.replace(/ ON (ONLY )?\S*movements(_1)? /, " on movements "));
    }
    for (const { right, grantee } of grants) await short.unsafe(`grant ${right} on movements to ${grantee}`);
    await addPartition(short, FIRST_MOVEMENTS);
    await short`insert into periods (period, began_at) values (1, '-infinity')`;
  });
}

/**
 * Begins the period: what is written from now on is in it. Nobody writes to the ledger while it begins, and whatever
 * was read for before is refused by a check until such decisions are too old to be written anyway. A read that began
 * since has seen all of the period before. What is decided without one has the time of its write, and passes the check:
 * it only moves rows of levels, which stand since before it began where the period before has left them.
 *
 * @returns when it began, in ms since 1970
 */
export async function beginPeriod(sql: postgres.Sql, period: number): Promise<number> {
  return await briefly(sql, undefined, async (short) => {
    // All who write and read go by the whole table, so nobody is waited for who has to do with one partition alone.
    await short`lock table only movements in access exclusive mode`;
    await addPartition(short, period);
    const [row] = await short<{ at: string; ms: string }[]>`
      select at::text as at, (extract(epoch from at) * 1000)::bigint as ms
        from (select date_trunc('milliseconds', clock_timestamp()) + interval '1 ms' as at) as now`;
    const { at, ms } = row!;
    await short.unsafe(
      `alter table movements_${period} add constraint movements_${period}_began check (at >= '${at}'::timestamptz)`,
    );
    await short.unsafe(`alter table only movements alter column period set default ${period}`);
    await short`insert into periods (period, began_at) values (${period}, ${at}::timestamptz)`;
    return Number(ms);
  });
}

/** Takes the check of {@link beginPeriod} away: after a failover to a clock that is behind, it would refuse all. */
export async function openPeriod(sql: postgres.Sql, period: number): Promise<void> {
  const found = await sql`select from pg_constraint where conname = ${`movements_${period}_began`}`;
  if (found.length === 0) return;
  await briefly(sql, `movements_${period}`, async (short) => {
    await short.unsafe(`alter table movements_${period} drop constraint if exists movements_${period}_began`);
  });
}

/** Drops the oldest period, and keeps where its places stood then, and the first movement of each. */
export async function dropPeriod(sql: postgres.Sql, period: number): Promise<void> {
  const columns = await sql<{ name: string }[]>`
    select attname as name from pg_attribute
     where attrelid = 'movements'::regclass and attnum > 0 and not attisdropped and attname <> 'period'`;
  const names = columns.map(({ name }) => name).join(", ");
  await once(sql, `movements_${period}`, async (short) => {
    await short.unsafe(`
      insert into openings (goods_id, location_id, version, on_hand, reserved, at)
      select goods_id, location_id, version, on_hand_after, reserved_after, at
        from (select goods_id, location_id, max(version) as version
                from movements_${period} group by goods_id, location_id) as last
        join movements_${period} using (goods_id, location_id, version)
          on conflict (goods_id, location_id) do update
         set version = excluded.version, on_hand = excluded.on_hand, reserved = excluded.reserved, at = excluded.at`);
    await short.unsafe(`
      insert into movements (period, ${names}) select ${FIRST_MOVEMENTS}, ${names} from movements_${period} where version = 1`);
    // What came before may have taken minutes, and is not done again for a lock.
    await untilUnlocked(() => short.savepoint((drop) => drop.unsafe(`drop table movements_${period}`)));
    await short`delete from periods where period = ${period}`;
  });
}

async function addPartition(short: postgres.TransactionSql, period: number): Promise<void> {
  await short.unsafe(`create table movements_${period} partition of movements for values in (${period})`);
  await short.unsafe(`alter table movements_${period} add primary key (${COLUMNS_OF_KEY})`);
  await short.unsafe(`alter table movements_${period} set (autovacuum_vacuum_insert_scale_factor = 0.02)`);
}

/** In one transaction, as {@link once}, which is undone and tried again where it would wait for a lock for long. */
async function briefly<T>(
  sql: postgres.Sql,
  table: string | undefined,
  work: (short: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  return await untilUnlocked(() => once(sql, table, work));
}

/**
 * In one transaction that waits for no lock for long. A vacuum of the table is waited for before, by a lock behind
 * which nobody waits who sells.
 */
async function once<T>(
  sql: postgres.Sql,
  table: string | undefined,
  work: (short: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  return await sql.begin(async (short) => {
    await short`set local statement_timeout = 0`;
    await short.unsafe(`set local idle_in_transaction_session_timeout = '${SILENCE_MAX}'`);
    await short`set local enable_seqscan = on`;
    await short.unsafe(`set local lock_timeout = '${VACUUM_TIMEOUT}'`);
    if (table !== undefined) await short.unsafe(`lock table only ${table} in share update exclusive mode`);
    await short.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
    return await work(short);
  }) as T;
}

/** Tries again, so many times, what others' locks are in the way of. */
async function untilUnlocked<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: string }).code !== LOCKED || attempt === LOCK_TRIES_MAX) throw error;
      await delay(LOCK_PAUSE_MS);
    }
  }
}
