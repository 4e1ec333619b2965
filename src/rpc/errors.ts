/**
 * Refusals and failures as status codes with typed details. The one place where a code is chosen.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import {
  ExceedsSoldSchema,
  OrderState as WireOrderState,
  OrderStateConflictSchema,
  ShortStockSchema,
} from "../gen/inventory/v1/inventory_pb.ts";
import type { OrderState, Refusal } from "../inventory/model.ts";
import type { Failure, FailureKind } from "../lanes/failure.ts";
import { DETAILS_MAX } from "./validation.ts";

type Detail = NonNullable<ConstructorParameters<typeof ConnectError>[3]>[number];

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
      const ids = refusal.goodsIds.join(",");
      return error(Code.NotFound, `unknown goods: ${ids}`, [info("UNKNOWN_GOODS", { goods_ids: ids })]);
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
      const ids = refusal.goodsIds.join(",");
      return error(Code.OutOfRange, `on_hand would pass 2147483647: goods ${ids}`, [
        info("ON_HAND_OUT_OF_RANGE", { goods_ids: ids }),
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

/** The article knows two codes where v1 has more: short stock is INVALID_ARGUMENT there. */
export function articleError(error: ConnectError): ConnectError {
  const short = error.details.some((detail) => "desc" in detail && detail.desc.typeName === ShortStockSchema.typeName);
  if (!short) return error;
  return new ConnectError(error.rawMessage, Code.InvalidArgument, error.metadata, [...error.details] as Detail[]);
}

function error(code: Code, message: string, details: Detail[]): ConnectError {
  return new ConnectError(message, code, undefined, details.slice(0, DETAILS_MAX));
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

function summary(lines: readonly string[]): string {
  if (lines.length <= LINES_NAMED_MAX) return lines.join("; ");
  return `${lines.slice(0, LINES_NAMED_MAX).join("; ")}; and ${lines.length - LINES_NAMED_MAX} more`;
}
