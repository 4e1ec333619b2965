/**
 * Lines as a set of quantities by goods: merging, comparing, subtracting. Pure.
 */
import type { Line } from "./model.ts";

/**
 * Adds up the lines of the same goods and sorts by goods id, so that one order has one spelling and everybody
 * takes several goods in the same sequence.
 *
 * A sum may pass int32; the caller checks.
 */
export function mergeLines(lines: readonly Line[]): Line[] {
  const nums = new Map<number, number>();
  for (const { goodsId, num } of lines) nums.set(goodsId, (nums.get(goodsId) ?? 0) + num);
  return [...nums].sort(([a], [b]) => a - b).map(([goodsId, num]) => ({ goodsId, num }));
}

/** Whether two merged lists are the same. */
export function sameLines(a: readonly Line[], b: readonly Line[]): boolean {
  return a.length === b.length && a.every((line, i) => line.goodsId === b[i]?.goodsId && line.num === b[i]?.num);
}

/** Most differences that are named one by one; further ones are counted. */
const DIFFERENCES_NAMED_MAX = 10;

/** In what two merged lists differ, a sentence a goods; empty if they are the same. */
export function lineDifferences(before: readonly Line[], now: readonly Line[]): string[] {
  const nums = new Map(before.map((line) => [line.goodsId, line.num]));
  const differences: string[] = [];
  for (const { goodsId, num } of now) {
    const was = nums.get(goodsId);
    nums.delete(goodsId);
    if (was === undefined) differences.push(`goods ${goodsId} was not in it`);
    else if (was !== num) differences.push(`goods ${goodsId} had num ${was}, now ${num}`);
  }
  for (const goodsId of nums.keys()) differences.push(`goods ${goodsId} is missing`);
  if (differences.length <= DIFFERENCES_NAMED_MAX) return differences;
  const more = differences.length - DIFFERENCES_NAMED_MAX;
  return [...differences.slice(0, DIFFERENCES_NAMED_MAX), `and ${more} more`];
}
