/** Movements of the ledger, as a part of the write. */
import type postgres from "postgres";
import type { Movement } from "../../../inventory/model.ts";
import { column } from "../../postgres/arrays.ts";
import { placeColumns } from "../stock_keys.ts";
import type { Branch, Fragment } from "./branch.ts";

/** Inserts them. Their primary key is the fence. */
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

/** Pieces of the statement for columns that few movements have. */
interface Pieces {
  readonly names: Fragment;
  readonly values: Fragment;
  readonly arrays: Fragment;
  readonly columns: Fragment;
}

/** What movements were for, whose they were and when they happened: of each as much as any of them says. */
export function attributionOf(sql: postgres.Sql, movements: readonly Movement[]): Pieces {
  const none = sql``;
  let all: Pieces = { names: none, values: none, arrays: none, columns: none };
  // A piece is a promise of the driver's, and not cheap: none is made that is not wanted.
  const joined = (before: Fragment, piece: Fragment) => before === none ? piece : sql`${before}${piece}`;
  const add = (name: Fragment, value: Fragment, array: Fragment) => {
    all = {
      names: joined(all.names, name),
      values: joined(all.values, value),
      arrays: joined(all.arrays, array),
      columns: joined(all.columns, name),
    };
  };
  const text = (name: () => Fragment, of: (movement: Movement) => string | undefined) => {
    if (!movements.some((movement) => of(movement) !== undefined)) return;
    const piece = name();
    add(piece, piece, sql`, (select ${column(movements, of)}::text[])`);
  };
  text(() => sql`, reason`, (m) => m.reason);
  text(() => sql`, document_uri`, (m) => m.documentUri);
  text(() => sql`, actor`, (m) => m.actor);
  if (movements.some(({ occurredAtMs }) => occurredAtMs !== undefined)) {
    const ms = column(movements, (m) => m.occurredAtMs);
    add(sql`, occurred_at`, sql`, to_timestamp(occurred_at / 1000::float8)`, sql`, (select ${ms}::bigint[])`);
  }
  return all;
}
