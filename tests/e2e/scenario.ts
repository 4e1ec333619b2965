/**
 * The words in which the scenarios are written: calls and results of inventory.v1, and short forms to write them. Order
 * ids are digits, as the article's contract knows no others.
 */
import type { CallResult, Json, Method } from "../support/clients/client.ts";

/** One call and what must come of it; "the same": exactly what came of the call before it, and that it is so. */
export interface Call {
  readonly method: Method;
  readonly request: Json;
  readonly result: CallResult | "the same";
}

/** Calls in their sequence, on goods `goods` to `goods + 9`, which nobody else uses, and order ids made of them. */
export interface Scenario {
  readonly name: string;
  /** Why the article's contract can't say it. */
  readonly notInArticle?: string;
  calls(goods: number): readonly Call[];
}

/** Stands for a time just now, and for an id that the server made. */
export const NOW = "now";
export const UUID_V7 = "a UUIDv7";

/** A line of an order; in an answer with the sku that its request had. */
export type LineOf = readonly [goodsId: number, num: number, sku?: string];

/** SetInv answers that level. */
export function set(goodsId: number, num: number, version: number): Call {
  return ok("SetInv", { goodsId, num }, level(goodsId, num, version));
}

/** InvDetail answers that level, and what the goods is called. */
export function detail(goodsId: number, num: number, version: number, sku = ""): Call {
  return ok("InvDetail", { goodsId }, level(goodsId, num, version, sku));
}

/** The call is answered. */
export function ok(method: Method, request: Json, answer: Json): Call {
  return { method, request, result: { answer } };
}

/** The call is answered exactly as the one before it, of which it is a retry. */
export function same(method: Method, request: Json): Call {
  return { method, request, result: "the same" };
}

/** The call ends in an error with exactly these details. */
export function fails(method: Method, request: Json, code: string, ...details: Json[]): Call {
  return { method, request, result: { code, details } };
}

/** Request of Sell and Rollback; "" for no order id. */
export function order(orderId: string, ...lines: LineOf[]): Json {
  return { goodsInfo: goodsInfo(lines), ...(orderId === "" ? {} : { orderId }) };
}

/** Request of Rollback with an id of its own. */
export function part(orderId: string, rollbackId: string, ...lines: LineOf[]): Json {
  return { goodsInfo: goodsInfo(lines), orderId, rollbackId };
}

function goodsInfo(lines: readonly LineOf[]): Json[] {
  return lines.map(([goodsId, num, sku]) => ({ goodsId, num, ...(sku === undefined ? {} : { sku }) }));
}

/** Lines of an answer. */
export function linesAt0(lines: readonly LineOf[]): Json[] {
  return lines.map(([goodsId, num, sku = ""]) => ({ goodsId, num, locationId: 0, sku }));
}

/** Answer of SetInv and InvDetail where nothing is reserved. */
export function level(goodsId: number, num: number, version: number, sku = ""): Json {
  return { goodsId, num, onHand: num, reserved: 0, version: `${version}`, locationId: 0, sku };
}

/** Answer of Sell. */
export function sold(orderId: string, ...lines: LineOf[]): Json {
  return { goodsInfo: linesAt0(lines), orderId, soldAt: NOW, replayed: false, short: [] };
}

/** Answer of Rollback. */
export function given(orderId: string, line?: LineOf, rollbackId = ""): Json {
  return { goodsInfo: linesAt0(line === undefined ? [] : [line]), orderId, rollbackId, replayed: false };
}

/** Detail that gives a reason. */
export function info(reason: string, metadata: Json): Json {
  return { "@type": "google.rpc.ErrorInfo", reason, domain: "inventory.v1", metadata };
}

/** Detail that names unknown goods. */
export function unknown(...goodsIds: number[]): Json {
  return info("UNKNOWN_GOODS", { goods_ids: goodsIds.join(",") });
}

/** RegisterGoods gives the sku to the goods. */
export function named(goodsId: number, sku: string): Call {
  return ok("RegisterGoods", { goodsId, sku }, { goods: { goodsId, sku, namedAt: NOW } });
}

/** Detail that names unknown skus. */
export function unknownSkus(...skus: string[]): Json {
  return info("UNKNOWN_SKU", { skus: JSON.stringify(skus) });
}

/** Detail that names an order's state. */
export function state(orderId: string, name: string): Json {
  return { "@type": "inventory.v1.OrderStateConflict", orderId, state: name };
}

/** Detail that names the fields that break a rule. */
export function badRequest(...violations: (readonly [field: string, description: string])[]): Json {
  return {
    "@type": "google.rpc.BadRequest",
    fieldViolations: violations.map(([field, description]) => ({ field, description, reason: "" })),
  };
}
