/** What the levels of a snapshot allow. */
import { INT32_MAX, type Level, type Line, type Snapshot } from "./model.ts";

/** How much of a goods can be sold; none of one that is unknown. */
export function available(level: Level | undefined): number {
  return level === undefined ? 0 : level.onHand - level.reserved;
}

/** Goods of the lines that do not exist or are no longer sold. */
export function unknownGoods(snapshot: Snapshot, lines: readonly Line[]): number[] {
  return lines.map((line) => line.goodsId).filter((goodsId) => snapshot.levels.get(goodsId)?.deleted !== false);
}

/** Goods that would have more on hand than an int32 can say. */
export function overflowingGoods(snapshot: Snapshot, lines: readonly Line[]): number[] {
  return lines
    .filter(({ goodsId, num }) => (snapshot.levels.get(goodsId)?.onHand ?? 0) + num > INT32_MAX)
    .map((line) => line.goodsId);
}
