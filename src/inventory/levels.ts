/** What the levels of a snapshot allow. */
import { INT32_MAX, type Level, type Line, type Snapshot } from "./model.ts";
import { keyOf, type Place } from "./stock_key.ts";

/** A level, and what its goods is called. */
export interface NamedLevel extends Level {
  /** Absent: it has no sku. */
  readonly sku?: string;
}

/** Locations of one goods that are read at once. */
export const LOCATIONS_MAX = 1000;

/** What one goods stands at, wherever it is sold. */
export interface GoodsLevels {
  /** By location. */
  readonly levels: readonly Level[];
  /** It has more than {@link LOCATIONS_MAX}, of which these are some. */
  readonly isCut: boolean;
}

/** How much of a goods is available; none of one that is unknown. Below nothing where it is backordered. */
export function available(level: Level | undefined): number {
  return level === undefined ? 0 : level.onHand - level.reserved - (level.policy?.safetyStock ?? 0);
}

/** How much of a goods can be taken, 0 or more: what is available, and what may be backordered. */
export function takeable(level: Level | undefined): number {
  return Math.max(0, available(level) + (level?.policy?.backorderMax ?? 0));
}

/** Places of the lines that do not exist or are no longer sold. */
export function unknownPlaces(snapshot: Snapshot, lines: readonly Line[]): Place[] {
  return lines.filter((line) => snapshot.levels.get(keyOf(line))?.deleted !== false).map(placeOfLine);
}

/** Places that would have more on hand than an int32 can say. */
export function overflowingPlaces(snapshot: Snapshot, lines: readonly Line[]): Place[] {
  return lines
    .filter((line) => (snapshot.levels.get(keyOf(line))?.onHand ?? 0) + line.num > INT32_MAX)
    .map(placeOfLine);
}

function placeOfLine({ goodsId, locationId }: Line): Place {
  return { goodsId, locationId };
}
