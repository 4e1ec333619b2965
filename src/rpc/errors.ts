/**
 * Refusals and failures as status codes with typed details. The one place where a code is chosen.
 */
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import {
  ExceedsSoldSchema,
  OrderState as WireOrderState,
  OrderStateConflictSchema,
  ShortStockSchema,
} from "../gen/inventory/v1/inventory_pb.ts";
import { INT32_MAX, type OrderState, type Refusal } from "../inventory/model.ts";
import type { Failure, FailureKind } from "../lanes/failure.ts";
import { boundError } from "./trailer_room.ts";

type Detail = { readonly desc: DescMessage; readonly value: MessageInitShape<DescMessage> };

/** A list of goods in a detail, beside a short text: 500 of the longest ids, as many as an order may have by default. */
const GOODS_BYTES_MAX = 5_500;
/** The differences in a detail; the text of the error has the first KiB of them again. */
const DIFFERENCES_CHARACTERS_MAX = 1_200;

/** ErrorInfo's domain: whose reasons these are. */
const DOMAIN = "inventory.v1";
/** How long a caller is asked to wait before it sends the same request again. */
const RETRY_AFTER_MS = 100;

const WIRE_STATES: Readonly<Record<OrderState, WireOrderState>> = {
  held: WireOrderState.HELD,
  sold: WireOrderState.SOLD,
  released: WireOrderState.RELEASED,
  expired: WireOrderState.EXPIRED,
  rolled_back: WireOrderState.ROLLED_BACK,
  barred: WireOrderState.BARRED,
};

/** The answer to an operation that was refused. */
export function refusalError(refusal: Refusal): ConnectError {
  switch (refusal.reason) {
    case "unknown_goods": {
      return error(Code.NotFound, `unknown goods: ${summary(refusal.goodsIds, ", ")}`, [
        info("UNKNOWN_GOODS", goodsMetadata(refusal.goodsIds)),
      ]);
    }
    case "short_stock": {
      const lines = refusal.lines.map(({ goodsId, asked, available }) =>
        `goods ${goodsId} has ${available} available, asked ${asked}`
      );
      const details = refusal.lines.map((value): Detail => ({ desc: ShortStockSchema, value }));
      return error(Code.FailedPrecondition, `not enough stock: ${summary(lines)}`, details);
    }
    case "exceeds_sold": {
      const lines = refusal.lines.map(({ goodsId, asked, returnable }) =>
        `goods ${goodsId} has ${returnable} to give back, asked ${asked}`
      );
      const details = refusal.lines.map((value): Detail => ({ desc: ExceedsSoldSchema, value }));
      return error(Code.FailedPrecondition, `more than order ${refusal.orderId} sold: ${summary(lines)}`, details);
    }
    case "order_state": {
      const { orderId, state } = refusal;
      return error(Code.FailedPrecondition, `order ${orderId} is ${state.replace("_", " ")}`, [
        { desc: OrderStateConflictSchema, value: { orderId, state: WIRE_STATES[state] } },
      ]);
    }
    case "content_differs": {
      const { field, id } = refusal;
      const differences = refusal.differences.join("; ");
      return error(Code.AlreadyExists, `${field} ${id} was used with other content: ${differences}`, [
        info("CONTENT_DIFFERS", { field, [field]: id, differences: cutText(differences) }),
      ]);
    }
    case "out_of_range": {
      const { goodsIds } = refusal;
      return error(Code.OutOfRange, `on_hand would pass ${INT32_MAX}: goods ${summary(goodsIds, ", ")}`, [
        info("ON_HAND_OUT_OF_RANGE", goodsMetadata(goodsIds)),
      ]);
    }
  }
}

const FAILURES: Readonly<Record<FailureKind, readonly [Code, string]>> = {
  busy: [Code.Aborted, "GOODS_BUSY"],
  no_quorum: [Code.Unavailable, "NO_LOCK_QUORUM"],
  database: [Code.Unavailable, "DATABASE_UNAVAILABLE"],
  outcome_unknown: [Code.Unavailable, "OUTCOME_UNKNOWN"],
  queue_full: [Code.ResourceExhausted, "QUEUE_FULL"],
};

/**
 * The answer to an operation that came to no verdict. `ids` are the ids to retry under; they matter where
 * the server made them.
 */
export function failureError(failure: Failure, ids: Readonly<Record<string, string>> = {}): ConnectError {
  const [code, reason] = FAILURES[failure.kind];
  return error(code, failure.message, [info(reason, ids), retryInfo()]);
}

/** Every new call while the program shuts down. */
export function drainingError(): ConnectError {
  return error(Code.Unavailable, "shutting down", [info("DRAINING", {}), retryInfo()]);
}

/** There is no room for the message of a call, on top of those that are being worked on. */
export function budgetSpent(): ConnectError {
  return error(Code.ResourceExhausted, "too many bytes of messages are being worked on", [
    info("MESSAGE_BYTES_SPENT", {}),
    retryInfo(),
  ]);
}

/** A fault of the service: what caused it is for the log, under the request's id. */
export function internalError(): ConnectError {
  return new ConnectError("internal error", Code.Internal);
}

/** The article knows two codes where v1 has more: short stock is INVALID_ARGUMENT there. */
export function articleError(error: ConnectError): ConnectError {
  const short = error.details.some((detail) => "desc" in detail && detail.desc.typeName === ShortStockSchema.typeName);
  if (!short) return error;
  return new ConnectError(error.rawMessage, Code.InvalidArgument, error.metadata, [...error.details] as Detail[]);
}

/** With what of text and details fits into trailers. */
function error(code: Code, message: string, details: Detail[]): ConnectError {
  return boundError(new ConnectError(message, code, undefined, details));
}

function goodsMetadata(goodsIds: readonly number[]): Record<string, string> {
  let named = "";
  let count = 0;
  for (const goodsId of goodsIds) {
    if (named.length + 1 + `${goodsId}`.length > GOODS_BYTES_MAX) break;
    named += count === 0 ? goodsId : `,${goodsId}`;
    count++;
  }
  const more = goodsIds.length - count;
  return { goods_ids: named, ...(more > 0 ? { more: String(more) } : {}) };
}

function cutText(text: string): string {
  return text.length <= DIFFERENCES_CHARACTERS_MAX ? text : `${text.slice(0, DIFFERENCES_CHARACTERS_MAX)}…`;
}

function info(reason: string, metadata: Readonly<Record<string, string>>): Detail {
  return { desc: ErrorInfoSchema, value: { reason, domain: DOMAIN, metadata: { ...metadata } } };
}

function retryInfo(): Detail {
  const nanos = RETRY_AFTER_MS * 1_000_000;
  return { desc: RetryInfoSchema, value: { retryDelay: { seconds: 0n, nanos } } };
}

/** Lines that a message names one by one; the details have the others. */
const LINES_NAMED_MAX = 5;

function summary(items: readonly (string | number)[], separator = "; "): string {
  const named = items.slice(0, LINES_NAMED_MAX).join(separator);
  return items.length <= LINES_NAMED_MAX ? named : `${named}${separator}and ${items.length - LINES_NAMED_MAX} more`;
}
