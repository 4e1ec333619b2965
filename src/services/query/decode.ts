/**
 * Requests of lists as queries. Every rule that a request breaks is named at once.
 *
 * @throws ConnectError INVALID_ARGUMENT, from every function that decodes a request
 */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  DeletedFilter,
  InvSort,
  type ListInvRequest,
  type ListMovementsRequest,
  type ListOrdersRequest,
  MovementKind,
  TimeSort,
  TotalCount,
} from "../../gen/inventory/v1/query_pb.ts";
import { OrderState as WireOrderState } from "../../gen/inventory/v1/inventory_pb.ts";
import type { OperationKind, OrderState } from "../../inventory/model.ts";
import type { LevelQuery, MovementQuery, OrderQuery, PageOf } from "../../inventory/queries.ts";
import { Violations } from "../../rpc/errors.ts";
import { type PagedList, type PageKey, type PageKeyShape, readPageToken } from "../page_token.ts";
import { type Named, readGoodsId, type SkuIds } from "../skus.ts";
import { checkGoodsId, checkLocationId, readBuyerId, readEnum, readId } from "../validation.ts";
import {
  changesList,
  levelsList,
  levelsShape,
  movementsList,
  movementsShape,
  ordersList,
  ordersShape,
} from "./tokens.ts";

const PAGE_SIZE = 100;
export const PAGE_SIZE_MAX = 1000;
/** Goods ids, or SKUs, of one filter. */
export const GOODS_MAX = 1000;
/** Each of them is read as far as the page. */
export const LOCATIONS_MAX = 100;
/** Characters of a SKU or a reason, and of an actor. */
const TEXT_MAX = 64;
const ACTOR_MAX = 256;
/** The year 2255: beyond it a number does not say microseconds exactly. */
const LAST_US = 9_000_000_000_000_000;
/** What changed so long before a time is listed with what changed since: it may have been committed later. */
const CHANGES_OVERLAP_US = 30_000_000;

/** How a total is asked for. */
export type TotalAsked = "none" | "estimate" | "exact";

const DELETED: Readonly<Record<DeletedFilter, LevelQuery["deleted"]>> = {
  [DeletedFilter.UNSPECIFIED]: "excluded",
  [DeletedFilter.ONLY]: "only",
  [DeletedFilter.INCLUDED]: "included",
};
const TOTALS: Readonly<Record<TotalCount, TotalAsked>> = {
  [TotalCount.UNSPECIFIED]: "none",
  [TotalCount.ESTIMATE]: "estimate",
  [TotalCount.EXACT]: "exact",
};
const SORTS: Readonly<Record<InvSort, LevelQuery["sort"] | "usual">> = {
  [InvSort.UNSPECIFIED]: "usual",
  [InvSort.GOODS]: "goods",
  [InvSort.SKU]: "sku",
  [InvSort.CHANGE]: "change",
};
const NEWEST_FIRST: Readonly<Record<TimeSort, boolean>> = {
  [TimeSort.UNSPECIFIED]: true,
  [TimeSort.NEWEST_FIRST]: true,
  [TimeSort.OLDEST_FIRST]: false,
};

/** Kinds of movements by their numbers on the wire; unspecified is none. */
export const MOVEMENT_KINDS: Readonly<Record<Exclude<MovementKind, MovementKind.UNSPECIFIED>, OperationKind>> = {
  [MovementKind.SET]: "set",
  [MovementKind.SELL]: "sell",
  [MovementKind.ROLLBACK]: "rollback",
  [MovementKind.GIVE_BACK]: "give_back",
  [MovementKind.RESERVE]: "reserve",
  [MovementKind.EXTEND]: "extend",
  [MovementKind.CONFIRM]: "confirm",
  [MovementKind.RELEASE]: "release",
  [MovementKind.EXPIRE]: "expire",
  [MovementKind.ADJUST]: "adjust",
  [MovementKind.COUNT]: "count",
  [MovementKind.TRANSFER]: "transfer",
  [MovementKind.POLICY]: "policy",
  [MovementKind.DELETE]: "delete",
  [MovementKind.RESTORE]: "restore",
};
/** States of orders, the same. */
const ORDER_STATES: Readonly<Record<Exclude<WireOrderState, WireOrderState.UNSPECIFIED>, OrderState>> = {
  [WireOrderState.HELD]: "held",
  [WireOrderState.SOLD]: "sold",
  [WireOrderState.RELEASED]: "released",
  [WireOrderState.EXPIRED]: "expired",
  [WireOrderState.ROLLED_BACK]: "rolled_back",
  [WireOrderState.BARRED]: "barred",
};

/** A query, and the page of it that is asked for. */
export interface Asked<Q> {
  readonly query: Q;
  readonly page: PageOf<PageKey>;
}

/** The same of levels. */
export interface AskedLevels extends Asked<LevelQuery> {
  readonly total: TotalAsked;
  /** When the walk began, in microseconds since 1970; undefined: with this page. */
  readonly beganAtUs: number | undefined;
}

