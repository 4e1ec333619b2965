/**
 * Requests of streams. Every rule that a request breaks is named at once.
 *
 * @throws ConnectError INVALID_ARGUMENT, or NOT_FOUND for a sku, from every function that decodes a request
 */
import type { MovementKind } from "../../gen/inventory/v1/query_pb.ts";
import type { WatchInvRequest, WatchMovementsRequest } from "../../gen/inventory/v1/watch_pb.ts";
import type { OperationKind } from "../../inventory/model.ts";
import { Violations } from "../../rpc/errors.ts";
import type { InvFilter, MovementFilter } from "../../watch/filter.ts";
import type { InvAsk } from "../../watch/inv_stream.ts";
import type { MovementAsk } from "../../watch/movement_stream.ts";
import type { PagedList } from "../page_token.ts";
import { checkMax, GOODS_MAX, LOCATIONS_MAX, MOVEMENT_KINDS, readSku, readTime, sortedSet } from "../query/decode.ts";
import { readGoodsId, type SkuIds } from "../skus.ts";
import { checkGoodsId, checkLocationId, readEnum } from "../validation.ts";
import { readResumeToken } from "./tokens.ts";

/** What a stream is asked for, and whose its tokens are. */
export interface AskedStream<A> {
  readonly ask: A;
  readonly stream: PagedList;
}

/** The goods and locations of either. */
interface Filters {
  readonly goodsIds: readonly number[];
  readonly skus: readonly string[];
  readonly locationIds: readonly number[];
}

/** What a WatchInv asks for. `skus`: the goods of its skus. */
export function decodeWatchInv(request: WatchInvRequest, skus: SkuIds | undefined): AskedStream<InvAsk> {
  const violations = new Violations();
  const skuPrefix = readSku(violations, "sku_prefix", request.skuPrefix, 0);
  const filter: InvFilter = {
    ...readFilters(violations, request, skus),
    ...(skuPrefix === "" ? {} : { skuPrefix }),
  };
  const stream = { name: "WatchInv", query: filter };
  const from = request.resumeToken === "" ? undefined : readResumeToken(violations, request.resumeToken, stream);
  violations.check();
  return { ask: { filter, from, changesOnly: request.changesOnly }, stream };
}

/** What a WatchMovements asks for. `skus`: the goods of its skus. */
export function decodeWatchMovements(
  request: WatchMovementsRequest,
  skus: SkuIds | undefined,
): AskedStream<MovementAsk> {
  const violations = new Violations();
  const kinds = request.kinds.map((kind, i) =>
    readEnum<MovementKind, OperationKind>(violations, `kinds[${i}]`, kind, MOVEMENT_KINDS as never)
  ).filter((kind) => kind !== undefined);
  const filter: MovementFilter = {
    ...readFilters(violations, request, skus),
    ...(kinds.length === 0 ? {} : { kinds: sortedSet(kinds) }),
  };
  const stream = { name: "WatchMovements", query: filter };
  const from = readFrom(violations, request.from, stream);
  violations.check();
  return { ask: { filter, from }, stream };
}

function readFrom(
  violations: Violations,
  from: WatchMovementsRequest["from"],
  stream: PagedList,
): MovementAsk["from"] {
  switch (from.case) {
    case undefined:
      return undefined;
    case "resumeToken":
      return readResumeToken(violations, from.value, stream);
    case "since":
      return { fromUs: readTime(violations, "since", from.value)! };
    case "beginning":
      if (!from.value) violations.add("beginning", "expected true, or nothing");
      return { fromUs: 0 };
  }
}

function readFilters(violations: Violations, request: Filters, skus: SkuIds | undefined) {
  request.goodsIds.forEach((goodsId, i) => checkGoodsId(violations, `goods_ids[${i}]`, goodsId));
  request.locationIds.forEach((locationId, i) => checkLocationId(violations, `location_ids[${i}]`, locationId));
  checkMax(violations, "goods_ids", request.goodsIds.length, GOODS_MAX);
  checkMax(violations, "skus", request.skus.length, GOODS_MAX);
  checkMax(violations, "location_ids", request.locationIds.length, LOCATIONS_MAX);
  const named = request.skus.map((sku, i) => {
    if (sku === "") violations.add(`skus[${i}]`, "expected a sku of 1 to 64 characters, got 0 characters");
    return sku === "" ? 0 : readGoodsId(violations, `skus[${i}].`, { goodsId: 0, sku }, skus);
  });
  const goodsIds = sortedSet([...request.goodsIds, ...named]);
  return {
    ...(goodsIds.length === 0 ? {} : { goodsIds }),
    ...(request.locationIds.length === 0 ? {} : { locationIds: sortedSet(request.locationIds) }),
  };
}
