/** Goods at locations as the arrays of a statement, and as columns of a row. */
import { type Place, placeOf, type StockKey } from "../../inventory/stock_key.ts";
import { column } from "../postgres/arrays.ts";

/** Two array literals, one for each column, that belong together. */
export interface KeyColumns {
  readonly goodsIds: string;
  readonly locationIds: string;
}

/** The columns of keys. */
export function keyColumns(keys: readonly StockKey[]): KeyColumns {
  return placeColumns(keys.map(placeOf));
}

/** The same of places. */
export function placeColumns(places: readonly Place[]): KeyColumns {
  return { goodsIds: column(places, (p) => p.goodsId), locationIds: column(places, (p) => p.locationId) };
}

/** Columns of a row that names a goods at a location. */
export interface KeyRow {
  readonly goods_id: number;
  readonly location_id: number;
}

/** The place that a row names. */
export function placeOfRow({ goods_id, location_id }: KeyRow): Place {
  return { goodsId: goods_id, locationId: location_id };
}
