/**
 * What a request may contain. Every rule that a request breaks is collected, so that a caller sees all of it
 * at once. Quantities and ids arrive as int32 and string; the wire has already turned away anything else.
 */
import { ID_PATTERN, NOT_OF_AN_ID } from "../inventory/ids.ts";
import { mergeLines, placeText } from "../inventory/lines.ts";
import { INT32_MAX, type Line } from "../inventory/model.ts";
import type { Violations } from "../rpc/errors.ts";

/** What can be shown beside its code point; what is not seen, or changes how other characters look, is not. */
const VISIBLE = /^[\p{L}\p{N}\p{P}\p{S} ]$/u;
/** Whether an int32 is a goods id at all. */
export function isGoodsId(goodsId: number): boolean {
  return goodsId > 0;
}

/** A goods id must be positive. */
export function checkGoodsId(violations: Violations, field: string, goodsId: number): void {
  if (!isGoodsId(goodsId)) violations.add(field, `expected a goods id greater than 0, got ${goodsId}`);
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

/** An id that the caller chose; undefined if the field is empty. */
export function readId(violations: Violations, field: string, id: string): string | undefined {
  if (id === "") return undefined;
  if (!ID_PATTERN.test(id)) {
    violations.add(field, `expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got ${whatIsWrong(id)}`);
  }
  return id;
}

/** The first character that no id may have and where it stands, counted from 1; or how many there are. */
function whatIsWrong(id: string): string {
  let count = 0;
  for (const _ of id) count++;
  const at = id.search(NOT_OF_AN_ID);
  if (at === -1) return `${count} characters`;
  const character = String.fromCodePoint(id.codePointAt(at)!);
  const name = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  // All before it are ASCII, so that its place is the same in characters and in code units.
  return `${VISIBLE.test(character) ? `"${character}" (${name})` : name} as character ${at + 1} of ${count}`;
}

/** Lines as they came, each checked, merged and sorted by place. Without `required`, none are fine. */
export function readLines(
  violations: Violations,
  field: string,
  lines: readonly Line[],
  { max, required }: { readonly max: number; readonly required: boolean },
): Line[] {
  if (required && lines.length === 0) violations.add(field, "expected at least one line, got none");
  if (lines.length > max) {
    violations.add(field, `expected at most ${max} lines, got ${lines.length}`);
    return [];
  }
  lines.forEach(({ goodsId, locationId, num }, i) => {
    checkGoodsId(violations, `${field}[${i}].goods_id`, goodsId);
    checkLocationId(violations, `${field}[${i}].location_id`, locationId);
    if (num <= 0) violations.add(`${field}[${i}].num`, `expected a quantity greater than 0, got ${num}`);
  });
  const merged = mergeLines(lines);
  for (const line of merged) {
    if (line.num > INT32_MAX) {
      violations.add(
        field,
        `expected lines of one goods that add up to ${INT32_MAX} or less, ${placeText(line)} has ${line.num}`,
      );
    }
  }
  return merged;
}
