/** The list of movements. */
import type postgres from "postgres";
import type { OperationKind } from "../../../inventory/model.ts";
import {
  isSortedByOrder,
  type ListedMovement,
  type MovementKey,
  type MovementQuery,
  type Page,
  type PageOf,
} from "../../../inventory/queries.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Pool } from "../../postgres/pool.ts";
import type { Statement } from "../../postgres/transaction_block.ts";
import type { Fragment } from "../branches/branch.ts";
import { framed, type FrameRow, msOf, pageOf, usOf } from "./frame.ts";
import { movementScan } from "./movement_scans.ts";
import { onlyRow } from "../only_row.ts";

/** A movement as JSON without the texts of its callers, of which each character takes two bytes at most. */
const MOVEMENT_BYTES = 900;

/** A movement as a list. */
export type MovementRow = readonly [key: MovementKey, ...MovementColumns];

/** What a movement's row has, without the key by which a list is sorted. */
export type MovementColumns = readonly [
  goodsId: number,
  locationId: number,
  version: number,
  kind: OperationKind,
  orderId: string | null,
  operationId: string | null,
  onHandDelta: number,
  reservedDelta: number,
  onHandAfter: number,
  reservedAfter: number,
  reason: string | null,
  documentUri: string | null,
  actor: string | null,
  atMs: number,
  occurredAtMs: number | null,
];

/** A page of movements. */
export async function listMovements(
  pool: Pool,
  query: MovementQuery,
  page: PageOf<MovementKey>,
  signal: AbortSignal,
): Promise<Page<ListedMovement, MovementKey>> {
  const answer = onlyRow(await pool.run(listMovementsStatement(query, page), signal));
  const { rows, next } = pageOf(answer, page.size);
  return { rows: rows.map(([, ...columns]) => movementOf(columns)), next };
}

/** The statement behind {@link listMovements}. */
export function listMovementsStatement(
  query: MovementQuery,
  { size, after }: PageOf<MovementKey>,
): Statement<FrameRow<MovementRow>[]> {
  return (sql) => {
    const at = usOf(sql, sql`at`);
    const key = isSortedByOrder(query)
      ? sql`json_build_array(${usOf(sql, sql`made_at`)}, order_id, ${at}, goods_id, location_id, version)`
      : sql`json_build_array(${at}, goods_id, location_id, version)`;
    const page = sql`
          select json_build_array(${key}, ${movementColumns(sql)}) as row,
                 ${MOVEMENT_BYTES}::int + 2 * coalesce(octet_length(document_uri), 0)
                   + 2 * coalesce(octet_length(actor), 0) + 2 * coalesce(octet_length(reason), 0) as bytes
            from scanned
           where ${filters(sql, query)}`;
    return sql`${framed(sql, { scan: movementScan(sql, query, { after, size }), page, key, size })}`;
  };
}

/** What a list has of a row of movements, behind its key. */
export function movementColumns(sql: postgres.Sql): Fragment {
  return sql`goods_id, location_id, version, kind, order_id, operation_id, on_hand_delta,
                                  reserved_delta, on_hand_after, reserved_after, reason, document_uri, actor,
                                  ${msOf(sql, sql`at`)}, ${msOf(sql, sql`occurred_at`)}`;
}

/** One text for whatever filters there are; those that the scan goes by are looked at again. */
function filters(sql: postgres.Sql, query: MovementQuery): Fragment {
  const { goodsId = null, locationId = null, orderId = null, operationId = null } = query;
  const { reason = null, actor = null, buyerId = null } = query;
  const kinds = query.kinds === undefined ? null : arrayLiteral(query.kinds);
  return sql`(${goodsId}::int is null or goods_id = ${goodsId}::int)
             and (${locationId}::int is null or location_id = ${locationId}::int)
             and (${orderId}::text is null or order_id = ${orderId}::text)
             and (${operationId}::text is null or operation_id = ${operationId}::text)
             and (${reason}::text is null or reason = ${reason}::text)
             and (${actor}::text is null or actor = ${actor}::text)
             and (${kinds}::text[] is null or kind = any (${kinds}::text[]))
             and (${buyerId}::text is null
                  or (select buyer_id from orders where order_id = scanned.order_id) = ${buyerId}::text)`;
}

/** The movement that a row is, whatever it has behind. */
export function movementOf(
  [
    goodsId,
    locationId,
    version,
    kind,
    orderId,
    operationId,
    onHandDelta,
    reservedDelta,
    onHandAfter,
    reservedAfter,
    reason,
    documentUri,
    actor,
    atMs,
    occurredAtMs,
  ]: readonly [...MovementColumns, ...unknown[]],
): ListedMovement {
  return {
    goodsId,
    locationId,
    version,
    kind,
    orderId: orderId ?? undefined,
    operationId: operationId ?? undefined,
    onHandDelta,
    reservedDelta,
    onHandAfter,
    reservedAfter,
    ...(reason === null ? {} : { reason }),
    ...(documentUri === null ? {} : { documentUri }),
    ...(actor === null ? {} : { actor }),
    atMs,
    ...(occurredAtMs === null ? {} : { occurredAtMs }),
  };
}
