/** What went wrong with a call, in the words of a shop, line by line, and whether it may be sent again. Pure. */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import {
  type CurrentLevel,
  CurrentLevelSchema,
  ExceedsHeldSchema,
  ExceedsSoldSchema,
  LimitExceededSchema,
  LimitOf,
  OrderState,
  OrderStateConflictSchema,
  ShortfallSchema,
  ShortStockSchema,
} from "../../gen/inventory/v1/inventory_pb.ts";
import type { en } from "../words/errors.ts";
import type { en as ledger } from "../words/ledger.ts";
import type { Formats } from "./formats.ts";

/** What to say of an error. */
export interface Trouble {
  /** A sentence. */
  readonly text: string;
  /** More of it, one of these a line of the order, a field and so on. */
  readonly lines: readonly string[];
  /** The same may be sent again: now or later it may get through. */
  readonly mayRetry: boolean;
  /** Whether it was done is not known. */
  readonly isUnsure: boolean;
  /** What stands there, where it was not as expected. */
  readonly current?: CurrentLevel;
}

/** What troubles are said with. */
export interface Speech {
  readonly words: typeof en;
  readonly states: (typeof ledger)["states"];
  readonly formats: Pick<Formats, "number">;
}

/** A goods as an error names it. */
interface Named {
  readonly goodsId: number;
  readonly locationId: number;
  readonly sku: string;
}

/** What to say of whatever a call threw. */
export function troubleOf(thrown: unknown, speech: Speech): Trouble {
  const error = ConnectError.from(thrown);
  const { words } = speech;
  const [current] = error.findDetails(CurrentLevelSchema);
  const mayRetry = RETRYABLE.has(error.code) && current === undefined;
  const reason = error.findDetails(ErrorInfoSchema)[0]?.reason;
  const isUnsure = reason === "OUTCOME_UNKNOWN" || error.code === Code.DeadlineExceeded ||
    error.code === Code.Canceled ||
    // A browser says no more than that where a connection broke.
    (error.code === Code.Unknown && error.cause instanceof TypeError);
  const said = isUnsure ? { text: words.unsure, lines: [] } : sayDetails(error, speech) ?? sayCode(error, words);
  const id = error.metadata.get("x-request-id") ?? "";
  // What the reader can mend needs no operator.
  const quoted = id !== "" && (isUnsure || QUOTED.has(error.code)) ? [words.quote(id)] : [];
  return {
    text: said.text,
    lines: [...said.lines, ...quoted],
    mayRetry: mayRetry || isUnsure,
    isUnsure,
    ...(current === undefined ? {} : { current }),
  };
}

/** What the log of the server may say more of. */
const QUOTED: ReadonlySet<Code> = new Set([Code.Unavailable, Code.ResourceExhausted, Code.PermissionDenied]);
const RETRYABLE: ReadonlySet<Code> = new Set([Code.Unavailable, Code.ResourceExhausted, Code.Aborted, Code.Internal]);

interface Said {
  readonly text: string;
  readonly lines: readonly string[];
}

