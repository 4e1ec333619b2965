/**
 * The batches of inventory.v1.InventoryService: each part is decoded, decided and answered as the single call would,
 * and its error stands in its verdict. A batch fails as a whole only for what it is itself: empty, or too long.
 */
import { ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type InvDetailVerdictSchema,
  type InventoryService,
  type RollbackRequest,
  RollbackRequestSchema,
  type SellRequest,
  SellRequestSchema,
} from "../../gen/inventory/v1/inventory_pb.ts";
import type { Level } from "../../inventory/model.ts";
import { keyOf, type Place, type StockKey } from "../../inventory/stock_key.ts";
import type { Lanes } from "../../lanes/lanes.ts";
import type { Log } from "../../telemetry/log.ts";
import { AnswerBudget, errorIn, linesIn } from "./verdict_budget.ts";
import { detailAnswer, type Ending, rollbackAnswer, sellAnswer } from "./encode.ts";
import { type Parts, partsOf } from "../../rpc/messages/batch_parts.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { Violations } from "../../rpc/errors.ts";
import { callSignal } from "../../rpc/deadline.ts";
import { errorForCaller } from "../../rpc/interceptors.ts";
import { REQUEST_ID_HEADER } from "../../transport/exchange.ts";
import { type Asked, decodePlace, decodeRollback, decodeSell, type RequestRules } from "./decode.ts";
import { inSlices } from "../../rpc/time_slices.ts";
import { readActor } from "../attribution.ts";
import { checkCount, isPlace } from "../validation.ts";

/** Goods in one BatchInvDetail. */
export const BATCH_GOODS_MAX = 1000;

/** What the batches work with. */
export interface BatchServiceOptions extends RequestRules {
  readonly lanes: Lanes;
  /** Orders in one batch. */
  readonly batchOrdersMax: number;
  /** Largest answer that the server sends. */
  readonly responseBytesMax: number;
  readonly log: Log;
}

/** The calls that take several parts. */
type BatchMethod = "sellBatch" | "rollbackBatch" | "batchInvDetail";

/** How the parts of one kind of batch are read and answered. */
interface Kind<R, A extends Asked, M> {
  readonly field: string;
  readonly part: string;
  decode(request: R, actor: string | undefined): A;
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
  const { lanes, batchOrdersMax, responseBytesMax, log } = options;
  // Throws here and not in a call, where it would be too late.
  new AnswerBudget(responseBytesMax, Math.max(batchOrdersMax, BATCH_GOODS_MAX));

  const sells = {
    field: "orders",
    part: "order",
    decode: (request: SellRequest, actor: string | undefined) => decodeSell(request, options, actor),
    answer: sellAnswer,
  };
  const rollbacks = {
    field: "rollbacks",
    part: "rollback",
    decode: (request: RollbackRequest, actor: string | undefined) => decodeRollback(request, options, actor),
    answer: rollbackAnswer,
  };

  /** Decodes, applies and answers all parts. Throws for a bad count. Nobody reads what it answers to an ended call. */
  async function endAll<R, A extends Asked, M extends Parameters<typeof linesIn>[1]>(
    { field, part, decode, answer }: Kind<R, A, M>,
    requests: Parts<R>,
    context: HandlerContext,
  ): Promise<Ended<M>[]> {
    const { count } = requests;
    checkParts(field, part, count, batchOrdersMax);
    const actor = readActor(context);
    const budget = new AnswerBudget(responseBytesMax, count);
    const errorOf = errorsOf(context);
    const ended: Ended<M>[] = [];
    const asked: { readonly at: number; readonly asked: A }[] = [];
    const signal = callSignal(context);
    const endTurn = await requests.turn(signal);
    try {
      await inSlices(Array(count).fill(undefined), signal, (_, at) => {
        // What can't be read at all is no fault of one order.
        const request = requests.read(at);
        try {
          asked.push({ at, asked: decode(request, actor) });
        } catch (error) {
          // Cut to its budget at once: a batch of bad orders must not stay in memory with all its details.
          ended[at] = errorIn(budget, errorOf(error));
        }
      });
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

  /** Answers what may be said of an error. A fault is logged under the call's request id, once for all it befell. */
  function errorsOf(context: HandlerContext): (error: unknown) => ConnectError {
    const answers = new Map<unknown, ConnectError>();
    return (error) => {
      if (error instanceof ConnectError) return error;
      const known = answers.get(error);
      if (known !== undefined) return known;
      const requestId = context.requestHeader.get(REQUEST_ID_HEADER);
      const method = `${context.service.typeName}/${context.method.name}`;
      const answer = errorForCaller(error, { requestId, method }, log, "a part of a batch");
      answers.set(error, answer);
      return answer;
    };
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

    async batchInvDetail({ goodsIds, places: named }, context) {
      const places = [...goodsIds.map((goodsId): Place => ({ goodsId, locationId: 0 })), ...named];
      checkParts("goods_ids", "goods id", places.length, BATCH_GOODS_MAX);
      const budget = new AnswerBudget(responseBytesMax, places.length);
      const errorOf = errorsOf(context);
      const signal = callSignal(context);
      const askable = new Set(places.filter(isPlace).map(keyOf));
      const levels = askable.size === 0
        ? new Map<StockKey, Level>()
        : await lanes.levels([...askable], signal, callerAddress(context.values)).catch((error: Error) => error);
      signal.throwIfAborted();
      const byPlace = new Map<StockKey, MessageInitShape<typeof InvDetailVerdictSchema>>();
      // All of them, and not only distinct ones: their count decides how large the answer is.
      await inSlices(places, signal, (place) => {
        if (byPlace.has(keyOf(place))) return;
        try {
          const value = detailAnswer(decodePlace(place), levels);
          byPlace.set(keyOf(place), { outcome: { case: "detail", value } });
        } catch (error) {
          // What there is to say of one goods is small; it never is cut.
          byPlace.set(keyOf(place), { outcome: { case: "error", value: errorIn(budget, errorOf(error)).error } });
        }
      });
      return { verdicts: places.map((place) => byPlace.get(keyOf(place))!) };
    },
  };
}

function checkParts(field: string, part: string, count: number, max: number): void {
  const violations = new Violations();
  checkCount(violations, field, part, { count, max });
  violations.check();
}
