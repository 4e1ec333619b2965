/**
 * What a request may contain. Every rule that a request breaks is collected, so that a caller sees all of it
 * at once. Quantities and ids arrive as int32 and string; the wire has already turned away anything else.
 */
import { NOT_OF_AN_ID } from "../inventory/ids.ts";
import { mergeLines, placeText } from "../inventory/lines.ts";
import { INT32_MAX, type Line } from "../inventory/model.ts";
import type { Violations } from "../rpc/errors.ts";
import { type Named, readGoodsId, type SkuIds } from "./skus.ts";

/** What can be shown beside its code point; what is not seen, or changes how other characters look, is not. */
const VISIBLE = /^[\p{L}\p{N}\p{P}\p{S} ]$/u;

/** What a text may be whose characters are all ASCII. */
export interface TextRule {
  readonly charactersMax: number;
  /** A character that it must not have; every one beside ASCII is one. */
  readonly other: RegExp;
  /** What is expected, for an error. */
  readonly expected: string;
}

const ID: TextRule = {
  charactersMax: 64,
  other: NOT_OF_AN_ID,
  expected: "1 to 64 characters out of A-Z a-z 0-9 . _ : -",
};
/**
 * Ids of buyers come from whatever knows the shop's customers: numbers, UUIDs, addresses of mail, `auth0|5f7c`. All of
 * these are ASCII, which has one spelling of everything, so that no two buyers look alike.
 */
const BUYER_ID: TextRule = { charactersMax: 64, other: /[^!-~]/, expected: "1 to 64 visible ASCII characters" };

/** A goods id must be positive. */
export function checkGoodsId(violations: Violations, field: string, goodsId: number): void {
  if (goodsId <= 0) violations.add(field, `expected a goods id greater than 0, got ${goodsId}`);
}

/** A location id must not be negative. */
export function checkLocationId(violations: Violations, field: string, locationId: number): void {
  if (locationId < 0) violations.add(field, `expected a location id of 0 or more, got ${locationId}`);
}

/** A batch has at least one part, and at most `max`; `part` is what one of them is called. */
export function checkCount(
  violations: Violations,
  field: string,
  part: string,
  { count, max }: { readonly count: number; readonly max: number },
): void {
  if (count === 0) violations.add(field, `expected at least one ${part}, got none`);
  if (count > max) violations.add(field, `expected at most ${max} ${part}s, got ${count}`);
}

/** A version that a goods has to stand at. No goods gets as far as versions that a number can't say exactly. */
export function readVersion(violations: Violations, field: string, version: bigint): number {
  if (version < 0n || version > BigInt(Number.MAX_SAFE_INTEGER)) {
    violations.add(field, `expected a version of 0 to ${Number.MAX_SAFE_INTEGER}, got ${version}`);
  }
  return Number(version);
}

/** An id that the caller chose; undefined if the field is empty. */
export function readId(violations: Violations, field: string, id: string): string | undefined {
  return readText(violations, field, id, ID);
}

/** Whose order it is; undefined if the field is empty. */
export function readBuyerId(violations: Violations, field: string, buyerId: string): string | undefined {
  return readText(violations, field, buyerId, BUYER_ID);
}

/** A text by its rule; undefined if it is empty. */
export function readText(
  violations: Violations,
  field: string,
  text: string,
  { charactersMax, other, expected }: TextRule,
): string | undefined {
  if (text === "") return undefined;
  if (text.length > charactersMax || other.test(text)) {
    violations.add(field, `expected ${expected}, got ${whatIsWrong(text, other)}`);
  }
  return text;
}

/** The first character that must not be there and where it stands, counted from 1; or how many there are. */
function whatIsWrong(text: string, other: RegExp): string {
  let count = 0;
  for (const _ of text) count++;
  const at = text.search(other);
  if (at === -1) return `${count} characters`;
  const character = String.fromCodePoint(text.codePointAt(at)!);
  const name = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  // All before it are ASCII, so that its place is the same in characters and in code units.
  return `${VISIBLE.test(character) ? `"${character}" (${name})` : name} as character ${at + 1} of ${count}`;
}

/** What a value of an enum stands for; undefined for a number that is none of its values, which is a violation. */
export function readEnum<E extends number, T>(
  violations: Violations,
  field: string,
  value: E,
  meanings: Readonly<Record<E, T>>,
): T | undefined {
  const meaning: T | undefined = meanings[value];
  if (meaning === undefined) violations.add(field, `expected one of ${Object.keys(meanings).join(", ")}, got ${value}`);
  return meaning;
}

/** A line on the wire. */
export interface WireLine extends Named {
  readonly locationId: number;
  readonly num: number;
}

/** What lines are checked by. */
export interface LineRules {
  readonly max: number;
  /** Otherwise none are fine. */
  readonly required: boolean;
  /** What the skus of the request name; undefined where it has none. */
  readonly skus: SkuIds | undefined;
}

/** Lines as they came, each checked, merged and sorted by place. */
export function readLines(
  violations: Violations,
  field: string,
  lines: readonly WireLine[],
  { max, required, skus }: LineRules,
): Line[] {
  if (required && lines.length === 0) violations.add(field, "expected at least one line, got none");
  if (lines.length > max) {
    violations.add(field, `expected at most ${max} lines, got ${lines.length}`);
    return [];
  }
  const read = lines.map((line, i): Line => {
    const { locationId, num } = line;
    const goodsId = readGoodsId(violations, `${field}[${i}].`, line, skus);
    checkLocationId(violations, `${field}[${i}].location_id`, locationId);
    if (num <= 0) violations.add(`${field}[${i}].num`, `expected a quantity greater than 0, got ${num}`);
    return line.sku === "" ? line : { goodsId, locationId, num };
  });
  const merged = mergeLines(read);
  for (const line of merged) {
    // What has no valid name is refused already, and several such are not one goods.
    if (line.num > INT32_MAX && line.goodsId > 0) {
      violations.add(
        field,
        `expected lines of one goods that add up to ${INT32_MAX} or less, ${placeText(line)} has ${line.num}`,
      );
    }
  }
  return merged;
}
