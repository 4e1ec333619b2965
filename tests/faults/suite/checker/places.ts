/** What one row of stock is known by: the goods, and its location where that is not 0. */

/** The goods id, or `goods@location`. */
export type PlaceKey = number | `${number}@${number}`;

/** The key of a goods at a location, which is 0 where nothing is said. */
export function placeKey(
  { goodsId, locationId }: { readonly goodsId: number; readonly locationId?: number | undefined },
): PlaceKey {
  return locationId === undefined || locationId === 0 ? goodsId : `${goodsId}@${locationId}`;
}

/** Its goods. */
export function goodsOfKey(place: PlaceKey): number {
  return typeof place === "number" ? place : Number(place.split("@")[0]);
}
