/** Verdicts of batches, as JSON shows them. */
import type { Json } from "../support/clients/client.ts";
import { badRequest, given, sold } from "./scenario.ts";

/** The numbers of google.rpc.Code. */
const CODES = { INVALID_ARGUMENT: 3, NOT_FOUND: 5, ALREADY_EXISTS: 6, FAILED_PRECONDITION: 9, OUT_OF_RANGE: 11 };

/** An answer with these verdicts, in their order. */
export function verdicts(...verdicts: Json[]): Json {
  return { verdicts };
}

/** The verdict of an order that was sold. */
export function sale(...args: Parameters<typeof sold>): Json {
  return { sold: sold(...args), truncated: false };
}

/** The verdict of a rollback that was applied. */
export function back(...args: Parameters<typeof given>): Json {
  return { rolledBack: given(...args), truncated: false };
}

/** The verdict of what was refused. */
export function error(code: keyof typeof CODES, message: string, ...details: Json[]): Json {
  return { ...failure(code, message, ...details), truncated: false };
}

/** A `google.rpc.Status` in JSON, whose details are said to be what they are by a URL. */
export function failure(code: keyof typeof CODES, message: string, ...details: Json[]): Json {
  const typed = details.map((fields) => ({ ...fields, "@type": `type.googleapis.com/${fields["@type"]}` }));
  return { error: { code: CODES[code], message, details: typed } };
}

/** What is said of a goods id that is none. */
export function badGoods(goodsId: number): Json {
  const description = `expected a goods id greater than 0, got ${goodsId}`;
  return failure("INVALID_ARGUMENT", `goods_id: ${description}`, badRequest(["goods_id", description]));
}
