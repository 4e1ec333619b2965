/** ExplainInv: its request as a place, and what the place comes of as a message. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ExplainInvRequest, ExplainInvResponseSchema } from "../../gen/inventory/v1/query_pb.ts";
import { addsUp, type Explained, type ExplainLimits } from "../../inventory/explained.ts";
import type { Place } from "../../inventory/stock_key.ts";
import { Violations } from "../../rpc/errors.ts";
import { readGoodsId, type SkuIds } from "../skus.ts";
import { policyMessage } from "../stock/policy.ts";
import { checkLocationId } from "../validation.ts";
import { levelMessage, movementMessage, WIRE_KINDS } from "./encode.ts";

/** Movements, and holds, that are listed where nobody says how many, and at most. */
const LISTED = 20;
const LISTED_MAX = 100;

/** What an ExplainInv asks for. @throws ConnectError NOT_FOUND for a sku, beside INVALID_ARGUMENT */
export function decodeExplainInv(
  request: ExplainInvRequest,
  skus: SkuIds | undefined,
): { readonly place: Place; readonly limits: ExplainLimits } {
  const violations = new Violations();
  const { locationId } = request;
  const goodsId = readGoodsId(violations, "", request, skus);
  checkLocationId(violations, "location_id", locationId);
  const limits = {
    movements: readLimit(violations, "movements_max", request.movementsMax),
    holds: readLimit(violations, "holds_max", request.holdsMax),
  };
  violations.check();
  return { place: { goodsId, locationId }, limits };
}

function readLimit(violations: Violations, field: string, max: number): number {
  if (max < 0 || max > LISTED_MAX) violations.add(field, `expected 0 to ${LISTED_MAX}, got ${max}`);
  return max === 0 ? LISTED : max;
}

/** Why a place stands where it does, and how many operations wait for it or are under way. */
export function explainedAnswer(
  explained: Explained,
  waiting: number,
): MessageInitShape<typeof ExplainInvResponseSchema> {
  const { level, policy, opening, sums, holds, held, movements } = explained;
  return {
    level: levelMessage(level),
    ...(policy === undefined ? {} : { policy: policyMessage(policy) }),
    sums: sums.map((sum) => ({
      kind: WIRE_KINDS[sum.kind],
      movements: BigInt(sum.movements),
      onHandDelta: BigInt(sum.onHandDelta),
      reservedDelta: BigInt(sum.reservedDelta),
    })),
    opening: { ...opening, version: BigInt(opening.version) },
    addsUp: addsUp(explained),
    holds: holds.map(({ orderId, buyerId = "", num, expiresAtMs, isDue }) => ({
      orderId,
      buyerId,
      num,
      expiresAt: timestampFromMs(expiresAtMs),
      due: isDue,
    })),
    holdsTotal: held.count,
    moreHolds: held.more,
    movements: movements.map(movementMessage),
    waiting,
  };
}
