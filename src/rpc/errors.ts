/**
 * Refusals and failures as status codes with typed details. The one place where a code is chosen.
 */
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
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

type Detail = { readonly desc: DescMessage; readonly value: MessageInitShape<DescMessage> };

/** All details of one error together: in base64 they stay at 8 KiB, which some clients have as their limit. */
const DETAILS_BYTES_MAX = 6 * 1024;
/** What Any adds to a detail, beside the name of its type. */
const ANY_BYTES = 30;
/** Goods that one detail names; as many as an order may have by default. */
const GOODS_NAMED_MAX = 500;

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
        info("CONTENT_DIFFERS", { field, [field]: id, differences }),
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

/** The first details that fit; one always does. */
function error(code: Code, message: string, details: Detail[]): ConnectError {
  let bytes = 0;
  const fitting: Detail[] = [];
  for (const { desc, value } of details) {
    bytes += ANY_BYTES + desc.typeName.length + toBinary(desc, create(desc, value)).length;
    if (bytes > DETAILS_BYTES_MAX) break;
    fitting.push({ desc, value });
  }
  return new ConnectError(message, code, undefined, fitting);
}

function goodsMetadata(goodsIds: readonly number[]): Record<string, string> {
  const more = goodsIds.length - GOODS_NAMED_MAX;
  return { goods_ids: goodsIds.slice(0, GOODS_NAMED_MAX).join(","), ...(more > 0 ? { more: String(more) } : {}) };
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
