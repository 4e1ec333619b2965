/** Requests about names of goods and reasons, checked. Every rule that a request breaks is named at once. */
import type { AddReasonRequest, GetGoodsRequest, RegisterGoodsRequest } from "../../gen/inventory/v1/goods_pb.ts";
import { REASON_PATTERN } from "../../goods/reasons.ts";
import { Violations } from "../../rpc/errors.ts";
import { otherGoods, readSku } from "../skus.ts";
import { checkGoodsId } from "../validation.ts";

/** Characters of the description of a reason. */
const DESCRIPTION_LENGTH_MAX = 256;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeRegister(
  { sku: text, goodsId }: RegisterGoodsRequest,
): { readonly sku: string; readonly goodsId: number | undefined } {
  const violations = new Violations();
  const sku = readSku(violations, "sku", text);
  if (goodsId < 0) violations.add("goods_id", `expected a goods id greater than 0, or none, got ${goodsId}`);
  violations.check();
  return { sku: sku!, goodsId: goodsId === 0 ? undefined : goodsId };
}

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeGet(
  { sku: text, goodsId }: GetGoodsRequest,
): { readonly goodsId: number; readonly sku: string | undefined } {
  const violations = new Violations();
  if (text === "") checkGoodsId(violations, "goods_id", goodsId);
  else if (goodsId < 0) violations.add("goods_id", `expected a goods id greater than 0, or none, got ${goodsId}`);
  const sku = text === "" ? undefined : readSku(violations, "sku", text);
  violations.check();
  return { goodsId, sku };
}

/** An id and a sku in one request name one goods. @throws ConnectError INVALID_ARGUMENT */
export function checkSameGoods(goodsId: number, ofSku: number): void {
  const violations = new Violations();
  if (goodsId !== ofSku) violations.add("sku", otherGoods(goodsId, ofSku));
  violations.check();
}

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeReason(
  { reason }: AddReasonRequest,
): { readonly code: string; readonly description: string } {
  const violations = new Violations();
  const { code = "", description = "" } = reason ?? {};
  if (!REASON_PATTERN.test(code)) {
    violations.add("reason.code", "expected 1 to 32 characters out of a-z 0-9 _, the first of them a letter");
  }
  const count = [...description].length;
  if (count === 0 || count > DESCRIPTION_LENGTH_MAX) {
    violations.add("reason.description", `expected 1 to ${DESCRIPTION_LENGTH_MAX} characters, got ${count}`);
  } else if (CONTROL.test(description)) {
    violations.add("reason.description", "expected no control characters, got some");
  }
  violations.check();
  return { code, description };
}
