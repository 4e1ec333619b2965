/** What is known of names and reasons, as messages and errors. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import type { GoodsSchema, ReasonSchema } from "../../gen/inventory/v1/goods_pb.ts";
import type { NamingResult } from "../../goods/goods_names.ts";
import type { AddedReason } from "../../goods/reasons.ts";
import { unknownSkus } from "../../rpc/errors.ts";
import { noFreeGoodsId, reasonDiffers, refusalError, skuTaken, tooManyReasons } from "../refusals.ts";

type Goods = Extract<NamingResult, { ok: true }>["goods"];
type GoodsMessage = MessageInitShape<typeof GoodsSchema>;

/** A goods and its name. */
export function goodsMessage({ goodsId, sku, namedAtMs }: Goods): GoodsMessage {
  return { goodsId, ...(sku === undefined ? {} : { sku }), ...(namedAtMs && { namedAt: timestampFromMs(namedAtMs) }) };
}

/** What came of a naming. @throws ConnectError ALREADY_EXISTS, or UNAVAILABLE where no id could be made */
export function registeredGoods(
  asked: { readonly sku: string; readonly goodsId: number | undefined },
  result: NamingResult,
): GoodsMessage {
  if (result.ok) return goodsMessage(result.goods);
  throw result.taken === undefined ? noFreeGoodsId() : skuTaken(asked, result.taken);
}

/** There is no such goods. */
export function unknownName(
  { goodsId, sku }: { readonly goodsId: number; readonly sku: string | undefined },
): ConnectError {
  return sku === undefined
    ? refusalError({ reason: "unknown_goods", places: [{ goodsId, locationId: 0 }] })
    : unknownSkus([sku]);
}

/** What came of adding a reason. @throws ConnectError ALREADY_EXISTS or RESOURCE_EXHAUSTED */
export function addedReason(
  { code, description }: { readonly code: string; readonly description: string },
  added: AddedReason,
): MessageInitShape<typeof ReasonSchema> {
  if (added.ok) return { code, description };
  throw added.known === undefined ? tooManyReasons() : reasonDiffers(added.known);
}
