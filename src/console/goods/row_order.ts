/** The sequence in which rows are shown, where that is not the one in which they came. */
import type { Sort } from "./list_state.ts";
import { type Row, safetyOf } from "./row.ts";
import type { RowStore } from "./row_store.ts";

const VALUES: Readonly<Record<Exclude<Sort, "sku">, (row: Row) => number>> = {
  goods: (row) => row.goodsId,
  available: (row) => row.num,
  reserved: (row) => row.reserved,
  safety: safetyOf,
  on_hand: (row) => row.onHand,
  changed: (row) => row.updatedAtMs,
};

/** The slots of all rows, sorted; of equal rows the one that came first stands first. */
export function sortedSlots(store: RowStore, sort: Sort, isDescending: boolean): Int32Array {
  const slots = Int32Array.from({ length: store.count }, (_, slot) => slot);
  const sign = isDescending ? -1 : 1;
  if (sort === "sku") return slots.sort((a, b) => compareSkus(store.at(a)!.sku, store.at(b)!.sku, sign) || a - b);
  // Each value is read once, and not at each of the comparisons.
  const values = Float64Array.from(slots, (slot) => VALUES[sort](store.at(slot)!));
  return slots.sort((a, b) => sign * (values[a]! - values[b]!) || a - b);
}

/** Whether a row stood elsewhere, perhaps, before it became this. What it is called never changes. */
export function isMovedBy(sort: Sort, before: Row, after: Row): boolean {
  return sort !== "sku" && VALUES[sort](before) !== VALUES[sort](after);
}

/** Goods without a SKU come last in both directions. */
function compareSkus(one: string, other: string, sign: number): number {
  if (one === other) return 0;
  if (one === "" || other === "") return one === "" ? 1 : -1;
  return one < other ? -sign : sign;
}