/** What the details of an error say; undefined where there are none that say anything to a reader. */
function sayDetails(error: ConnectError, { words, states, formats }: Speech): Said | undefined {
  const num = (value: number) => formats.number(value);
  const goods = ({ goodsId, locationId, sku }: Named) =>
    words.goods(sku === "" ? words.byId(goodsId) : sku, locationId);
  const all = <D extends DescMessage>(desc: D, text: string, line: (detail: MessageShape<D>) => string) => {
    const lines = error.findDetails(desc).map(line);
    return lines.length === 0 ? undefined : { text, lines };
  };
  const [shortfall] = error.findDetails(ShortfallSchema);
  if (shortfall !== undefined) {
    return {
      text: words.shortfall,
      lines: shortfall.lines.map((line) => words.shortLine(goods(line), num(line.asked), num(line.available))),
    };
  }
  const [state] = error.findDetails(OrderStateConflictSchema);
  if (state !== undefined) {
    const name = (OrderState[state.state] ?? "").toLowerCase() as keyof typeof states;
    return { text: words.state(states[name] ?? name), lines: [] };
  }
  return all(
    ShortStockSchema,
    words.short,
    (line) => words.shortLine(goods(line), num(line.asked), num(line.available)),
  ) ??
    all(
      ExceedsSoldSchema,
      words.exceedsSold,
      (line) => words.exceedsLine(goods(line), num(line.asked), num(line.returnable)),
    ) ??
    all(
      ExceedsHeldSchema,
      words.exceedsHeld,
      (line) => words.exceedsLine(goods(line), num(line.asked), num(line.held)),
    ) ??
    all(
      LimitExceededSchema,
      words.limit,
      (line) =>
        line.limit === LimitOf.BUYER
          ? words.limitBuyer(goods(line), num(line.asked), num(line.max), num(line.taken))
          : words.limitOrder(goods(line), num(line.asked), num(line.max)),
    ) ??
    all(
      CurrentLevelSchema,
      words.changed,
      (level) => words.changedLine(goods(level), num(level.num), num(level.onHand)),
    ) ??
    sayReason(error, words) ??
    all(
      BadRequestSchema,
      words.invalid,
      ({ fieldViolations }) => fieldViolations.map(({ field, description }) => `${field}: ${description}`).join("\n"),
    );
}

function sayReason(error: ConnectError, words: typeof en): Said | undefined {
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info === undefined) return undefined;
  const { metadata } = info;
  switch (info.reason) {
    case "BUYER_REQUIRED":
      return { text: words.buyerRequired, lines: [] };
    case "HAS_HOLDS":
      return { text: words.hasHolds(metadata.reserved ?? ""), lines: [] };
    case "BELOW_FLOOR":
      return { text: words.belowFloor(metadata.available ?? ""), lines: [] };
    case "CONTENT_DIFFERS":
      return { text: words.contentDiffers, lines: metadata.differences === undefined ? [] : [metadata.differences] };
    case "ON_HAND_OUT_OF_RANGE":
    case "RESERVED_OUT_OF_RANGE":
      return { text: words.tooLarge, lines: [] };
    case "UNKNOWN_GOODS":
      return { text: words.unknownGoods, lines: (metadata.goods_ids ?? "").split(",").filter((id) => id !== "") };
    case "UNKNOWN_SKU":
      return { text: words.unknownSku, lines: listed(metadata.skus) };
    case "OTHER_SHORTFALL":
      return { text: words.otherShortfall, lines: [] };
    case "UNKNOWN_SHORTFALL":
      return { text: words.unknownShortfall, lines: [] };
    case "GOODS_BUSY":
      return { text: words.busy, lines: [] };
    case "QUERY_TOO_LONG":
      return { text: words.tooLong, lines: [] };
    case "RIGHT_MISSING":
      return { text: words.right(metadata.right ?? ""), lines: [] };
    default:
      return undefined;
  }
}

function listed(json: string | undefined): string[] {
  try {
    const skus: unknown = JSON.parse(json ?? "[]");
    return Array.isArray(skus) ? skus.map(String) : [];
  } catch {
    return [];
  }
}

function sayCode({ code, metadata, rawMessage }: ConnectError, words: typeof en): Said {
  switch (code) {
    case Code.NotFound:
      return { text: words.notFound, lines: [] };
    case Code.Unavailable:
    case Code.Unknown:
      return { text: words.away, lines: [] };
    case Code.ResourceExhausted:
      return { text: words.overloaded, lines: [] };
    case Code.Aborted:
      return { text: words.busy, lines: [] };
    case Code.Unauthenticated:
      return { text: words.unauthenticated, lines: [] };
    case Code.PermissionDenied:
      return { text: words.denied, lines: [rawMessage] };
    case Code.Unimplemented:
      return { text: words.unimplemented, lines: [] };
    case Code.Internal:
    case Code.DataLoss:
      return { text: words.internal(metadata.get("x-request-id") ?? ""), lines: [] };
    default:
      return { text: words.invalid, lines: [rawMessage] };
  }
}
