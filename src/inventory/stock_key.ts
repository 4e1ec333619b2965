/**
 * The name of one unit of stock: a goods at a location. At location 0, where stock lies unless somebody says otherwise,
 * it is the goods id alone, so that a shop without locations pays nothing for them.
 */

/** A goods at a location, as one value to compare and to look up by: the goods id, or `goods@location`. */
export type StockKey = number | `${number}@${number}`;

/** A goods at a location. */
export interface Place {
  readonly goodsId: number;
  readonly locationId: number;
}

/** The key of a goods at a location. */
export function keyOf({ goodsId, locationId }: Place): StockKey {
  return locationId === 0 ? goodsId : `${goodsId}@${locationId}`;
}

/** The goods and the location of a key. */
export function placeOf(key: StockKey): Place {
  if (typeof key === "number") return { goodsId: key, locationId: 0 };
  const at = key.indexOf("@");
  return { goodsId: Number(key.slice(0, at)), locationId: Number(key.slice(at + 1)) };
}

/** By goods, then by location: everybody takes several in this sequence. */
export function comparePlaces(a: Place, b: Place): number {
  return a.goodsId - b.goodsId || a.locationId - b.locationId;
}

/** The same for keys. */
export function compareKeys(a: StockKey, b: StockKey): number {
  return typeof a === "number" && typeof b === "number" ? a - b : comparePlaces(placeOf(a), placeOf(b));
}
