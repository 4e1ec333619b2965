/** The calls of callers in the process itself, and what each of them says of the stock. */
import { v7 as uuidV7 } from "uuid";
import type { Verdict } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { picker } from "../workload.ts";
import { adjusted, type Call, type CallResult, refused, reserved, sold, unknown } from "./loops.ts";
import type { Work } from "./protocol.ts";

/** As much of the lanes as is called. */
export interface Lanes {
  apply(operation: Operation, signal: AbortSignal): Promise<Verdict>;
}

/** The call that the work asks for; ids are UUIDv7, as the service makes them, so that keys come in order. */
export function stockCall(lanes: Lanes, { operation = "sell", workload }: Work): Call {
  const pick = picker(workload, Math.random);
  const lines = (num: number) => pick().map((goodsId) => ({ goodsId, locationId: 0, num }));
  switch (operation) {
    case "sell":
      return () => sell(lanes, lines(1));
    case "reserve_confirm":
      return () => reserveAndConfirm(lanes, lines(1));
    case "adjust":
      return () => adjust(lanes, lines(-1));
  }
}

type Lines = Extract<Operation, { kind: "sell" }>["lines"];

async function sell(lanes: Lanes, lines: Lines): Promise<CallResult> {
  return await apply(lanes, { kind: "sell", orderId: uuidV7(), lines }) ?? sold(lines.length);
}

/** A hold whose time does not come, and its sale; the order counts once that is done. */
async function reserveAndConfirm(lanes: Lanes, lines: Lines): Promise<CallResult> {
  const orderId = uuidV7();
  const failed = await apply(lanes, { kind: "reserve", orderId, lines });
  if (failed !== undefined) return failed;
  const unconfirmed = await apply(lanes, { kind: "confirm", orderId, lines: [], recordsShortfall: false });
  return unconfirmed === undefined ? sold(lines.length) : { ...unconfirmed, ...reserved(lines.length) };
}

async function adjust(lanes: Lanes, lines: Lines): Promise<CallResult> {
  return await apply(lanes, { kind: "adjust", operationId: uuidV7(), lines }) ?? adjusted(lines.length);
}

/** Undefined: it was applied. With a signal of its own, as every call over the wire has. */
async function apply(lanes: Lanes, operation: Operation): Promise<CallResult | undefined> {
  try {
    const verdict = await lanes.apply(operation, new AbortController().signal);
    return verdict.ok ? undefined : refused(verdict.refusal.reason);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.kind === "outcome_unknown" ? unknown(error.kind) : refused(error.kind);
  }
}
