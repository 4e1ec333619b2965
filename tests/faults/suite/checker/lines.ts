/** Lines as the service keeps them: merged by place and sorted, so that equal content has one spelling. */
import type { AskedLine } from "../history.ts";
import { type PlaceKey, placeKey } from "./places.ts";

/** What is asked of one place. */
export interface PlaceLine extends AskedLine {
  readonly place: PlaceKey;
}

/** One line a place, by goods and location. */
export function mergedLines(lines: readonly AskedLine[]): PlaceLine[] {
  const merged = new Map<PlaceKey, PlaceLine>();
  for (const { goodsId, locationId = 0, num } of lines) {
    const place = placeKey({ goodsId, locationId });
    merged.set(place, { place, goodsId, locationId, num: (merged.get(place)?.num ?? 0) + num });
  }
  return [...merged.values()].sort((a, b) => a.goodsId - b.goodsId || a.locationId! - b.locationId!);
}

/** The one spelling, such as `1x5,7@1x2`; places of which there is nothing are left out. */
export function spelled(lines: readonly AskedLine[]): string {
  return mergedLines(lines).filter(({ num }) => num !== 0).map(({ place, num }) => `${place}x${num}`).join(",");
}

/** The lines of an answer; undefined if they are none. What Connect leaves out of JSON is 0. */
export function answeredLines(lines: unknown): AskedLine[] | undefined {
  if (!Array.isArray(lines)) return undefined;
  const read = lines.map(({ goodsId, num = 0, locationId = 0 }) => ({
    goodsId: Number(goodsId),
    locationId: Number(locationId),
    num: Number(num),
  }));
  return read.every((line) => Object.values(line).every(Number.isInteger)) ? read : undefined;
}
