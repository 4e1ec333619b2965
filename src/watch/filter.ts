/** Which goods a stream is of. Pure. */
import type { OperationKind } from "../inventory/model.ts";
import type { InvChange } from "./changes.ts";
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

/** Whether a change is of what the filter asks for. */
export function fitsInv({ goodsIds, skuPrefix, locationIds }: InvFilter): (change: InvChange) => boolean {
  const goods = goodsIds && new Set(goodsIds);
  const locations = locationIds && new Set(locationIds);
  return ({ level }) =>
    (goods === undefined || goods.has(level.goodsId)) &&
    (locations === undefined || locations.has(level.locationId)) &&
    (skuPrefix === undefined || level.sku?.startsWith(skuPrefix) === true);
}

/** Whether a movement is. */
export function fitsMovements({ goodsIds, locationIds, kinds }: MovementFilter): (row: TailRow) => boolean {
  const goods = goodsIds && new Set(goodsIds);
  const locations = locationIds && new Set(locationIds);
  const wanted = kinds && new Set(kinds);
  return (row) =>
    (goods === undefined || goods.has(row.goodsId)) &&
    (locations === undefined || locations.has(row.locationId)) &&
    (wanted === undefined || wanted.has(row.kind));
}
