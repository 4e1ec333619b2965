/** Requests of HoldService as operations and as lists. Every rule that one breaks is named at once. */
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { Fill as WireFill } from "../../gen/inventory/v1/inventory_pb.ts";
import type {
  ConfirmHoldRequest,
  ExtendHoldRequest,
  ListHoldsRequest,
  ListShortfallsRequest,
  ReleaseHoldRequest,
  ReserveRequest,
  ResolveShortfallRequest,
} from "../../gen/inventory/v1/holds_pb.ts";
import type { KnownReasons } from "../../goods/reasons.ts";
import type { AskedResolution, HoldFilter, TimeKey } from "../../inventory/hold_lists.ts";
import type { ConfirmOperation } from "../../inventory/operations/confirm.ts";
import type { ExtendOperation } from "../../inventory/operations/extend.ts";
import type { ReleaseOperation } from "../../inventory/operations/release.ts";
import { HOLD_TTL_MS_MAX, type ReserveOperation } from "../../inventory/operations/reserve.ts";
import type { Fill } from "../../inventory/operations/take.ts";
import { Violations } from "../../rpc/errors.ts";
import { readOperated } from "../attribution.ts";
import { type PagedList, readPageToken } from "../page_token.ts";
import { readGoodsId, type SkuIds } from "../skus.ts";
import { checkLocationId, readBuyerId, readEnum, readId, readLines, readText } from "../validation.ts";

const FILLS: Readonly<Record<WireFill, Fill>> = {
  [WireFill.UNSPECIFIED]: "all",
  [WireFill.ALL_OR_NOTHING]: "all",
  [WireFill.AVAILABLE]: "available",
};
const RESOLUTION = { charactersMax: 512, other: /[^ -~]/, expected: "1 to 512 characters of printable ASCII" };

/** Rows of a page that does not say how many, and of the largest one. */
const PAGE_SIZE_DEFAULT = 50;
const PAGE_SIZE_MAX = 200;
const NANOS_PER_MS = 1_000_000;
const DAY_MS = 24 * 3_600_000;

/** What decoding needs to know. */
export interface HoldRules {
  /** Lines in one order. */
  readonly orderLinesMax: number;
  readonly reasons: KnownReasons;
}

/** @throws ConnectError INVALID_ARGUMENT, or NOT_FOUND for a sku */
export function decodeReserve(
  request: ReserveRequest,
  { orderLinesMax, reasons }: HoldRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): ReserveOperation {
  const violations = new Violations();
  const orderId = readOrderId(violations, request);
  const lines = readLines(violations, "goods_info", request.goodsInfo, { max: orderLinesMax, required: true, skus });
  const ttlMs = readTtl(violations, request.ttl);
  const buyerId = readBuyerId(violations, "buyer_id", request.buyerId);
  const fill = readEnum(violations, "fill", request.fill, FILLS);
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  return {
    kind: "reserve",
    orderId,
    lines,
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(buyerId === undefined ? {} : { buyerId }),
    ...(fill === "available" ? { fill } : {}),
    ...operated,
  };
}

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeExtend(
  request: ExtendHoldRequest,
  { reasons }: HoldRules,
  actor: string | undefined,
): ExtendOperation {
  const violations = new Violations();
  const orderId = readOrderId(violations, request);
  const ttlMs = readTtl(violations, request.ttl);
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  return { kind: "extend", orderId, ...(ttlMs === undefined ? {} : { ttlMs }), ...operated };
}

/** @throws ConnectError INVALID_ARGUMENT, or NOT_FOUND for a sku */
export function decodeConfirm(
  request: ConfirmHoldRequest,
  { orderLinesMax, reasons }: HoldRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): ConfirmOperation {
  const violations = new Violations();
  const orderId = readOrderId(violations, request);
  const lines = readLines(violations, "goods_info", request.goodsInfo, { max: orderLinesMax, required: false, skus });
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  return { kind: "confirm", orderId, lines, recordsShortfall: request.recordShortfall, ...operated };
}

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeRelease(
  request: ReleaseHoldRequest,
  { reasons }: HoldRules,
  actor: string | undefined,
): ReleaseOperation {
  const violations = new Violations();
  const orderId = readOrderId(violations, request);
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  return { kind: "release", orderId, ...operated };
}

