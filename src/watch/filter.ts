/** Which goods a stream is of. Pure. */
import type { OperationKind } from "../inventory/model.ts";
import type { InvChange } from "./changes.ts";
import type { Place } from "../inventory/stock_key.ts";
import type { TailRow } from "../store/statements/tail_rows.ts";

/** Goods and locations; what is absent is no filter. */
export interface InvFilter {
  /** Ascending, each once. */
  readonly goodsIds?: readonly number[];
  readonly skuPrefix?: string;
  readonly locationIds?: readonly number[];
}

/** The same for rows of the ledger. */
export interface MovementFilter {
  readonly goodsIds?: readonly number[];
  readonly locationIds?: readonly number[];
  readonly kinds?: readonly OperationKind[];
}

/** Goods that are looked up one by one among what changed; of more of them, all that changed is gone through. */
const LOOKED_UP_MAX = 20;
const NOTHING: readonly InvChange[] = [];

/** Changes, and those of one goods among them. */
export interface ChangesByGoods {
  readonly changes: readonly InvChange[];
  readonly byGoods: ReadonlyMap<number, readonly InvChange[]>;
}

/** What of all that changed the filter asks for; by version for each place. */
export function selectInv(filter: InvFilter): (all: ChangesByGoods) => readonly InvChange[] {
  const fits = fitsInv(filter);
  const { goodsIds, skuPrefix, locationIds } = filter;
  if (goodsIds !== undefined && goodsIds.length <= LOOKED_UP_MAX) {
    return ({ byGoods }) => {
      // Most reads bring most streams nothing: for these nothing is made.
      let found = NOTHING;
      for (const goodsId of goodsIds) {
        const ofGoods = byGoods.get(goodsId)?.filter(fits);
        if (ofGoods !== undefined) found = found === NOTHING ? ofGoods : [...found, ...ofGoods];
      }
      return found;
    };
  }
  const isOfAll = goodsIds === undefined && skuPrefix === undefined && locationIds === undefined;
  return ({ changes }) => isOfAll ? changes : changes.filter(fits);
}

/** Whether a place is one of those that the filter names; what it says of skus and kinds is not looked at. */
export function fitsPlace({ goodsIds, locationIds }: InvFilter | MovementFilter): (place: Place) => boolean {
  const goods = goodsIds && new Set(goodsIds);
  const locations = locationIds && new Set(locationIds);
  return ({ goodsId, locationId }) =>
    (goods === undefined || goods.has(goodsId)) && (locations === undefined || locations.has(locationId));
}

/** Whether a change is of what the filter asks for. */
export function fitsInv(filter: InvFilter): (change: InvChange) => boolean {
  const isWanted = fitsPlace(filter);
  const { skuPrefix } = filter;
  return ({ level }) => isWanted(level) && (skuPrefix === undefined || level.sku?.startsWith(skuPrefix) === true);
}

/** Whether a movement is. */
export function fitsMovements(filter: MovementFilter): (row: TailRow) => boolean {
  const isWanted = fitsPlace(filter);
  const kinds = filter.kinds && new Set(filter.kinds);
  return (row) => isWanted(row) && (kinds === undefined || kinds.has(row.kind));
}
