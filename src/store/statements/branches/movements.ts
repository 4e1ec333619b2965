/** Movements of the ledger, as a part of the write. */
import type postgres from "postgres";
import type { Movement } from "../../../inventory/model.ts";
import { column } from "../../postgres/arrays.ts";
import { placeColumns } from "../stock_keys.ts";
import type { Branch, Fragment } from "./branch.ts";

/** Inserts them. Their primary key is the fence. What they were for is a text of its own, as sales seldom say. */
export function insertMovements(sql: postgres.Sql, at: Fragment, movements: readonly Movement[]): Branch {
  const { goodsIds, locationIds } = placeColumns(movements);
  const isSaid = movements.some(({ reason, documentUri, actor, occurredAtMs }) =>
    reason !== undefined || documentUri !== undefined || actor !== undefined || occurredAtMs !== undefined
  );
  const names = isSaid ? sql`, reason, document_uri, actor, occurred_at` : sql``;
  const values = isSaid ? sql`, reason, document_uri, actor, to_timestamp(occurred_at_ms / 1000.0)` : sql``;
  const arrays = isSaid
    ? sql`,
                        ${column(movements, (m) => m.reason)}::text[],
                        ${column(movements, (m) => m.documentUri)}::text[],
                        ${column(movements, (m) => m.actor)}::text[],
                        ${column(movements, (m) => m.occurredAtMs)}::bigint[]`
    : sql``;
  const columns = isSaid ? sql`, reason, document_uri, actor, occurred_at_ms` : sql``;
  const tables = sql`
        moved as (
          insert into movements (goods_id, location_id, version, kind, order_id, operation_id, on_hand_delta,
                                 reserved_delta, on_hand_after, reserved_after, at ${names})
          select goods_id, location_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                 on_hand_after, reserved_after, ${at} ${values}
            from unnest(${goodsIds}::int[],
                        ${locationIds}::int[],
                        ${column(movements, (m) => m.version)}::bigint[],
                        ${column(movements, (m) => m.kind)}::text[],
                        ${column(movements, (m) => m.orderId)}::text[],
                        ${column(movements, (m) => m.operationId)}::text[],
                        ${column(movements, (m) => m.onHandDelta)}::int[],
                        ${column(movements, (m) => m.reservedDelta)}::int[],
                        ${column(movements, (m) => m.onHandAfter)}::int[],
                        ${column(movements, (m) => m.reservedAfter)}::int[] ${arrays})
              as m (goods_id, location_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                    on_hand_after, reserved_after ${columns})
        )`;
  return { tables };
}
