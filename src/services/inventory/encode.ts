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
} from "../../gen/inventory/v1/inventory_pb.ts";
import { available } from "../../inventory/levels.ts";
import type { Applied, Level, Line, Verdict } from "../../inventory/model.ts";
import type { SellOperation } from "../../inventory/operations/sell.ts";
import { keyOf, type Place, type StockKey } from "../../inventory/stock_key.ts";
import type { SetOperation } from "../../inventory/operations/set.ts";
import { Failure } from "../../lanes/failure.ts";
import { failureError, refusalError } from "../refusals.ts";
import type { Asked, AskedRollback } from "./decode.ts";

/** How an operation ended: its verdict; or, where it came to none, why: a Failure, the end of its call, or a fault. */
export type Ending = Verdict | Error;

/** @throws ConnectError for what the caller can know, the fault itself for anything else */
export function setAnswer(
  asked: Asked<SetOperation>,
  ending: Ending,
): ReturnType<typeof levelMessage> {
  return levelMessage(applied(asked, ending, "set").level);
}

/** @throws ConnectError for what the caller can know, the fault itself for anything else */
export function sellAnswer(asked: Asked<SellOperation>, ending: Ending): MessageInitShape<typeof SellResponseSchema> {
  const { order } = applied(asked, ending, "sell");
  return {
    goodsInfo: lineMessages(order.lines),
    orderId: asked.operation.orderId,
    soldAt: timestampFromMs(order.atMs),
  };
}

/** @throws ConnectError for what the caller can know, the fault itself for anything else */
export function rollbackAnswer(
  asked: AskedRollback,
  ending: Ending,
): MessageInitShape<typeof RollbackResponseSchema> {
  return { goodsInfo: lineMessages(applied(asked, ending, "rollback").given), ...asked.named };
}

/**
 * The level of a goods out of those that were read.
 *
 * @throws ConnectError for what the caller can know, the fault itself for anything else
 */
export function detailAnswer(
  place: Place,
  ending: ReadonlyMap<StockKey, Level> | Error,
): MessageInitShape<typeof InvDetailResponseSchema> {
  if (ending instanceof Error) throw errorOf(ending);
  const level = ending.get(keyOf(place));
  if (level === undefined) throw refusalError({ reason: "unknown_goods", places: [place] });
  return levelMessage(level);
}

/** Lines that came to something. */
export function lineMessages(lines: readonly Line[]): MessageInitShape<typeof LineSchema>[] {
  return lines.filter(({ num }) => num > 0);
}

function levelMessage(level: Level) {
  const { goodsId, locationId, onHand, reserved, version } = level;
  return { goodsId, num: available(level), onHand, reserved, version: BigInt(version), locationId };
}

function applied<K extends Applied["kind"]>(
  { operation, ids }: Asked,
  ending: Ending,
  kind: K,
): Extract<Applied, { kind: K }> {
  if (ending instanceof Error) throw errorOf(ending, ids);
  if (!ending.ok) throw refusalError(ending.refusal);
  if (ending.kind !== kind) throw new Error(`The lanes answered a ${ending.kind} to a ${operation.kind}`);
  return ending as Extract<Applied, { kind: K }>;
}

function errorOf(error: Error, ids?: Readonly<Record<string, string>>): Error {
  return error instanceof Failure ? failureError(error, ids) : error;
}
