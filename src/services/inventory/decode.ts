/**
 * One request as one operation: what a single call asks, and what each part of a batch asks. Every rule that a request
 * breaks is named at once, under the field names of the single call.
 */
import {
  Basis,
  Fill as WireFill,
  type InvDetailRequest,
  type RollbackRequest,
  type SellRequest,
  type SetInvRequest,
} from "../../gen/inventory/v1/inventory_pb.ts";
import type { KnownReasons } from "../../goods/reasons.ts";
import type { GiveBackOperation } from "../../inventory/operations/give_back.ts";
import type { RollbackOperation } from "../../inventory/operations/rollback.ts";
import type { SellOperation } from "../../inventory/operations/sell.ts";
import type { SetOperation } from "../../inventory/operations/set.ts";
import type { Fill } from "../../inventory/operations/take.ts";
import type { Place } from "../../inventory/stock_key.ts";
import { Violations } from "../../rpc/errors.ts";
import { PLAIN, readOperated } from "../attribution.ts";
import type { Asked } from "../ending.ts";
import { type Named, readGoodsId, type SkuIds, skuNames } from "../skus.ts";
import { checkLocationId, readBuyerId, readEnum, readId, readLines, readVersion } from "../validation.ts";

/** What is expected of an id that is not there. */
export const ID_REQUIRED =
  "expected an id: without one a retry would be applied again, and this server has ORDER_ID_REQUIRED on";

const FILLS: Readonly<Record<WireFill, Fill>> = {
  [WireFill.UNSPECIFIED]: "all",
  [WireFill.ALL_OR_NOTHING]: "all",
  [WireFill.AVAILABLE]: "available",
};
const BASES: Readonly<Record<Basis, "available" | "on_hand">> = {
  [Basis.UNSPECIFIED]: "available",
  [Basis.AVAILABLE]: "available",
  [Basis.ON_HAND]: "on_hand",
};

/** What decoding needs to know. */
export interface RequestRules {
  /** Lines in one order. */
  readonly orderLinesMax: number;
  /** An order must have an id of its caller, and what is given back without an order too. */
  readonly orderIdRequired: boolean;
  /** What writes may give as their reason. */
  readonly reasons: KnownReasons;
  /** Makes ids for orders and operations that the caller gave none: UUIDv7. */
  readonly newId: () => string;
}

/** The operation that a Sell asks for, and the id that its answer names: none that was made for a dry run. */
export interface AskedSell extends Asked<SellOperation> {
  readonly named: string;
}

/** The operation that a Rollback asks for, and the ids that its answer names. */
export interface AskedRollback extends Asked<RollbackOperation | GiveBackOperation> {
  readonly named: { readonly orderId: string; readonly rollbackId: string };
}

/** @param actor who asks @throws ConnectError INVALID_ARGUMENT */
export function decodeSet(
  request: SetInvRequest,
  { newId, reasons }: RequestRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): Asked<SetOperation> {
  const { locationId, num, expected } = request;
  const violations = new Violations();
  const goodsId = readGoodsId(violations, "", request, skus);
  checkLocationId(violations, "location_id", locationId);
  if (num < 0) violations.add("num", `expected a quantity of 0 or more, got ${num}`);
  const basis = readEnum(violations, "basis", request.basis, BASES);
  const expectation = readExpected(violations, expected);
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  return {
    operation: {
      kind: "set",
      operationId: newId(),
      goodsId,
      locationId,
      num,
      ...(basis === "on_hand" ? { basis } : {}),
      ...expectation,
      ...operated,
    },
    skus: skuNames([request], skus),
  };
}

/** What a set expects. */
function readExpected(
  violations: Violations,
  { case: what, value }: SetInvRequest["expected"],
): Pick<SetOperation, "expectedVersion" | "expectedNum"> {
  if (what === undefined) return {};
  if (what === "expectedNum") return { expectedNum: value };
  return { expectedVersion: readVersion(violations, "expected_version", value) };
}

/** A place as a request names it. */
export interface NamedPlace extends Named {
  readonly locationId: number;
}

