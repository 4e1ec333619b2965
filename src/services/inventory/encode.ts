/**
 * What one operation came to, as the message or the error that says it: for a single call and for each part of a batch.
 * All of these throw what is to be answered as an error.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  InvDetailResponseSchema,
  LineSchema,
  RollbackResponseSchema,
  SellResponseSchema,
  SetInvResponseSchema,
} from "../../gen/inventory/v1/inventory_pb.ts";
import type { Line } from "../../inventory/model.ts";
import { keyOf, type Place, type StockKey } from "../../inventory/stock_key.ts";
import type { SetOperation } from "../../inventory/operations/set.ts";
import type { GoodsLevels, NamedLevel } from "../../inventory/levels.ts";
import { applied, type Asked, type Ending, errorOf, levelMessage } from "../ending.ts";
import { refusalError, tooManyLocations } from "../refusals.ts";
import { withSkus } from "../skus.ts";
import type { AskedRollback, AskedSell } from "./decode.ts";

/** @throws ConnectError for what the caller can know, the fault itself for anything else */
export function setAnswer(
  asked: Asked<SetOperation>,
  ending: Ending,
): MessageInitShape<typeof SetInvResponseSchema> {
  const message = levelMessage(applied(asked, ending, "set").level);
  return { ...message, sku: asked.skus?.get(message.goodsId) ?? "" };
}

/** @throws ConnectError for what the caller can know, the fault itself for anything else */
export function sellAnswer(asked: AskedSell, ending: Ending): MessageInitShape<typeof SellResponseSchema> {
  const { order, replayed = false } = applied(asked, ending, "sell");
  const isSold = replayed || asked.operation.dryRun !== true;
  const answer: MessageInitShape<typeof SellResponseSchema> = {
    goodsInfo: lineMessages(order.lines, asked.skus),
    orderId: asked.named,
    replayed,
  };
  if (isSold) answer.soldAt = timestampFromMs(order.atMs);
  if (order.asked !== undefined) answer.short = withSkus(shortLines(order.lines, order.asked), asked.skus);
  return answer;
}

/** The lines of which less was taken than asked for. */
function shortLines(
  lines: readonly Line[],
  asked: readonly number[],
) {
  return lines.flatMap(({ goodsId, locationId, num }, i) => {
    const wanted = asked[i] ?? num;
    return wanted > num ? [{ goodsId, locationId, asked: wanted, available: num }] : [];
  });
}

/** @throws ConnectError for what the caller can know, the fault itself for anything else */
export function rollbackAnswer(
  asked: AskedRollback,
  ending: Ending,
): MessageInitShape<typeof RollbackResponseSchema> {
  const { given, replayed = false } = applied(asked, ending, "rollback");
  return { goodsInfo: lineMessages(given, asked.skus), ...asked.named, replayed };
}

/**
 * The levels of a goods at all of its locations, as they were read.
 *
 * @throws ConnectError for what the caller can know, the fault itself for anything else
 */
export function locationsAnswer(
  { goodsId, sku }: { readonly goodsId: number; readonly sku: string | undefined },
  ending: ReadonlyMap<number, GoodsLevels> | Error,
): MessageInitShape<typeof InvDetailResponseSchema> {
  if (ending instanceof Error) throw errorOf(ending);
  const { levels, isCut } = ending.get(goodsId) ?? { levels: [], isCut: false };
  if (isCut) throw tooManyLocations(goodsId);
  if (levels.length === 0) throw refusalError({ reason: "unknown_goods", places: [{ goodsId, locationId: 0 }] });
  const locations = levels.map(levelMessage);
  const sum = (of: (level: (typeof locations)[number]) => number) =>
    BigInt(locations.reduce((total, level) => total + of(level), 0));
  return {
    goodsId,
    ...(sku === undefined ? {} : { sku }),
    allLocations: {
      levels: locations,
      num: sum((level) => level.num),
      onHand: sum((level) => level.onHand),
      reserved: sum((level) => level.reserved),
    },
  };
}

/**
 * The level of a goods out of those that were read.
 *
 * @throws ConnectError for what the caller can know, the fault itself for anything else
 */
export function detailAnswer(
  place: Place,
  ending: ReadonlyMap<StockKey, NamedLevel> | Error,
): MessageInitShape<typeof InvDetailResponseSchema> {
  if (ending instanceof Error) throw errorOf(ending);
  const level = ending.get(keyOf(place));
  if (level === undefined) throw refusalError({ reason: "unknown_goods", places: [place] });
  return { ...levelMessage(level), sku: level.sku ?? "" };
}

/** Lines that came to something; `skus`: what the request calls goods by sku, by goods id. */
function lineMessages(
  lines: readonly Line[],
  skus: ReadonlyMap<number, string> | undefined,
): MessageInitShape<typeof LineSchema>[] {
  return withSkus(lines.filter(({ num }) => num > 0), skus);
}
