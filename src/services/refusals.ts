/** What an operation was refused for, or failed by, as an error with its code and details. */
import { Code, type ConnectError } from "@connectrpc/connect";
import {
  ExceedsSoldSchema,
  OrderState as WireOrderState,
  OrderStateConflictSchema,
  ShortStockSchema,
} from "../gen/inventory/v1/inventory_pb.ts";
import { INT32_MAX, type OrderState, type Refusal } from "../inventory/model.ts";
import type { Failure, FailureKind } from "../lanes/failure.ts";
import { type Detail, detailedError, info, retryInfo } from "../rpc/errors.ts";

/**
 * A list of goods in a detail, beside a short text: 500 of the longest ids, as many as an order may have by default.
 */
const GOODS_BYTES_MAX = 5_500;
/** The differences in a detail; the text of the error has the first KiB of them again. */
const DIFFERENCES_CHARACTERS_MAX = 1_200;

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
      return detailedError(Code.NotFound, `unknown goods: ${summary(refusal.goodsIds, ", ")}`, [
        info("UNKNOWN_GOODS", goodsMetadata(refusal.goodsIds)),
      ]);
    }
    case "short_stock": {
      const lines = refusal.lines.map(({ goodsId, asked, available }) =>
        `goods ${goodsId} has ${available} available, asked ${asked}`
      );
      const details = refusal.lines.map((value): Detail => ({ desc: ShortStockSchema, value }));
      return detailedError(Code.FailedPrecondition, `not enough stock: ${summary(lines)}`, details);
    }
    case "exceeds_sold": {
      const lines = refusal.lines.map(({ goodsId, asked, returnable }) =>
        `goods ${goodsId} has ${returnable} to give back, asked ${asked}`
      );
      const details = refusal.lines.map((value): Detail => ({ desc: ExceedsSoldSchema, value }));
      return detailedError(
        Code.FailedPrecondition,
        `more than order ${refusal.orderId} sold: ${summary(lines)}`,
        details,
      );
    }
    case "order_state": {
      const { orderId, state } = refusal;
      return detailedError(Code.FailedPrecondition, `order ${orderId} is ${state.replace("_", " ")}`, [
        { desc: OrderStateConflictSchema, value: { orderId, state: WIRE_STATES[state] } },
      ]);
    }
    case "content_differs": {
      const { field, id } = refusal;
      const differences = refusal.differences.join("; ");
      return detailedError(Code.AlreadyExists, `${field} ${id} was used with other content: ${differences}`, [
        info("CONTENT_DIFFERS", { field, [field]: id, differences: cutText(differences) }),
      ]);
    }
    case "out_of_range": {
      const { goodsIds } = refusal;
      return detailedError(Code.OutOfRange, `on_hand would pass ${INT32_MAX}: goods ${summary(goodsIds, ", ")}`, [
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
  return detailedError(code, failure.message, [info(reason, ids), retryInfo()]);
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

/** Lines that a message names one by one; the details have the others. */
const LINES_NAMED_MAX = 5;

function summary(items: readonly (string | number)[], separator = "; "): string {
  const named = items.slice(0, LINES_NAMED_MAX).join(separator);
  return items.length <= LINES_NAMED_MAX ? named : `${named}${separator}and ${items.length - LINES_NAMED_MAX} more`;
}
