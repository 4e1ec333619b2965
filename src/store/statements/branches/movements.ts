/** Movements of the ledger, as a part of the write. */
import type postgres from "postgres";
import type { Movement } from "../../../inventory/model.ts";
import { column } from "../../postgres/arrays.ts";
import { placeColumns } from "../stock_keys.ts";
import type { Branch, Fragment } from "./branch.ts";

/** Inserts them. Their primary key is the fence. What they were for is a text of its own, as sales seldom say. */
export function insertMovements(sql: postgres.Sql, at: Fragment, movements: readonly Movement[]): Branch {
  const { goodsIds, locationIds } = placeColumns(movements);
  const { names, values, arrays, columns } = attributionOf(sql, movements);
  const tables = sql`
        moved as (
          insert into movements (goods_id, location_id, version, kind, order_id, operation_id, on_hand_delta,
                                 reserved_delta, on_hand_after, reserved_after, at ${names})
          select goods_id, location_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                 on_hand_after, reserved_after, ${at} ${values}
            from unnest((select ${goodsIds}::int[]),
                        (select ${locationIds}::int[]),
                        (select ${column(movements, (m) => m.version)}::bigint[]),
                        (select ${column(movements, (m) => m.kind)}::text[]),
                        (select ${column(movements, (m) => m.orderId)}::text[]),
                        (select ${column(movements, (m) => m.operationId)}::text[]),
                        (select ${column(movements, (m) => m.onHandDelta)}::int[]),
                        (select ${column(movements, (m) => m.reservedDelta)}::int[]),
                        (select ${column(movements, (m) => m.onHandAfter)}::int[]),
                        (select ${column(movements, (m) => m.reservedAfter)}::int[]) ${arrays})
              as m (goods_id, location_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                    on_hand_after, reserved_after ${columns})
        )`;
  return { tables };
}

/** What movements were for, as pieces of the statement; nothing where none says. */
export function attributionOf(sql: postgres.Sql, movements: readonly Movement[]) {
  const isGiven = movements.some(({ reason, documentUri, actor, occurredAtMs }) =>
    reason !== undefined || documentUri !== undefined || actor !== undefined || occurredAtMs !== undefined
  );
  const names = isGiven ? sql`, reason, document_uri, actor, occurred_at` : sql``;
  const values = isGiven ? sql`, reason, document_uri, actor, to_timestamp(occurred_at_ms / 1000.0)` : sql``;
  const arrays = isGiven
    ? sql`,
                        (select ${column(movements, (m) => m.reason)}::text[]),
                        (select ${column(movements, (m) => m.documentUri)}::text[]),
                        (select ${column(movements, (m) => m.actor)}::text[]),
                        (select ${column(movements, (m) => m.occurredAtMs)}::bigint[])`
    : sql``;
  const columns = isGiven ? sql`, reason, document_uri, actor, occurred_at_ms` : sql``;
  return { names, values, arrays, columns };
}
