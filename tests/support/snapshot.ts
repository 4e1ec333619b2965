/** All that the service has written, to be compared before and after a call that must change nothing. */
import postgres from "postgres";

/** Takes snapshots over one connection of its own. */
export interface Snapshots extends AsyncDisposable {
  /** Every row of every table, as text: equal snapshots mean that nothing moved. */
  take(): Promise<string>;
  readonly sql: postgres.Sql;
}

/** Connects as the owner, who may read everything. */
export function openSnapshots(ownerUrl: string): Snapshots {
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  return {
    sql,
    async take() {
      const [row] = await sql<{ text: string }[]>`
        select jsonb_pretty(jsonb_build_object(
          'stock', (select jsonb_agg(to_jsonb(s) order by s.goods_id) from stock s),
          'orders', (select jsonb_agg(to_jsonb(o) order by o.order_id) from orders o),
          'operations', (select jsonb_agg(to_jsonb(o) order by o.operation_id) from operations o),
          'movements', (select jsonb_agg(to_jsonb(m) order by m.goods_id, m.version) from movements m)
        )) as text`;
      return row!.text;
    },
    [Symbol.asyncDispose]: () => sql.end(),
  };
}
