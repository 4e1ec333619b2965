/** What an operation was refused for, or failed by, as an error with its code and details. */
import { Code, type ConnectError } from "@connectrpc/connect";
import {
  CurrentLevelSchema,
  ExceedsHeldSchema,
  ExceedsSoldSchema,
  LimitExceededSchema,
  LimitOf,
  OrderState as WireOrderState,
  OrderStateConflictSchema,
  ShortfallSchema,
  ShortStockSchema,
} from "../gen/inventory/v1/inventory_pb.ts";
import { available, LOCATIONS_MAX } from "../inventory/levels.ts";
import { placeText } from "../inventory/lines.ts";
import { INT32_MAX, type OrderState, type Refusal, type Shortfall } from "../inventory/model.ts";
import { keyOf, type Place } from "../inventory/stock_key.ts";
import type { Failure, FailureKind } from "../lanes/failure.ts";
import { type Detail, detailedError, info, retryInfo } from "../rpc/errors.ts";
import { withSkus } from "./skus.ts";

/**
 * A list of goods in a detail, beside a short text: 500 of the longest ids, as many as an order may have by default.
 */
const GOODS_BYTES_MAX = 5_500;
/** The differences in a detail; the text of the error has the first KiB of them again. */
const DIFFERENCES_CHARACTERS_MAX = 1_200;

/** The lines of a Shortfall, all in one detail, which is there or is not: beside the longest text. */
const SHORTFALL_BYTES_MAX = 4_000;
/** A line without its sku: tags, lengths and four numbers, of which what is available may be below 0. */
const SHORTFALL_LINE_BYTES = 35;
/** Of a character, in UTF-8. */
const CHARACTER_BYTES_MAX = 4;

/** The states of an order as the wire names them. */
export const WIRE_STATES: Readonly<Record<OrderState, WireOrderState>> = {
  held: WireOrderState.HELD,
  sold: WireOrderState.SOLD,
  released: WireOrderState.RELEASED,
  expired: WireOrderState.EXPIRED,
  rolled_back: WireOrderState.ROLLED_BACK,
  barred: WireOrderState.BARRED,
};

/** What a request calls goods by sku, by goods id. */
type Skus = ReadonlyMap<number, string> | undefined;

