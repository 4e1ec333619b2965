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
import { rightMissing } from "../../auth/authenticator.ts";
import { identityOf } from "../../auth/caller.ts";
import type { RefusalAudit } from "../../auth/refusal_audit.ts";
import type { Right } from "../../auth/rights.ts";
import type { Operation } from "../../inventory/operations/operation.ts";
import { Violations } from "../../rpc/errors.ts";
import { partsOf } from "../../rpc/messages/batch_parts.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { REQUEST_ID_HEADER } from "../../transport/exchange.ts";
import { type BatchOptions, endAll, type Fitted, type PartKind } from "../batch_call.ts";
import type { NamedPart } from "../decode_parts.ts";
import type { Asked, Ending } from "../ending.ts";
import { decodeConfirm, decodeExtend, decodeRelease, decodeReserve } from "../holds/decode.ts";
import { holdAnswer } from "../holds/encode.ts";
import { decodeRollback, decodeSell, decodeSet } from "../inventory/decode.ts";
import { rollbackAnswer, sellAnswer, setAnswer } from "../inventory/encode.ts";
import { type SkuIds, skuNames } from "../skus.ts";
import { type AnswerBudget, textBytes } from "../verdict_budget.ts";
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

/** What a caller of each operation must be allowed beside the batch itself: what its single call asks for. */
export const PART_RIGHTS: { readonly [N in Name]: Right } = {
  sell: "seller",
  rollback: "seller",
  setInv: "stocker",
  adjustInv: "stocker",
  countInv: "stocker",
  transferInv: "stocker",
  reserve: "seller",
  extendHold: "seller",
  confirmHold: "seller",
  releaseHold: "seller",
};

function decoder<N extends Name, A extends Asked>(
  name: N,
  decode: (request: RequestOf<N>, rules: StockRules, actor: string | undefined, skus: SkuIds | undefined) => A,
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

/** One line, level or short line of an answer as JSON, with its comma, without its sku. */
const ENTRY_BYTES_MAX = 160;
/** An answer without those: ids, states and times, and a level without its sku. */
const REST_BYTES_MAX = 400;

/** Where it is noted that a caller has asked for what it may not. */
export interface AuditedParts {
  readonly audit: Pick<RefusalAudit, "note">;
}

/** Applies the batch. @throws ConnectError where it is refused as a whole */
export async function applyBatch(
  request: ApplyBatchRequest,
  context: HandlerContext,
  options: StockRules & BatchOptions & AuditedParts,
): Promise<MessageInitShape<typeof ApplyBatchResponseSchema>> {
  const mayDo = rightCheck(context, options);
  const kind: PartKind<BatchOperation, AskedPart, Answer> = {
    field: "operations",
    part: "operation",
    ordersInSequence: true,
    named: namedIn,
    decode: (operation, actor, skus) => decodePart(operation, options, mayDo, actor, skus),
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

/** Throws PERMISSION_DENIED for a right that the caller has not. The first time in a batch that is noted. */
function rightCheck({ values, requestHeader, service, method }: HandlerContext, { audit }: AuditedParts) {
  const identity = identityOf(values);
  let isNoted = false;
  return (right: Right): void => {
    if (identity === undefined || identity.rights.has(right)) return;
    if (!isNoted) {
      audit.note({
        reason: "right_missing",
        method: `${service.typeName}/${method.name}`,
        address: callerAddress(values),
        requestId: requestHeader.get(REQUEST_ID_HEADER) ?? undefined,
        who: identity.name,
        right,
      });
    }
    isNoted = true;
    throw rightMissing(right);
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
  mayDo: (right: Right) => void,
  actor: string | undefined,
  skus: SkuIds | undefined,
): AskedPart {
  if (operation.case !== undefined) {
    mayDo(PART_RIGHTS[operation.case]);
    const decode = DECODERS[operation.case] as Decode<Name>;
    return decode(operation.value, rules, actor, skus);
  }
  const violations = new Violations();
  violations.add("operation", "expected one of the operations, got none that this server knows");
  throw violations.error();
}

function fitted(budget: AnswerBudget, answer: Answer): Fitted<Answer> {
  if (budget.take(REST_BYTES_MAX + entriesBytes(answer))) return { answer, truncated: false };
  return { answer: cut(answer), truncated: true };
}

/** What an answer may have that grows: lists, of itself or of its order, and the skus of these or of its level. */
interface Growing {
  readonly goodsInfo?: readonly Entry[];
  readonly short?: readonly Entry[];
  readonly levels?: readonly Entry[];
  readonly lines?: readonly Entry[];
  readonly order?: Growing;
  readonly level?: Entry;
  readonly sku?: string;
}
type Entry = { readonly sku?: string };

/** Bytes of all that grows. A sku of 64 characters that are not ASCII takes more than the line that it names. */
function entriesBytes({ value }: Answer): number {
  const { order, level, ...own } = value as Growing;
  let bytes = textBytes(own.sku ?? "") + textBytes(level?.sku ?? "");
  for (const { goodsInfo = [], short = [], levels = [], lines = [] } of order === undefined ? [own] : [own, order]) {
    for (const list of [goodsInfo, short, levels, lines]) {
      bytes += list.length * ENTRY_BYTES_MAX;
      for (const { sku = "" } of list) bytes += textBytes(sku);
    }
  }
  return bytes;
}

/** The answer without all that. */
function cut({ case: name, value }: Answer): Answer {
  const { order, level } = value as Growing;
  const without = (message: object) =>
    Object.fromEntries(Object.entries(message).map(([field, kept]) => [field, Array.isArray(kept) ? [] : kept]));
  return {
    case: name,
    value: {
      ...without(value),
      ...("sku" in value ? { sku: "" } : {}),
      ...(level === undefined ? {} : { level: { ...level, sku: "" } }),
      ...(order === undefined ? {} : { order: { ...without(order), buyerId: "" } }),
    },
  } as unknown as Answer;
}