/** What a ListInv asks for. */
export function decodeListInv(request: ListInvRequest): AskedLevels {
  const violations = new Violations();
  request.goodsIds.forEach((goodsId, i) => checkGoodsId(violations, `goods_ids[${i}]`, goodsId));
  request.locationIds.forEach((locationId, i) => checkLocationId(violations, `location_ids[${i}]`, locationId));
  const skus = request.skus.map((sku, i) => readSku(violations, `skus[${i}]`, sku, 1));
  const skuPrefix = readSku(violations, "sku_prefix", request.skuPrefix, 0);
  checkMax(violations, "goods_ids", request.goodsIds.length, GOODS_MAX);
  checkMax(violations, "skus", skus.length, GOODS_MAX);
  checkMax(violations, "location_ids", request.locationIds.length, LOCATIONS_MAX);
  const changedSinceUs = readChangedSince(violations, request);
  const sort = readSort(violations, request, changedSinceUs !== undefined);
  const query: LevelQuery = {
    ...(request.goodsIds.length === 0 ? {} : { goodsIds: sortedSet(request.goodsIds) }),
    ...(skus.length === 0 ? {} : { skus: sortedSet(skus) }),
    ...(skuPrefix === "" ? {} : { skuPrefix }),
    ...(request.locationIds.length === 0 ? {} : { locationIds: sortedSet(request.locationIds) }),
    ...(request.low === undefined ? {} : { isLow: request.low }),
    ...(request.soldOut === undefined ? {} : { isSoldOut: request.soldOut }),
    ...(request.hasHolds === undefined ? {} : { hasHolds: request.hasHolds }),
    deleted: readEnum(violations, "deleted", request.deleted, DELETED) ?? "excluded",
    ...(changedSinceUs === undefined ? {} : { changedSinceUs }),
    sort,
    isDescending: request.descending,
  };
  const total = readEnum(violations, "total", request.total, TOTALS) ?? "none";
  const { page } = readPage(violations, request, { list: levelsList(query), shape: levelsShape(query) });
  violations.check();
  const beganAtUs = page.after?.at(-1) as number | undefined;
  return { query, page: { size: page.size, after: page.after?.slice(0, -1) }, total, beganAtUs };
}

/** What a ListMovements asks for. @throws ConnectError NOT_FOUND for a sku, beside INVALID_ARGUMENT */
export function decodeListMovements(request: ListMovementsRequest, skus: SkuIds | undefined): Asked<MovementQuery> {
  const violations = new Violations();
  const { locationId } = request;
  const goodsId = readOneGoods(violations, request, skus);
  if (locationId !== undefined) checkLocationId(violations, "location_id", locationId);
  const orderId = readId(violations, "order_id", request.orderId);
  const kinds = request.kinds.map((kind, i) =>
    readEnum<number, OperationKind>(violations, `kinds[${i}]`, kind, MOVEMENT_KINDS)
  );
  const buyerId = readBuyerId(violations, "buyer_id", request.buyerId);
  const actor = readFilter(violations, "actor", request.actor, ACTOR_MAX);
  const reason = readFilter(violations, "reason", request.reason, TEXT_MAX);
  // Longer than callers may make them: those that are derived from an order and its lines are listed too.
  const operationId = readFilter(violations, "operation_id", request.operationId, ACTOR_MAX);
  const query: MovementQuery = {
    ...(goodsId === undefined ? {} : { goodsId }),
    ...(locationId === undefined ? {} : { locationId }),
    ...(orderId === undefined ? {} : { orderId }),
    ...(buyerId === undefined ? {} : { buyerId }),
    ...(actor === "" ? {} : { actor }),
    ...(reason === "" ? {} : { reason }),
    ...(kinds.length === 0 ? {} : { kinds: sortedSet(kinds.filter((kind) => kind !== undefined)) }),
    ...(operationId === "" ? {} : { operationId }),
    ...readTimes(violations, request),
  };
  const { page } = readPage(violations, request, { list: movementsList(query), shape: movementsShape(query) });
  violations.check();
  return { query, page };
}

/** What a ListOrders asks for. @throws ConnectError NOT_FOUND for a sku, beside INVALID_ARGUMENT */
export function decodeListOrders(request: ListOrdersRequest, skus: SkuIds | undefined): Asked<OrderQuery> {
  const violations = new Violations();
  const { locationId } = request;
  const goodsId = readOneGoods(violations, request, skus);
  if (goodsId === undefined && locationId !== undefined) {
    violations.add("location_id", "expected none without a goods_id or a sku");
  }
  if (locationId !== undefined) checkLocationId(violations, "location_id", locationId);
  const states = request.states.map((state, i) =>
    readEnum<number, OrderState>(violations, `states[${i}]`, state, ORDER_STATES)
  );
  const buyerId = readBuyerId(violations, "buyer_id", request.buyerId);
  const query: OrderQuery = {
    ...(states.length === 0 ? {} : { states: sortedSet(states.filter((state) => state !== undefined)) }),
    ...(buyerId === undefined ? {} : { buyerId }),
    ...(goodsId === undefined ? {} : { goodsId }),
    ...(locationId === undefined ? {} : { locationId }),
    ...readTimes(violations, request),
  };
  const { page } = readPage(violations, request, { list: ordersList(query), shape: ordersShape(query) });
  violations.check();
  return { query, page };
}

