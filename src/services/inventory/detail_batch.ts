/**
 * BatchInvDetail of inventory.v1.InventoryService: many places, each answered as InvDetail would, or with the error
 * that it would have ended in.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { InvDetailVerdictSchema, InventoryService } from "../../gen/inventory/v1/inventory_pb.ts";
import type { NamedLevel } from "../../inventory/levels.ts";
import { keyOf, type Place, type StockKey } from "../../inventory/stock_key.ts";
import { callSignal } from "../../rpc/deadline.ts";
import { inSlices } from "../../rpc/time_slices.ts";
import { callerAddress } from "../../transport/addresses.ts";
import type { SkuIds } from "../skus.ts";
import { BATCH_GOODS_MAX, type BatchServiceOptions } from "./batch.ts";
import { decodePlace, type NamedPlace } from "./decode.ts";
import { detailAnswer } from "./encode.ts";
import { checkParts, errorsOf } from "../part_errors.ts";
import { AnswerBudget, errorIn } from "../verdict_budget.ts";

/** The handler. */
export function createDetailBatch(
  { lanes, skusOf, responseBytesMax, log }: BatchServiceOptions,
): Pick<ServiceImpl<typeof InventoryService>, "batchInvDetail"> {
  return {
    async batchInvDetail({ goodsIds, places }, context) {
      const named = [...goodsIds.map((goodsId): NamedPlace => ({ goodsId, locationId: 0, sku: "" })), ...places];
      checkParts("goods_ids", "goods id", named.length, BATCH_GOODS_MAX);
      const budget = new AnswerBudget(responseBytesMax, named.length);
      const errorOf = errorsOf(context, log);
      const signal = callSignal(context);
      const skus = skusOf(named, context);
      const asked = await decodePlaces(named, signal, skus && await skus);
      const askable = new Set([...asked.values()].flatMap((place) => place instanceof Error ? [] : keyOf(place)));
      const levels = askable.size === 0
        ? new Map<StockKey, NamedLevel>()
        : await lanes.levels([...askable], signal, callerAddress(context.values)).catch((error: Error) => error);
      signal.throwIfAborted();
      const verdicts = new Map<unknown, MessageInitShape<typeof InvDetailVerdictSchema>>();
      // All of them, and not only distinct ones: their count decides how large the answer is.
      await inSlices(named, signal, (one) => {
        const name = nameOf(one);
        if (verdicts.has(name)) return;
        const place = asked.get(name)!;
        try {
          if (place instanceof Error) throw place;
          verdicts.set(name, { outcome: { case: "detail", value: detailAnswer(place, levels) } });
        } catch (error) {
          // What there is to say of one goods is small; it never is cut.
          verdicts.set(name, { outcome: { case: "error", value: errorIn(budget, errorOf(error)).error } });
        }
      });
      return { verdicts: named.map((one) => verdicts.get(nameOf(one))!) };
    },
  };
}

/** What is the same for two that are answered the same. */
function nameOf(named: NamedPlace): StockKey | string {
  return named.sku === "" ? keyOf(named) : `${keyOf(named)} ${named.sku}`;
}

/** Each distinct place, or why it is none, by its name. */
async function decodePlaces(
  named: readonly NamedPlace[],
  signal: AbortSignal,
  skus: SkuIds | undefined,
): Promise<ReadonlyMap<StockKey | string, Place | Error>> {
  const places = new Map<StockKey | string, Place | Error>();
  await inSlices(named, signal, (one) => {
    const name = nameOf(one);
    if (places.has(name)) return;
    try {
      places.set(name, decodePlace(one, skus));
    } catch (error) {
      places.set(name, error as Error);
    }
  });
  return places;
}