/** The answer to an operation that was refused; its details call goods what the request called them. */
export function refusalError(refusal: Refusal, skus?: Skus): ConnectError {
  switch (refusal.reason) {
    case "unknown_goods": {
      return detailedError(Code.NotFound, `unknown goods: ${summary(refusal.places.map(keyOf), ", ")}`, [
        info("UNKNOWN_GOODS", goodsMetadata(refusal.places)),
      ]);
    }
    case "short_stock": {
      const lines = refusal.lines.map((line) =>
        `${placeText(line)} has ${line.available} available, asked ${line.asked}`
      );
      return detailedError(
        Code.FailedPrecondition,
        `not enough stock: ${summary(lines)}`,
        withSkus(refusal.lines, skus).map((line): Detail => ({ desc: ShortStockSchema, value: { ...line } })),
      );
    }
    case "shortfall":
      return shortfallError(refusal.shortfall, false, skus);
    case "exceeds_sold": {
      const lines = refusal.lines.map((line) =>
        `${placeText(line)} has ${line.returnable} to give back, asked ${line.asked}`
      );
      const details = withSkus(refusal.lines, skus).map((line): Detail => ({
        desc: ExceedsSoldSchema,
        value: { ...line },
      }));
      return detailedError(
        Code.FailedPrecondition,
        `more than order ${refusal.orderId} sold: ${summary(lines)}`,
        details,
      );
    }
    case "exceeds_held": {
      const lines = refusal.lines.map((line) => `${placeText(line)} has ${line.held} held, asked ${line.asked}`);
      const details = withSkus(refusal.lines, skus).map((line): Detail => ({
        desc: ExceedsHeldSchema,
        value: { ...line },
      }));
      return detailedError(
        Code.FailedPrecondition,
        `more than order ${refusal.orderId} has held: ${summary(lines)}`,
        details,
      );
    }
    case "over_limit": {
      const limit = refusal.limit === "order" ? LimitOf.ORDER : LimitOf.BUYER;
      const lines = refusal.lines.map((line) =>
        `${placeText(line)} allows ${line.max}, ` +
        (refusal.limit === "order" ? `asked ${line.asked}` : `has ${line.taken}, asked ${line.asked}`)
      );
      const details = withSkus(refusal.lines, skus).map((line): Detail => ({
        desc: LimitExceededSchema,
        value: { ...line, limit },
      }));
      return detailedError(
        Code.FailedPrecondition,
        `over the limit of one ${refusal.limit}: ${summary(lines)}`,
        details,
      );
    }
    case "buyer_required": {
      const goods = summary(refusal.places.map(placeText), ", ");
      return detailedError(
        Code.FailedPrecondition,
        `a buyer_id is needed, as one buyer's units are limited: ${goods}`,
        [
          info("BUYER_REQUIRED", goodsMetadata(refusal.places)),
        ],
      );
    }
    case "unknown_order": {
      const { orderId } = refusal;
      return detailedError(Code.NotFound, `unknown order: ${orderId}`, [info("UNKNOWN_ORDER", { order_id: orderId })]);
    }
    case "order_state": {
      const { orderId, state } = refusal;
      return detailedError(Code.FailedPrecondition, `order ${orderId} is ${state.replace("_", " ")}`, [
        { desc: OrderStateConflictSchema, value: { orderId, state: WIRE_STATES[state] } },
      ]);
    }
    case "content_differs": {
      const { field, id } = refusal;
      return contentDiffers(field, id, refusal.differences.join("; "));
    }
    case "out_of_range":
      return outOfRange(refusal);
    case "not_as_expected": {
      const { place, level } = refusal;
      const { onHand = 0, reserved = 0, version = 0 } = level ?? {};
      const num = available(level);
      const words = level === undefined ? "is unknown" : `has ${num} available, ${onHand} on hand, version ${version}`;
      return detailedError(Code.Aborted, `not as expected: ${placeText(place)} ${words}`, [
        {
          desc: CurrentLevelSchema,
          value: { ...withSkus([place], skus)[0], num, onHand, reserved, version: BigInt(version) },
        },
      ]);
    }
    case "has_holds": {
      const { place, reserved } = refusal;
      return detailedError(Code.FailedPrecondition, `live holds have ${reserved} units of ${placeText(place)}`, [
        info("HAS_HOLDS", { ...goodsMetadata([place]), reserved: `${reserved}` }),
      ]);
    }
    case "below_floor": {
      const { place, available: free } = refusal;
      return detailedError(
        Code.FailedPrecondition,
        `${placeText(place)} has ${free} available, below what the policy allows`,
        [info("BELOW_FLOOR", { ...goodsMetadata([place]), available: `${free}` })],
      );
    }
  }
}

/** What an int32 can't say any more, by its name. */
function outOfRange({ of, places }: Extract<Refusal, { readonly reason: "out_of_range" }>): ConnectError {
  const words = {
    on_hand: "on_hand would pass",
    reserved: "reserved would pass",
    rise: "on_hand would rise by more than",
  };
  const goods = goodsMetadata(places);
  return detailedError(Code.OutOfRange, `${words[of]} ${INT32_MAX}: goods ${summary(places.map(keyOf), ", ")}`, [
    of === "reserved" ? info("RESERVED_OUT_OF_RANGE", goods) : info("ON_HAND_OUT_OF_RANGE", goods),
  ]);
}

/** The error of a confirmation that came too late; `recorded`: it is on record as such. */
export function shortfallError({ orderId, lines }: Shortfall, recorded: boolean, skus: Skus): ConnectError {
  const words = lines.map((line) => `${placeText(line)} has ${line.available} available, asked ${line.asked}`);
  return detailedError(
    Code.FailedPrecondition,
    `hold ${orderId} has expired, and its stock is gone: ${summary(words)}`,
    [
      { desc: ShortfallSchema, value: { orderId, lines: fitting(withSkus(lines, skus)), recorded } },
    ],
  );
}