/** What an InvDetail asks about. @throws ConnectError INVALID_ARGUMENT, or NOT_FOUND for a sku */
export function decodePlace(named: NamedPlace, skus: SkuIds | undefined): Place {
  const { locationId } = named;
  const violations = new Violations();
  const goodsId = readGoodsId(violations, "", named, skus);
  checkLocationId(violations, "location_id", locationId);
  violations.check();
  return { goodsId, locationId };
}

/**
 * Whether an InvDetail asks about all locations, and if not, about which.
 *
 * @throws ConnectError INVALID_ARGUMENT, or NOT_FOUND for a sku
 */
export function decodeDetail(
  request: InvDetailRequest,
  skus: SkuIds | undefined,
): Place | { readonly allOf: number; readonly sku: string | undefined } {
  if (!request.allLocations) return decodePlace(request, skus);
  const { locationId } = request;
  const violations = new Violations();
  const allOf = readGoodsId(violations, "", request, skus);
  if (locationId !== 0) violations.add("location_id", `expected none beside all_locations, got ${locationId}`);
  violations.check();
  return { allOf, sku: skuNames([request], skus)?.get(allOf) };
}

/** @param actor who asks @throws ConnectError INVALID_ARGUMENT */
export function decodeSell(
  request: SellRequest,
  rules: RequestRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): AskedSell {
  const { orderLinesMax, orderIdRequired, newId, reasons } = rules;
  const violations = new Violations();
  if (orderIdRequired && request.orderId === "") violations.add("order_id", ID_REQUIRED);
  const orderId = readId(violations, "order_id", request.orderId) ?? newId();
  const lines = readLines(violations, "goods_info", request.goodsInfo, { max: orderLinesMax, required: true, skus });
  const buyerId = readBuyerId(violations, "buyer_id", request.buyerId);
  const fill = readEnum(violations, "fill", request.fill, FILLS);
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  const plain: SellOperation = { kind: "sell", orderId, lines };
  // Most sales say nothing else, or whose they are: spreading nothing takes its time all the same.
  const isPlain = buyerId === undefined && fill === "all";
  const { attribution, dryRun } = operated;
  const operation = isPlain && operated === PLAIN
    ? plain
    : isPlain && attribution !== undefined && dryRun === undefined
    ? { ...plain, attribution }
    : {
      ...plain,
      ...(buyerId === undefined ? {} : { buyerId }),
      ...(fill === "available" ? { fill } : {}),
      ...operated,
    };
  return {
    operation,
    ids: { order_id: orderId },
    named: request.dryRun ? request.orderId : orderId,
    skus: skuNames(request.goodsInfo, skus),
  };
}

/**
 * With an order_id a rollback of that order, without one lines to give back. `skus` are those of the request, if it has
 * any.
 *
 * @throws ConnectError INVALID_ARGUMENT, or NOT_FOUND for a sku
 */
export function decodeRollback(
  request: RollbackRequest,
  { orderLinesMax, orderIdRequired, newId, reasons }: RequestRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): AskedRollback {
  const violations = new Violations();
  const orderId = readId(violations, "order_id", request.orderId);
  const rollbackId = readId(violations, "rollback_id", request.rollbackId);
  const lines = readLines(violations, "goods_info", request.goodsInfo, { max: orderLinesMax, required: false, skus });
  if (orderId === undefined && request.goodsInfo.length === 0) {
    violations.add("order_id", "expected an order_id, or at least one line in goods_info");
  } else if (orderIdRequired && orderId === undefined && rollbackId === undefined) {
    violations.add("rollback_id", ID_REQUIRED);
  }
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  const names = skuNames(request.goodsInfo, skus);
  if (orderId !== undefined) {
    const plain: RollbackOperation = { kind: "rollback", rollbackId, orderId, lines };
    return {
      operation: operated === PLAIN ? plain : { ...plain, ...operated },
      named: { orderId, rollbackId: request.rollbackId },
      skus: names,
    };
  }
  const operationId = rollbackId ?? newId();
  return {
    operation: { kind: "give_back", operationId, lines, ...operated },
    ids: { rollback_id: operationId },
    named: { orderId: "", rollbackId: request.dryRun ? request.rollbackId : operationId },
    skus: names,
  };
}