/** The order that is asked about. @throws ConnectError INVALID_ARGUMENT */
export function decodeOrderId(request: { readonly orderId: string }): string {
  const violations = new Violations();
  const orderId = readOrderId(violations, request);
  violations.check();
  return orderId;
}

/** One page of a list: whose token goes on from there, behind which row, and how many rows. */
export interface AskedPage {
  readonly list: PagedList;
  readonly after: TimeKey | undefined;
  readonly size: number;
}

/** @throws ConnectError INVALID_ARGUMENT, or NOT_FOUND for a sku */
export function decodeListHolds(
  request: ListHoldsRequest,
  skus: SkuIds | undefined,
): AskedPage & { readonly filter: HoldFilter } {
  const { locationId } = request;
  const violations = new Violations();
  const isOfGoods = request.goodsId !== 0 || request.sku !== "";
  const goodsId = isOfGoods ? readGoodsId(violations, "", request, skus) : 0;
  if (isOfGoods) checkLocationId(violations, "location_id", locationId);
  else if (locationId !== 0) violations.add("location_id", `expected none without a goods, got ${locationId}`);
  const buyerId = readBuyerId(violations, "buyer_id", request.buyerId);
  const fromMs = readTime(violations, "expires_from", request.expiresFrom);
  const beforeMs = readTime(violations, "expires_before", request.expiresBefore);
  const filter: HoldFilter = {
    ...(isOfGoods ? { place: { goodsId, locationId } } : {}),
    ...(buyerId === undefined ? {} : { buyerId }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(beforeMs === undefined ? {} : { beforeMs }),
  };
  const page = readPage(violations, request, { name: "ListHolds", query: filter });
  violations.check();
  return { filter, ...page };
}

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeListShortfalls(request: ListShortfallsRequest): AskedPage {
  const violations = new Violations();
  const page = readPage(violations, request, { name: "ListShortfalls", query: {} });
  violations.check();
  return page;
}

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeResolve(request: ResolveShortfallRequest): AskedResolution {
  const violations = new Violations();
  const orderId = readOrderId(violations, request);
  const resolution = readText(violations, "resolution", request.resolution, RESOLUTION);
  if (resolution === undefined) violations.add("resolution", `expected ${RESOLUTION.expected}, got none`);
  const openedAtMs = readTime(violations, "opened_at", request.openedAt);
  violations.check();
  return { orderId, resolution: resolution ?? "", ...(openedAtMs === undefined ? {} : { openedAtMs }) };
}

function readOrderId(violations: Violations, { orderId }: { readonly orderId: string }): string {
  const id = readId(violations, "order_id", orderId);
  if (id === undefined) violations.add("order_id", "expected an id: without one nobody could confirm or release it");
  return id ?? "";
}

/** In ms; undefined where the field is absent. */
function readTtl(violations: Violations, ttl: Duration | undefined): number | undefined {
  if (ttl === undefined) return undefined;
  const { seconds, nanos } = ttl;
  const ms = Number(seconds) * 1000 + nanos / NANOS_PER_MS;
  if (nanos % NANOS_PER_MS !== 0) {
    violations.add("ttl", `expected whole milliseconds, got ${nanos} nanoseconds beside ${seconds} s`);
  } else if (ms < 1 || ms > HOLD_TTL_MS_MAX) {
    violations.add("ttl", `expected 0.001 s to ${HOLD_TTL_MS_MAX / DAY_MS} days, got ${ms / 1000} s`);
  }
  return ms;
}

/** The first whole millisecond that is not before it, in ms since 1970; undefined where the field is absent. */
function readTime(violations: Violations, field: string, time: Timestamp | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = Number(time.seconds) * 1000 + Math.ceil(time.nanos / NANOS_PER_MS);
  if (ms < 0 || ms > Date.UTC(9999, 0)) violations.add(field, `expected a time of 1970 to 9998, got ${time.seconds} s`);
  return ms;
}

function readPage(
  violations: Violations,
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
  list: PagedList,
): AskedPage {
  if (pageSize < 0 || pageSize > PAGE_SIZE_MAX) {
    violations.add("page_size", `expected 0 to ${PAGE_SIZE_MAX}, got ${pageSize}`);
  }
  const key = readPageToken(violations, "page_token", pageToken, list, ["integer", "string"]);
  const [atMs = 0, orderId = ""] = key ?? [];
  return { list, after: key === undefined ? undefined : { atMs, orderId }, size: pageSize || PAGE_SIZE_DEFAULT };
}
