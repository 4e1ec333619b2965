/** The batches of orders of inventory.v1.InventoryService; what all batches have in common is batch_call.ts. */
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type InventoryService,
  type RollbackRequest,
  RollbackRequestSchema,
  type SellRequest,
  SellRequestSchema,
} from "../../gen/inventory/v1/inventory_pb.ts";
import { type BatchOptions, endAll } from "../batch_call.ts";
import { AnswerBudget, linesIn } from "../verdict_budget.ts";
import { rollbackAnswer, sellAnswer } from "./encode.ts";
import { partsOf } from "../../rpc/messages/batch_parts.ts";
import { decodeRollback, decodeSell, type RequestRules } from "./decode.ts";
import type { Reasons } from "../../goods/reasons.ts";
import type { GiveSku } from "../sku_look_up.ts";
import type { SkuIds } from "../skus.ts";

/** Goods in one BatchInvDetail. */
export const BATCH_GOODS_MAX = 1000;

/** What the batches work with. */
export interface BatchServiceOptions extends RequestRules, BatchOptions {
  readonly reasons: Reasons;
  readonly giveSku: GiveSku;
}

/** The calls that take several orders. */
type BatchMethod = "sellBatch" | "rollbackBatch";

/**
 * The handlers of the batches; they throw ConnectError only, for whatever the caller can know.
 *
 * @throws RangeError when the verdicts of a full batch could be more than the largest answer
 */
export function createBatchService(
  options: BatchServiceOptions,
): Pick<ServiceImpl<typeof InventoryService>, BatchMethod> {
  const { batchOrdersMax, responseBytesMax } = options;
  // Throws here and not in a call, where it would be too late.
  new AnswerBudget(responseBytesMax, Math.max(batchOrdersMax, BATCH_GOODS_MAX));

  const sells = {
    field: "orders",
    part: "order",
    named: (request: SellRequest) => request,
    decode: (request: SellRequest, actor: string | undefined, skus: SkuIds | undefined) =>
      decodeSell(request, options, actor, skus),
    answer: sellAnswer,
    fit: linesIn<ReturnType<typeof sellAnswer>>,
  };
  const rollbacks = {
    field: "rollbacks",
    part: "rollback",
    named: (request: RollbackRequest) => request,
    decode: (request: RollbackRequest, actor: string | undefined, skus: SkuIds | undefined) =>
      decodeRollback(request, options, actor, skus),
    answer: rollbackAnswer,
    fit: linesIn<ReturnType<typeof rollbackAnswer>>,
  };

  return {
    async sellBatch({ orders }, context) {
      const ended = await endAll(sells, partsOf(context.values, SellRequestSchema, orders), context, options);
      return {
        verdicts: ended.map((end) => ({
          outcome: "error" in end ? { case: "error", value: end.error } : { case: "sold", value: end.answer },
          truncated: end.truncated,
        })),
      };
    },

    async rollbackBatch({ rollbacks: requests }, context) {
      const ended = await endAll(rollbacks, partsOf(context.values, RollbackRequestSchema, requests), context, options);
      return {
        verdicts: ended.map((end) => ({
          outcome: "error" in end ? { case: "error", value: end.error } : { case: "rolledBack", value: end.answer },
          truncated: end.truncated,
        })),
      };
    },
  };
}
