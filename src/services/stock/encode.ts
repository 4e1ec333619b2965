/** What calls of StockService came to, as messages. All of these throw what is to be answered as an error. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  CountInvResponseSchema,
  GetPolicyResponseSchema,
  PlaceLevelSchema,
} from "../../gen/inventory/v1/stock_pb.ts";
import type { Level } from "../../inventory/model.ts";
import { keyOf, type Place, type StockKey } from "../../inventory/stock_key.ts";
import { applied, type Asked, type Ending, errorOf, levelMessage } from "../ending.ts";
import { refusalError } from "../refusals.ts";
import { withSkus } from "../skus.ts";
import type { AskedOperation } from "./decode.ts";
import { policyMessage } from "./policy.ts";

/** The answer to an adjustment and to a transfer. @throws ConnectError, or the fault itself */
export function levelsAnswer(asked: AskedOperation, ending: Ending) {
  const { levels, replayed = false } = applied(asked, ending, "stock");
  return { levels: withSkus(levels.map(levelMessage), asked.skus), ...asked.named, replayed };
}

/** The answer to a count. @throws ConnectError, or the fault itself */
export function countAnswer(asked: AskedOperation, ending: Ending): MessageInitShape<typeof CountInvResponseSchema> {
  return { ...placeAnswer(asked, ending), ...asked.named };
}

/** What a place stands at after an operation on it. @throws ConnectError, or the fault itself */
export function placeAnswer(
  asked: Asked,
  ending: Ending,
): { readonly level: MessageInitShape<typeof PlaceLevelSchema>; readonly replayed: boolean } {
  const { level, replayed } = placeOf(asked, ending);
  return { level: namedLevel(level, asked), replayed };
}

/** The same with its policy. @throws ConnectError, or the fault itself */
export function policyAnswer(asked: Asked, ending: Ending) {
  const { level, replayed } = placeOf(asked, ending);
  return { level: namedLevel(level, asked), policy: policyMessage(level.policy), replayed };
}

/** A level as the request names its goods. */
export function namedLevel(level: Level, { skus }: Asked): MessageInitShape<typeof PlaceLevelSchema> {
  return { ...levelMessage(level), sku: skus?.get(level.goodsId) ?? "" };
}

/** The policy of a place out of those that were read. @throws ConnectError, or the fault itself */
export function readPolicyAnswer(
  { goodsId, locationId, sku }: Place & { readonly sku: string },
  ending: ReadonlyMap<StockKey, Level> | Error,
): MessageInitShape<typeof GetPolicyResponseSchema> {
  if (ending instanceof Error) throw errorOf(ending);
  const place = { goodsId, locationId };
  const level = ending.get(keyOf(place));
  if (level === undefined || level.deleted) throw refusalError({ reason: "unknown_goods", places: [place] });
  return { ...place, sku, policy: policyMessage(level.policy) };
}

function placeOf(asked: Asked, ending: Ending): { readonly level: Level; readonly replayed: boolean } {
  const { levels: [level], replayed = false } = applied(asked, ending, "stock");
  if (level === undefined) throw new Error(`The lanes answered a ${asked.operation.kind} without a level`);
  return { level, replayed };
}
