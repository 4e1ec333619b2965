/** What goods are called: rows of `goods`, which are never changed. */
import type { Pool } from "../postgres/pool.ts";
import { arrayLiteral } from "../postgres/arrays.ts";
import type { Statement } from "../postgres/transaction_block.ts";

/** The names of one goods. */
export interface NamedGoods {
  readonly goodsId: number;
  /** Absent: it has none. */
  readonly sku?: string;
  /** When it got its sku, in ms since 1970. */
  readonly namedAtMs?: number;
}

interface Row {
  readonly goods_id: number;
  readonly sku: string | null;
  readonly named_at_ms: number | null;
}

/** The goods of those of these skus that belong to one. */
export async function readSkus(
  pool: Pool,
  skus: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, NamedGoods>> {
  const rows = await pool.run(skusStatement(skus), signal);
  return new Map(rows.map((row) => [row.sku!, goodsOf(row)]));
}

/** Those of the goods that have a sku, or have, or had, stock. */
export async function readGoods(
  pool: Pool,
  goodsIds: readonly number[],
  signal: AbortSignal,
): Promise<Map<number, NamedGoods>> {
  const rows = await pool.run(goodsStatement(goodsIds), signal);
  return new Map(rows.map((row) => [row.goods_id, goodsOf(row)]));
}

/** What a goods shall be called; without an id it gets the first free one of the next `candidatesMax`. */
export interface Naming {
  readonly sku: string;
  readonly goodsId: number | undefined;
  readonly candidatesMax: number;
}

/**
 * Gives the sku to the goods unless either has another already. Answers the goods that has this sku, and the one that
 * has this id, as they are then: one or two; none where another has been as fast, or no candidate was free.
 */
export async function nameGoods(pool: Pool, naming: Naming, signal: AbortSignal): Promise<NamedGoods[]> {
  const { sku, goodsId } = naming;
  const rows = await pool.write(
    goodsId === undefined ? nameNewStatement(naming) : nameStatement({ sku, goodsId }),
    signal,
  );
  return rows.map(goodsOf);
}

function goodsOf({ goods_id: goodsId, sku, named_at_ms: namedAtMs }: Row): NamedGoods {
  return sku === null || namedAtMs === null ? { goodsId } : { goodsId, sku, namedAtMs: Number(namedAtMs) };
}

function skusStatement(skus: readonly string[]): Statement<Row[]> {
  return (sql) =>
    sql`
        select goods_id, goods.sku, floor(1000 * extract(epoch from created_at))::float8 as named_at_ms
          from unnest((select ${arrayLiteral(skus)}::text[])) as asked (sku)
          join goods on goods.sku = asked.sku`;
}

function goodsStatement(goodsIds: readonly number[]): Statement<Row[]> {
  return (sql) =>
    sql`
        select asked.goods_id, sku, floor(1000 * extract(epoch from created_at))::float8 as named_at_ms
          from unnest((select ${arrayLiteral(goodsIds)}::int[])) as asked (goods_id)
          left join goods on goods.goods_id = asked.goods_id
         where sku is not null or exists (select from levels where levels.goods_id = asked.goods_id)`;
}

function nameStatement({ sku, goodsId }: { readonly sku: string; readonly goodsId: number }): Statement<Row[]> {
  return (sql) =>
    sql`
        with asked as (select ${goodsId}::int as goods_id, ${sku}::text as sku),
        named as (
          insert into goods (goods_id, sku) select goods_id, sku from asked on conflict do nothing
          returning goods_id, sku, created_at
        )
        select goods_id, sku, floor(1000 * extract(epoch from created_at))::float8 as named_at_ms
          from (select * from named
                union all
                select goods.goods_id, goods.sku, created_at from asked join goods on goods.sku = asked.sku
                union
                select goods.goods_id, goods.sku, created_at from asked join goods on goods.goods_id = asked.goods_id
               ) as goods`;
}

/** Ids are asked of the sequence one by one, as a CTE is read no further than its reader goes: until one is free. */
function nameNewStatement({ sku, candidatesMax }: Naming): Statement<Row[]> {
  return (sql) =>
    sql`
        with known as (select goods_id, sku, created_at from goods where sku = ${sku}::text),
        candidates as (
          select nextval('goods_ids')::int as goods_id from generate_series(1, ${candidatesMax}::int)
           where not exists (select from known)
        ),
        free as (
          select goods_id from candidates
           where not exists (select from levels where levels.goods_id = candidates.goods_id)
             and not exists (select from goods where goods.goods_id = candidates.goods_id)
           limit 1
        ),
        named as (
          insert into goods (goods_id, sku) select goods_id, ${sku}::text from free on conflict do nothing
          returning goods_id, sku, created_at
        )
        select goods_id, sku, floor(1000 * extract(epoch from created_at))::float8 as named_at_ms
          from (select * from named union all select * from known) as goods`;
}
