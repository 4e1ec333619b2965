/** Pages of lists as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  ListedLevelSchema,
  ListedMovementSchema,
  ListInvResponseSchema,
  ListMovementsResponseSchema,
  ListOrdersResponseSchema,
  MovementKind,
} from "../../gen/inventory/v1/query_pb.ts";
import { available } from "../../inventory/levels.ts";
import type { OperationKind, Order } from "../../inventory/model.ts";
import type { ListedLevel, ListedMovement, Page, Total } from "../../inventory/queries.ts";
import { type PagedList, type PageKey, pageToken } from "../page_token.ts";
import { orderMessage } from "../holds/encode.ts";
import { type AskedLevels, MOVEMENT_KINDS } from "./decode.ts";
import { changesList, levelsList } from "./tokens.ts";

/** The kinds of movements as the wire has them. */
export const WIRE_KINDS = reversed<OperationKind, MovementKind>(MOVEMENT_KINDS);

/** A page of levels; it was read at `atUs`. */
export function levelsAnswer(
  { query, beganAtUs }: AskedLevels,
  { rows, next, atUs }: Page<ListedLevel, PageKey> & { readonly atUs: number },
  total: Total | undefined,
): MessageInitShape<typeof ListInvResponseSchema> {
  const beganUs = beganAtUs ?? atUs;
  return {
    levels: rows.map(levelMessage),
    nextPageToken: next === undefined ? "" : pageToken(levelsList(query), [...next, beganUs]),
    changesToken: pageToken(changesList(), [beganUs]),
    ...(total === undefined ? {} : { total: BigInt(total.count), totalIsEstimate: total.isEstimate }),
  };
}

/** A page of movements. */
export function movementsAnswer(
  list: PagedList,
  { rows, next }: Page<ListedMovement, PageKey>,
): MessageInitShape<typeof ListMovementsResponseSchema> {
  return { movements: rows.map(movementMessage), nextPageToken: next === undefined ? "" : pageToken(list, next) };
}

/** A page of orders. */
export function ordersAnswer(
  list: PagedList,
  { rows, next }: Page<Order, PageKey>,
): MessageInitShape<typeof ListOrdersResponseSchema> {
  return {
    orders: rows.map((order) => orderMessage(order, order.state)),
    nextPageToken: next === undefined ? "" : pageToken(list, next),
  };
}

/** A level as a message. */
export function levelMessage(level: ListedLevel): MessageInitShape<typeof ListedLevelSchema> {
  const { goodsId, locationId, sku = "", onHand, reserved, version, isLow, isSoldOut, updatedAtMs, deletedAtMs } =
    level;
  return {
    goodsId,
    locationId,
    sku,
    num: available(level),
    onHand,
    reserved,
    version: BigInt(version),
    low: isLow,
    soldOut: isSoldOut,
    updatedAt: timestampFromMs(updatedAtMs),
    ...(deletedAtMs === undefined ? {} : { deletedAt: timestampFromMs(deletedAtMs) }),
  };
}

/** A movement as a message. */
export function movementMessage(movement: ListedMovement): MessageInitShape<typeof ListedMovementSchema> {
  const { goodsId, locationId, version, kind, onHandDelta, reservedDelta, onHandAfter, reservedAfter } = movement;
  const { orderId = "", operationId = "", reason = "", documentUri = "", actor = "", atMs, occurredAtMs } = movement;
  return {
    goodsId,
    locationId,
    version: BigInt(version),
    kind: WIRE_KINDS[kind],
    orderId,
    operationId,
    onHandDelta,
    reservedDelta,
    onHandAfter,
    reservedAfter,
    reason,
    documentUri,
    actor,
    at: timestampFromMs(atMs),
    ...(occurredAtMs === undefined ? {} : { occurredAt: timestampFromMs(occurredAtMs) }),
  };
}

function reversed<Name extends string, Value extends number>(
  names: Readonly<Record<number, Name>>,
): Readonly<Record<Name, Value>> {
  return Object.fromEntries(Object.entries(names).map(([value, name]) => [name, Number(value)])) as Record<Name, Value>;
}
