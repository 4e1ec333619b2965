/** Lines as the service keeps them: merged by goods and sorted, so that equal content has one spelling. */
import type { AskedLine } from "../history.ts";

/** One line a goods, by goods id. */
export function mergedLines(lines: readonly AskedLine[]): AskedLine[] {
  const nums = new Map<number, number>();
  for (const { goodsId, num } of lines) nums.set(goodsId, (nums.get(goodsId) ?? 0) + num);
  return [...nums].map(([goodsId, num]) => ({ goodsId, num })).sort((a, b) => a.goodsId - b.goodsId);
}

/** The one spelling, such as `1x5,7x2`. */
export function spelled(lines: readonly AskedLine[]): string {
  return mergedLines(lines).map(({ goodsId, num }) => `${goodsId}x${num}`).join(",");
}

/** The lines of an answer's `goodsInfo`; undefined if it is none. */
export function answeredLines(goodsInfo: unknown): AskedLine[] | undefined {
  if (!Array.isArray(goodsInfo)) return undefined;
  const lines = goodsInfo.map(({ goodsId, num }) => ({ goodsId: Number(goodsId), num: Number(num) }));
  return lines.every(({ goodsId, num }) => Number.isInteger(goodsId) && Number.isInteger(num)) ? lines : undefined;
}
