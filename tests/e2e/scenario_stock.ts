/** Requests and answers of StockService, as its scenarios write them. */
import { again, type Json } from "../support/clients/client.ts";
import { type Call, info, level, ok } from "./scenario.ts";

export const notInArticle = "nothing of it";

/** A place as it stands, with what is reserved and withheld. */
export function place(goodsId: number, onHand: number, version: number, more: Json = {}): Json {
  return { ...level(goodsId, onHand, version), ...more };
}

export function adjust(
  operationId: string,
  ...lines: (readonly [goodsId: number, delta: number, locationId?: number])[]
): Json {
  return {
    lines: lines.map(([goodsId, delta, locationId = 0]) => ({ goodsId, delta, locationId })),
    ...(operationId === "" ? {} : { operationId }),
  };
}

export function adjusted(operationId: string, ...levels: Json[]): Json {
  return { levels, operationId, replayed: false };
}

export function transfer(operationId: string, to: number, ...lines: (readonly [goodsId: number, num: number])[]): Json {
  return { toLocationId: to, lines: lines.map(([goodsId, num]) => ({ goodsId, num })), operationId };
}

/** The call is answered, and answered as a retry when it comes again. */
export function twice(method: Call["method"], request: Json, answer: Json): Call[] {
  return [ok(method, request, answer), ok(method, request, again(answer))];
}

/** InvDetail of another location. */
export function detailAt(goodsId: number, locationId: number, num: number, version: number): Call {
  return ok("InvDetail", { goodsId, locationId }, { ...level(goodsId, num, version), locationId });
}

export function differs(operationId: string, differences: string): Json {
  return info("CONTENT_DIFFERS", { field: "operation_id", operation_id: operationId, differences });
}

/** A policy in an answer. */
export function policy(more: Json = {}): Json {
  const none = { safetyStock: 0, backorderMax: 0, orderNumMax: 0, buyerNumMax: 0, lowStockAt: 0, lowStockUntil: 0 };
  return { ...none, ...more };
}
