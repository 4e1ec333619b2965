/** Which of some orders are on record. */
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Statement } from "../../postgres/transaction_block.ts";

/** Those of the ids that are not, in the sequence in which they were given. */
export function missingOrdersStatement(orderIds: readonly string[]): Statement<{ readonly id: string }[]> {
  return (sql) =>
    sql`
    select id from unnest(${arrayLiteral(orderIds)}::text[]) with ordinality as asked (id, place)
     where not exists (select from orders where order_id = id) order by place`;
}

/** How much there is of what the doctor looks at. */
export interface Sizes {
  readonly places: string;
  readonly movements: string;
  readonly orders: string;
  /** When the newest movement was written down, in UTC; null: there is none. */
  readonly newest: string | null;
}

/** The one row of it. */
export const sizesStatement: Statement<Sizes[]> = (sql) =>
  sql`
    select (select count(*) from levels) as places, (select count(*) from movements) as movements,
           (select count(*) from orders) as orders,
           (select to_char(max(at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') from movements) as newest`;