/** The goods that a list is of; undefined where it is of all. */
function readOneGoods(violations: Violations, request: Named, skus: SkuIds | undefined): number | undefined {
  return request.goodsId === 0 && request.sku === "" ? undefined : readGoodsId(violations, "", request, skus);
}

function readChangedSince(violations: Violations, request: ListInvRequest): number | undefined {
  const { changedSince, changedSinceToken } = request;
  const readAt = readPageToken(violations, "changed_since_token", changedSinceToken, changesList(), ["integer"]);
  const givenUs = readTime(violations, "changed_since", changedSince);
  if (changedSince !== undefined && changedSinceToken !== "") {
    violations.add("changed_since_token", "expected none beside a changed_since");
  }
  // What can't be read is a violation; the other rules are looked at as if it could.
  const sinceUs = readAt?.[0] ?? givenUs ?? (changedSinceToken === "" ? undefined : 0);
  return sinceUs === undefined ? undefined : Math.max(0, sinceUs - CHANGES_OVERLAP_US);
}

function readSort(violations: Violations, request: ListInvRequest, isOfChanges: boolean): LevelQuery["sort"] {
  const asked = readEnum(violations, "sort", request.sort, SORTS) ?? "usual";
  const sort = asked !== "usual" ? asked : (isOfChanges ? "change" : request.skuPrefix === "" ? "goods" : "sku");
  if (sort === "change" && !isOfChanges) violations.add("sort", "expected another without a changed_since");
  if (sort !== "change" && isOfChanges) violations.add("sort", "expected INV_SORT_CHANGE with a changed_since");
  if (sort === "goods" && request.skuPrefix !== "") violations.add("sort", "expected INV_SORT_SKU with a sku_prefix");
  if (sort === "change" && request.descending) violations.add("descending", "expected false with INV_SORT_CHANGE");
  return sort;
}

function readTimes(
  violations: Violations,
  { since, until, sort }: {
    readonly since?: Timestamp | undefined;
    readonly until?: Timestamp | undefined;
    readonly sort: TimeSort;
  },
) {
  const sinceUs = readTime(violations, "since", since);
  const untilUs = readTime(violations, "until", until);
  return {
    ...(sinceUs === undefined ? {} : { sinceUs }),
    ...(untilUs === undefined ? {} : { untilUs }),
    newestFirst: readEnum(violations, "sort", sort, NEWEST_FIRST) ?? true,
  };
}

/** In microseconds since 1970; what is more exact is rounded up, as no row stands between. */
export function readTime(violations: Violations, field: string, time: Timestamp | undefined): number | undefined {
  if (time === undefined) return undefined;
  const us = Number(time.seconds) * 1_000_000 + Math.ceil(time.nanos / 1000);
  if (us >= 0 && us <= LAST_US) return us;
  violations.add(field, "expected a time between 1970 and 2255");
  return 0;
}

/** Texts are compared as they are written down: composed (NFC). */
export function readSku(violations: Violations, field: string, text: string, min: 0 | 1): string {
  const sku = text.normalize("NFC");
  const { length } = [...sku];
  if (length < min || length > TEXT_MAX) {
    violations.add(field, `expected ${min} to ${TEXT_MAX} characters, got ${length}`);
  }
  if (sku.includes("\0")) violations.add(field, "expected no character U+0000");
  return sku;
}

function readFilter(violations: Violations, field: string, text: string, max: number): string {
  const { length } = [...text];
  if (length > max) violations.add(field, `expected at most ${max} characters, got ${length}`);
  if (text.includes("\0")) violations.add(field, "expected no character U+0000");
  return text;
}

/** How many rows, from where on; the token is one of this list. */
export function readPage<const S extends PageKeyShape>(
  violations: Violations,
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
  { list, shape }: { readonly list: PagedList; readonly shape: S },
): { readonly page: PageOf<PageKey> } {
  if (pageSize < 0 || pageSize > PAGE_SIZE_MAX) {
    violations.add("page_size", `expected 0 to ${PAGE_SIZE_MAX}, got ${pageSize}`);
  }
  const after = readPageToken(violations, "page_token", pageToken, list, shape);
  return { page: { size: pageSize === 0 ? PAGE_SIZE : pageSize, after } };
}

/** A filter of at most so many values. */
export function checkMax(violations: Violations, field: string, count: number, max: number): void {
  if (count > max) violations.add(field, `expected at most ${max}, got ${count}`);
}

/** One spelling of a filter, so that its pages' tokens fit whatever the sequence. */
export function sortedSet<T extends string | number>(values: readonly T[]): T[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
}
