/** How an operation ended, and what of it a caller is answered: for a single call and for each part of a batch. */
import type { HandlerContext } from "@connectrpc/connect";
import { available } from "../inventory/levels.ts";
import type { Applied, Level, Verdict } from "../inventory/model.ts";
import type { Operation } from "../inventory/operations/operation.ts";
import { Failure } from "../lanes/failure.ts";
import type { Lanes } from "../lanes/lanes.ts";
import { callSignal } from "../rpc/deadline.ts";
import { callerAddress } from "../transport/addresses.ts";
import { failureError, refusalError } from "./refusals.ts";

/** An operation that a caller asks for. */
export interface Asked<O extends Operation = Operation> {
  readonly operation: O;
  /** Go into an error after which the caller must not send a new id; they matter where the server made them. */
  readonly ids?: Readonly<Record<string, string>>;
  /** What the request calls goods by sku, by goods id; absent: nothing. */
  readonly skus?: ReadonlyMap<number, string> | undefined;
}

/** Its verdict; or, where it came to none, why: a Failure, the end of its call, or a fault. */
export type Ending = Verdict | Error;

/** Has the one operation of a call come to its end. Never rejects. */
export type Apply = (operation: Operation, context: HandlerContext) => Promise<Ending>;

/** By these lanes, for as long as the call goes on. */
export function applyBy(lanes: Lanes): Apply {
  return (operation, context) =>
    lanes.apply(operation, callSignal(context), callerAddress(context.values), context.timeoutMs())
      .catch((error) => error);
}

/**
 * What was applied.
 *
 * @throws ConnectError for what the caller can know, the fault itself for anything else
 */
export function applied<K extends Applied["kind"]>(
  { operation, ids, skus }: Asked,
  ending: Ending,
  kind: K,
): Extract<Applied, { kind: K }> {
  if (ending instanceof Error) throw errorOf(ending, ids);
  if (!ending.ok) throw refusalError(ending.refusal, skus);
  if (ending.kind !== kind) throw new Error(`The lanes answered a ${ending.kind} to a ${operation.kind}`);
  return ending as Extract<Applied, { kind: K }>;
}

/** The error of what came to no verdict. */
export function errorOf(error: Error, ids?: Readonly<Record<string, string>>): Error {
  return error instanceof Failure ? failureError(error, ids) : error;
}

/** A level as the messages have it. */
export function levelMessage(level: Level) {
  const { goodsId, locationId, onHand, reserved, version } = level;
  return { goodsId, num: available(level), onHand, reserved, version: BigInt(version), locationId };
}
