/**
 * Goods as requests name them: by id, by sku, or by both. Pure: what skus name is looked up before (sku_look_up.ts).
 */
import { skuOf } from "../inventory/sku.ts";
import type { Violations } from "../rpc/errors.ts";

/** What names a goods on the wire: 0 or "" where it does not. */
export interface Named {
  readonly goodsId: number;
  readonly sku: string;
}

/** The goods ids of skus in their form NFC; of one that names nothing there is none. */
export type SkuIds = ReadonlyMap<string, number>;

const NONE: readonly string[] = [];

/** The skus of a request in their form NFC, as they came; without those that can't be any, which decoding refuses. */
export function skusIn(named: readonly { readonly sku: string }[]): readonly string[] {
  let skus: string[] | undefined;
  for (const { sku } of named) {
    if (sku === "") continue;
    const read = skuOf(sku);
    if ("sku" in read) (skus ??= []).push(read.sku);
  }
  return skus ?? NONE;
}

/**
 * The id of the goods that a request names; what is wrong with it is added to the violations, the field
 * names after `prefix`. Without a valid name it is 0.
 */
export function readGoodsId(
  violations: Violations,
  prefix: string,
  { goodsId, sku }: Named,
  skus: SkuIds | undefined,
): number {
  if (sku === "") {
    if (goodsId <= 0) violations.add(`${prefix}goods_id`, `expected a goods id greater than 0, got ${goodsId}`);
    return goodsId;
  }
  if (goodsId < 0) violations.add(`${prefix}goods_id`, `expected a goods id greater than 0, got ${goodsId}`);
  const name = readSku(violations, `${prefix}sku`, sku);
  if (name === undefined) return 0;
  const id = skus?.get(name);
  if (id === undefined) violations.addUnknownSku(name);
  else if (goodsId > 0 && goodsId !== id) {
    violations.add(`${prefix}sku`, otherGoods(goodsId, id));
  }
  return id ?? 0;
}

/** What is wrong with a sku that names another goods than the id beside it. */
export function otherGoods(goodsId: number, ofSku: number): string {
  return `expected the sku of goods ${goodsId}, got that of goods ${ofSku}`;
}

/** A sku in its form NFC; undefined, and a violation, for what can't be one. */
export function readSku(violations: Violations, field: string, text: string): string | undefined {
  const read = skuOf(text);
  if ("sku" in read) return read.sku;
  violations.add(field, `expected a sku of 1 to 64 characters, none of them a control character, got ${read.wrong}`);
  return undefined;
}

/** What a request calls goods by sku, by goods id, so that its answer calls them the same; undefined: nothing. */
export function skuNames(named: readonly Named[], skus: SkuIds | undefined): ReadonlyMap<number, string> | undefined {
  if (skus === undefined) return undefined;
  const names = new Map<number, string>();
  for (const sku of skusIn(named)) {
    const id = skus.get(sku);
    if (id !== undefined) names.set(id, sku);
  }
  return names;
}

/** Lines of an answer, or of an error, with the skus that their request named them by. */
export function withSkus<L extends { readonly goodsId: number }>(
  lines: readonly L[],
  names: ReadonlyMap<number, string> | undefined,
): (L & { sku?: string })[] {
  if (names === undefined) return lines as L[];
  return lines.map((line) => ({ ...line, sku: names.get(line.goodsId) ?? "" }));
}
