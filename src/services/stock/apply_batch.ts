/** ApplyBatch: operations of any kind, each decoded, decided and answered as its single call would. */
import type { HandlerContext } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ApplyBatchRequest,
  type ApplyBatchResponseSchema,
  type BatchOperation,
  BatchOperationSchema,
  type BatchVerdictSchema,
} from "../../gen/inventory/v1/stock_pb.ts";
import type { Operation } from "../../inventory/operations/operation.ts";
import { Violations } from "../../rpc/errors.ts";
import { partsOf } from "../../rpc/messages/batch_parts.ts";
import { type BatchOptions, endAll, type Fitted, type PartKind } from "../batch_call.ts";
import type { NamedPart } from "../decode_parts.ts";
import type { Asked, Ending } from "../ending.ts";
import { decodeConfirm, decodeExtend, decodeRelease, decodeReserve } from "../holds/decode.ts";
import { holdAnswer } from "../holds/encode.ts";
import { decodeRollback, decodeSell, decodeSet } from "../inventory/decode.ts";
import { rollbackAnswer, sellAnswer, setAnswer } from "../inventory/encode.ts";
import { type SkuIds, skuNames } from "../skus.ts";
import type { AnswerBudget } from "../verdict_budget.ts";
import { decodeAdjust, decodeCount, decodeTransfer, type StockRules } from "./decode.ts";
import { countAnswer, levelsAnswer } from "./encode.ts";

type Requests = Exclude<BatchOperation["operation"], { case: undefined }>;
type Answers = Exclude<NonNullable<MessageInitShape<typeof BatchVerdictSchema>["outcome"]>, { case?: undefined }>;
/** Names of operations: a request and its answer have the same. */
type Name = Requests["case"];
type RequestOf<N extends Name> = Extract<Requests, { case: N }>["value"];
type AnswerOf<N extends Name> = Extract<Answers, { case: N }>["value"];
type Answer = Extract<Answers, { case: Name }>;

/** An operation that knows how it is answered. */
interface AskedPart extends Asked {
  answer(ending: Ending): Answer;
}

/** Decodes the request of one operation, as its single call does. */
type Decode<N extends Name> = (
  request: RequestOf<N>,
  rules: StockRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
) => AskedPart;

const DECODERS: { readonly [N in Name]: Decode<N> } = {
  sell: decoder("sell", decodeSell, sellAnswer),
  rollback: decoder("rollback", decodeRollback, rollbackAnswer),
  setInv: decoder("setInv", decodeSet, setAnswer),
  adjustInv: decoder("adjustInv", decodeAdjust, levelsAnswer),
  countInv: decoder("countInv", decodeCount, countAnswer),
  transferInv: decoder("transferInv", decodeTransfer, levelsAnswer),
  reserve: holdDecoder("reserve", decodeReserve),
  extendHold: holdDecoder("extendHold", decodeExtend),
  confirmHold: holdDecoder("confirmHold", decodeConfirm),
  releaseHold: holdDecoder("releaseHold", decodeRelease),
};

function decoder<N extends Name, A extends Asked>(
  name: N,
  decode: (request: RequestOf<N>, rules: StockRules, actor?: string, skus?: SkuIds) => A,
  answer: (asked: A, ending: Ending) => AnswerOf<N>,
): Decode<N> {
  return (request, rules, actor, skus) => {
    const asked = decode(request, rules, actor, skus);
    return { ...asked, answer: (ending) => ({ case: name, value: answer(asked, ending) }) as unknown as Answer };
  };
}

/** The same of an operation on holds, whose answer is the order. */
function holdDecoder<N extends Name>(
  name: N,
  decode: (
    request: RequestOf<N>,
    rules: StockRules,
    actor: string | undefined,
    skus: SkuIds | undefined,
  ) => Operation,
): Decode<N> {
  return (request, rules, actor, skus) => {
    const operation = decode(request, rules, actor, skus);
    const names = "goodsInfo" in request ? skuNames(request.goodsInfo, skus) : undefined;
    const answer = (ending: Ending) =>
      ({ case: name, value: holdAnswer(operation, ending, names) }) as unknown as Answer;
    return { operation, answer };
  };
}

/** One line, level or short line of an answer as JSON, with its comma. */
const ENTRY_BYTES_MAX = 160;
/** An answer without those: ids, states and times, and a level. */
const REST_BYTES_MAX = 400;

/** Applies the batch. @throws ConnectError where it is refused as a whole */
export async function applyBatch(
  request: ApplyBatchRequest,
  context: HandlerContext,
  options: StockRules & BatchOptions,
): Promise<MessageInitShape<typeof ApplyBatchResponseSchema>> {
  const kind: PartKind<BatchOperation, AskedPart, Answer> = {
    field: "operations",
    part: "operation",
    ordersInSequence: true,
    named: namedIn,
    decode: (operation, actor, skus) => decodePart(operation, options, actor, skus),
    answer: (asked, ending) => asked.answer(ending),
    fit: fitted,
  };
  const parts = partsOf(context.values, BatchOperationSchema, request.operations);
  const ended = await endAll(kind, parts, context, options);
  return {
    verdicts: ended.map((end) => ({
      outcome: "error" in end ? { case: "error", value: end.error } : end.answer,
      truncated: end.truncated,
    })),
  };
}

/** What names goods in an operation, itself or its lines, and its reason. */
function namedIn({ operation: { value } }: BatchOperation): NamedPart {
  if (value === undefined) return { goodsInfo: [], reason: "" };
  if ("goodsInfo" in value) return value;
  const { reason } = value;
  if ("lines" in value) return { goodsInfo: value.lines, reason };
  return { goodsInfo: "sku" in value ? [value] : [], reason };
}

function decodePart(
  { operation }: BatchOperation,
  rules: StockRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): AskedPart {
  if (operation.case !== undefined) {
    const decode = DECODERS[operation.case] as Decode<Name>;
    return decode(operation.value, rules, actor, skus);
  }
  const violations = new Violations();
  violations.add("operation", "expected one of the operations, got none that this server knows");
  throw violations.error();
}

function fitted(budget: AnswerBudget, answer: Answer): Fitted<Answer> {
  const entries = entriesOf(answer);
  const isSmall = entries === 0;
  if (budget.take(isSmall ? 0 : REST_BYTES_MAX + entries * ENTRY_BYTES_MAX)) return { answer, truncated: false };
  return { answer: cut(answer), truncated: true };
}

/** Lists of an answer, or of its order. */
const LISTS = ["goodsInfo", "short", "levels", "lines"] as const;

/** Lines and levels of an answer. */
function entriesOf({ value }: Answer): number {
  const lists: { readonly [N in (typeof LISTS)[number]]?: readonly unknown[] } = {
    ...(value as object),
    ...("order" in value ? value.order as object : {}),
  };
  return LISTS.reduce((sum, name) => sum + (lists[name]?.length ?? 0), 0);
}

/** The answer without those. */
function cut({ case: name, value }: Answer): Answer {
  const without = (message: object) =>
    Object.fromEntries(Object.entries(message).map(([field, kept]) => [field, Array.isArray(kept) ? [] : kept]));
  const order = "order" in value ? { order: { ...without(value.order ?? {}), buyerId: "" } } : {};
  return { case: name, value: { ...without(value), ...order } } as unknown as Answer;
}
