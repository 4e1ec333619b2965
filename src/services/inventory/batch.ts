/**
 * The batches of orders of inventory.v1.InventoryService: each part is decoded, decided and answered as the single call
 * would, and its error stands in its verdict. A batch fails as a whole only for what it is itself: empty, or too long.
 */
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type InventoryService,
  type RollbackRequest,
  RollbackRequestSchema,
  type SellRequest,
  SellRequestSchema,
} from "../../gen/inventory/v1/inventory_pb.ts";
import type { Reasons } from "../../goods/reasons.ts";
import type { Lanes } from "../../lanes/lanes.ts";
import type { Log } from "../../telemetry/log.ts";
import { AnswerBudget, errorIn, linesIn } from "./verdict_budget.ts";
import { type Ending, rollbackAnswer, sellAnswer } from "./encode.ts";
import { type Parts, partsOf } from "../../rpc/messages/batch_parts.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { callSignal } from "../../rpc/deadline.ts";
import { decodeParts, type NamedPart } from "./decode_parts.ts";
import { type Asked, decodeRollback, decodeSell, type RequestRules } from "./decode.ts";
import { inSlices } from "../../rpc/time_slices.ts";
import { readActor } from "../attribution.ts";
import type { GiveSku, SkusOf } from "../sku_look_up.ts";
import type { SkuIds } from "../skus.ts";
import { checkParts, errorsOf } from "./part_errors.ts";

/** Goods in one BatchInvDetail. */
export const BATCH_GOODS_MAX = 1000;

/** What the batches work with. */
export interface BatchServiceOptions extends RequestRules {
  readonly lanes: Lanes;
  readonly skusOf: SkusOf;
  readonly giveSku: GiveSku;
  readonly reasons: Reasons;
  /** Orders in one batch. */
  readonly batchOrdersMax: number;
  /** Largest answer that the server sends. */
  readonly responseBytesMax: number;
  readonly log: Log;
}

/** The calls that take several orders. */
type BatchMethod = "sellBatch" | "rollbackBatch";

/** How the parts of one kind of batch are read and answered. */
interface Kind<R, A extends Asked, M> {
  readonly field: string;
  readonly part: string;
  decode(request: R, actor: string | undefined, skus?: SkuIds): A;
  answer(asked: A, ending: Ending): M;
}

/** A verdict before it has the words of its kind. */
type Ended<M> = { readonly answer: M; readonly truncated: boolean } | ReturnType<typeof errorIn>;

/**
 * The handlers of the batches; they throw ConnectError only, for whatever the caller can know.
 *
 * @throws RangeError when the verdicts of a full batch could be more than the largest answer
 */
export function createBatchService(
  options: BatchServiceOptions,
): Pick<ServiceImpl<typeof InventoryService>, BatchMethod> {
  const { lanes, skusOf, reasons, batchOrdersMax, responseBytesMax, log } = options;
  // Throws here and not in a call, where it would be too late.
  new AnswerBudget(responseBytesMax, Math.max(batchOrdersMax, BATCH_GOODS_MAX));

  const sells = {
    field: "orders",
    part: "order",
    decode: (request: SellRequest, actor: string | undefined, skus?: SkuIds) =>
      decodeSell(request, options, actor, skus),
    answer: sellAnswer,
  };
  const rollbacks = {
    field: "rollbacks",
    part: "rollback",
    decode: (request: RollbackRequest, actor: string | undefined, skus?: SkuIds) =>
      decodeRollback(request, options, actor, skus),
    answer: rollbackAnswer,
  };

  /** Decodes, applies and answers all parts. Throws for a bad count. Nobody reads what it answers to an ended call. */
  async function endAll<
    R extends NamedPart,
    A extends Asked,
    M extends Parameters<typeof linesIn>[1],
  >(
    { field, part, decode, answer }: Kind<R, A, M>,
    requests: Parts<R>,
    context: HandlerContext,
  ): Promise<Ended<M>[]> {
    const { count } = requests;
    checkParts(field, part, count, batchOrdersMax);
    const actor = readActor(context);
    const budget = new AnswerBudget(responseBytesMax, count);
    const errorOf = errorsOf(context, log);
    const ended: Ended<M>[] = [];
    const signal = callSignal(context);
    const endTurn = await requests.turn(signal);
    try {
      const refuse = (error: unknown, at: number) => {
        // Cut to its budget at once: a batch of bad orders must not stay in memory with all its details.
        ended[at] = errorIn(budget, errorOf(error));
      };
      const rules = { skusOf, reasons, decode: (request: R, skus?: SkuIds) => decode(request, actor, skus), refuse };
      const asked = await decodeParts(requests, rules, context);
      const operations = asked.map(({ asked: { operation } }) => operation);
      const ends = await lanes.applyAll(operations, signal, callerAddress(context.values));
      await inSlices(asked, signal, ({ at, asked }, i) => {
        const end = ends[i]!;
        try {
          ended[at] = linesIn(budget, answer(asked, end.status === "fulfilled" ? end.value : end.reason));
        } catch (error) {
          ended[at] = errorIn(budget, errorOf(error));
        }
      });
      return ended;
    } finally {
      endTurn();
    }
  }

  return {
    async sellBatch({ orders }, context) {
      const ended = await endAll(sells, partsOf(context.values, SellRequestSchema, orders), context);
      return {
        verdicts: ended.map((end) => ({
          outcome: "error" in end ? { case: "error", value: end.error } : { case: "sold", value: end.answer },
          truncated: end.truncated,
        })),
      };
    },

    async rollbackBatch({ rollbacks: requests }, context) {
      const ended = await endAll(rollbacks, partsOf(context.values, RollbackRequestSchema, requests), context);
      return {
        verdicts: ended.map((end) => ({
          outcome: "error" in end ? { case: "error", value: end.error } : { case: "rolledBack", value: end.answer },
          truncated: end.truncated,
        })),
      };
    },
  };
}
