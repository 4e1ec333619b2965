/**
 * What the skus of requests name, and whether their reasons are any. A service asks before it decodes, and decoding is
 * pure:
 *
 *     const skus = skusOf(request.goodsInfo, context, request.reason);
 *     const asked = decodeSell(request, rules, actor, skus && await skus);
 */
import type { HandlerContext } from "@connectrpc/connect";
import type { GoodsNames } from "../goods/goods_names.ts";
import type { Reasons } from "../goods/reasons.ts";
import { Failure } from "../lanes/failure.ts";
import { callSignal } from "../rpc/deadline.ts";
import { callerAddress } from "../transport/addresses.ts";
import { throwReadError } from "./read_errors.ts";
import { failureError, skuTaken } from "./refusals.ts";
import { type Named, type SkuIds, skusIn } from "./skus.ts";

/**
 * Looks up the skus of one request, and has its reason read where the process does not know of it. Undefined where
 * there is nothing to read, so that such a request waits for nothing. Rejects with a ConnectError for what the caller
 * can know.
 */
export type SkusOf = (
  named: readonly { readonly sku: string }[],
  context: HandlerContext,
  reason?: string,
) => Promise<SkuIds> | undefined;

/**
 * Gives a goods the sku that the request names beside it; a dry run only looks whether that could be. Rejects with
 * ALREADY_EXISTS where either has another, and with a ConnectError for whatever else the caller can know.
 */
export type GiveSku = (
  request: Named & { readonly dryRun: boolean },
  context: HandlerContext,
) => Promise<void>;

/** What all services share. */
export function createSkus(
  names: GoodsNames,
  reasons: Reasons,
): { readonly skusOf: SkusOf; readonly giveSku: GiveSku } {
  return {
    skusOf(named, context, reason = "") {
      const skus = skusIn(named);
      const isUnread = reason !== "" && reasons.isUnread(reason);
      if (skus.length === 0 && !isUnread) return undefined;
      const [signal, address] = [callSignal(context), callerAddress(context.values)];
      const read = isUnread ? reasons.read(signal, address) : undefined;
      return Promise.all([names.ids(skus, signal, address), read]).then(([ids]) => ids, throwReadError);
    },

    async giveSku(request, context) {
      const [signal, address] = [callSignal(context), callerAddress(context.values)];
      const { goodsId, dryRun } = request;
      const [sku] = skusIn([request]);
      if (sku === undefined || names.kept(sku) === goodsId) return;
      const named = dryRun ? names.wouldName(sku, goodsId, signal, address) : names.name(sku, goodsId, signal);
      const result = await named.catch(throwReadError);
      if (result.ok) return;
      if (result.taken !== undefined) throw skuTaken({ sku, goodsId }, result.taken);
      throw failureError(new Failure("busy", "Others give the goods or the sku a name at this moment"));
    },
  };
}

/** What a request says that gives a goods a sku. */
export function skuGiven(request: Named): SkuIds {
  return new Map(skusIn([request]).map((sku) => [sku, request.goodsId]));
}