/** The first lines that fit into one detail; of 500 with the longest numbers more than a hundred. */
function fitting<L extends { readonly sku?: string }>(lines: readonly L[]): readonly L[] {
  let bytes = 0;
  const end = lines.findIndex(({ sku = "" }) =>
    (bytes += SHORTFALL_LINE_BYTES + [...sku].length * CHARACTER_BYTES_MAX) > SHORTFALL_BYTES_MAX
  );
  return end === -1 ? lines : lines.slice(0, end);
}

/** A goods that is at more locations than are answered at once. */
export function tooManyLocations(goodsId: number): ConnectError {
  return detailedError(
    Code.FailedPrecondition,
    `goods ${goodsId} is at more than ${LOCATIONS_MAX} locations: ask for those that you need`,
    [info("TOO_MANY_LOCATIONS", { goods_id: `${goodsId}`, max: `${LOCATIONS_MAX}` })],
  );
}

/** A call that says by this header who asks, and is not believed. @param why as `is taken from ... only` */
export function untrustedActor(header: string, why: string): ConnectError {
  return detailedError(Code.PermissionDenied, `${header} ${why}`, [info("ACTOR_NOT_TRUSTED", { header })]);
}

/** A sku is another goods' already, or a goods has another sku already: names both, as they are. */
export function skuTaken(
  asked: { readonly sku: string; readonly goodsId: number | undefined },
  taken: { readonly goodsId: number; readonly sku?: string },
): ConnectError {
  const sku = JSON.stringify(taken.sku);
  const words = taken.sku === asked.sku
    ? `sku ${sku} is that of goods ${taken.goodsId}, not of goods ${asked.goodsId}`
    : `goods ${taken.goodsId} has the sku ${sku} already, not ${JSON.stringify(asked.sku)}`;
  return detailedError(Code.AlreadyExists, words, [
    info("SKU_TAKEN", { goods_id: `${taken.goodsId}`, sku: taken.sku ?? "" }),
  ]);
}

/** None of the goods ids that were looked at was free. */
export function noFreeGoodsId(): ConnectError {
  return detailedError(Code.Unavailable, "all of the next goods ids are in use", [
    info("GOODS_IDS_IN_USE", {}),
    retryInfo(),
  ]);
}

/** No more reasons may be added. */
export function tooManyReasons(): ConnectError {
  return detailedError(Code.ResourceExhausted, "there are as many reasons as there may be", [
    info("TOO_MANY_REASONS", {}),
  ]);
}

/** A reason is there already, with another description. */
export function reasonDiffers(
  { code, description }: { readonly code: string; readonly description: string },
): ConnectError {
  const differences = `description is ${JSON.stringify(description)}`;
  return contentDiffers("reason", code, differences);
}

const FAILURES: Readonly<Record<FailureKind, readonly [Code, string]>> = {
  busy: [Code.Aborted, "GOODS_BUSY"],
  no_quorum: [Code.Unavailable, "NO_LOCK_QUORUM"],
  database: [Code.Unavailable, "DATABASE_UNAVAILABLE"],
  read_only: [Code.Unavailable, "DATABASE_READ_ONLY"],
  outcome_unknown: [Code.Unavailable, "OUTCOME_UNKNOWN"],
  queue_full: [Code.ResourceExhausted, "QUEUE_FULL"],
  deadline_too_short: [Code.ResourceExhausted, "DEADLINE_TOO_SHORT"],
};

/**
 * The answer to an operation that came to no verdict. `ids` are the ids to retry under; they matter where
 * the server made them.
 */
export function failureError(failure: Failure, ids: Readonly<Record<string, string>> = {}): ConnectError {
  const [code, reason] = FAILURES[failure.kind];
  return detailedError(code, failure.message, [info(reason, ids), retryInfo(failure.retryAfterMs)]);
}

function contentDiffers(field: string, id: string, differences: string): ConnectError {
  return detailedError(Code.AlreadyExists, `${field} ${id} was used with other content: ${differences}`, [
    info("CONTENT_DIFFERS", { field, [field]: id, differences: cutText(differences) }),
  ]);
}

function goodsMetadata(places: readonly Place[]): Record<string, string> {
  let named = "";
  let count = 0;
  for (const key of places.map(keyOf)) {
    if (named.length + 1 + `${key}`.length > GOODS_BYTES_MAX) break;
    named += count === 0 ? key : `,${key}`;
    count++;
  }
  const more = places.length - count;
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
