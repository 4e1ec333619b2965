/**
 * Lines as a set of quantities by place: merging, comparing, subtracting. Pure.
 */
import type { Line } from "./model.ts";
import { comparePlaces, keyOf, type Place, type StockKey } from "./stock_key.ts";

/**
 * Adds up the lines of the same place and sorts by place, so that one order has one spelling and everybody
 * takes several goods in the same sequence.
 *
 * A sum may pass int32; the caller checks.
 */
export function mergeLines(lines: readonly Line[]): Line[] {
  // Most orders have one line.
  if (lines.length === 1) return lines.map(({ goodsId, locationId, num }) => ({ goodsId, locationId, num }));
  const merged = new Map<StockKey, Line>();
  for (const { goodsId, locationId, num } of lines) {
    const key = keyOf({ goodsId, locationId });
    merged.set(key, { goodsId, locationId, num: (merged.get(key)?.num ?? 0) + num });
  }
  return [...merged.values()].sort(comparePlaces);
}

/** Whether two merged lists are the same. */
export function sameLines(a: readonly Line[], b: readonly Line[]): boolean {
  return a.length === b.length && a.every((line, i) => {
    const other = b[i];
    return line.goodsId === other?.goodsId && line.locationId === other.locationId && line.num === other.num;
  });
}

/** The keys of merged lines, sorted as they are. */
export function keysOfLines(lines: readonly Line[]): StockKey[] {
  return lines.map(keyOf);
}

/** Lines with other quantities, one for each. */
export function withNums(lines: readonly Line[], nums: readonly number[]): Line[] {
  return lines.map(({ goodsId, locationId }, i) => ({ goodsId, locationId, num: nums[i] ?? 0 }));
}

/** Those of which anything was taken: where less is taken than asked for, that may be nothing of some. */
export function takenLines(lines: readonly Line[]): Line[] {
  return lines.filter(({ num }) => num > 0);
}

/** A place in the words of a sentence. */
export function placeText({ goodsId, locationId }: Place): string {
  return locationId === 0 ? `goods ${goodsId}` : `goods ${goodsId} at location ${locationId}`;
}

/** Most differences that are named one by one; further ones are counted. */
const DIFFERENCES_NAMED_MAX = 10;

/** In what two merged lists differ, a sentence a place; empty if they are the same. */
export function lineDifferences(before: readonly Line[], now: readonly Line[]): string[] {
  const lines = new Map(before.map((line) => [keyOf(line), line]));
  const differences: string[] = [];
  for (const line of now) {
    const was = lines.get(keyOf(line))?.num;
    lines.delete(keyOf(line));
    if (was === undefined) differences.push(`${placeText(line)} was not in it`);
    else if (was !== line.num) differences.push(`${placeText(line)} had num ${was}, now ${line.num}`);
  }
  for (const line of lines.values()) differences.push(`${placeText(line)} is missing`);
  if (differences.length <= DIFFERENCES_NAMED_MAX) return differences;
  const more = differences.length - DIFFERENCES_NAMED_MAX;
  return [...differences.slice(0, DIFFERENCES_NAMED_MAX), `and ${more} more`];
}
