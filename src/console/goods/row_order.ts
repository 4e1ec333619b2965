/**
 * The sequence in which rows are shown, where that is not the one in which they came.
 *
 * Numbers are sorted as numbers without a comparison of ours: each is put together with its slot into one double, which
 * engines sort a hundred thousand of within some milliseconds.
 */
import type { Sort } from "./list_state.ts";
import { type Row, safetyOf } from "./row.ts";
import type { RowStore } from "./row_store.ts";

/** More slots than a store has. */
const SLOTS = 2 ** 18;
/** 2020 in seconds since 1970: a time of change fits beside a slot as seconds since then. */
const EPOCH_S = 1_577_836_800;

const VALUES: Readonly<Record<Exclude<Sort, "sku">, (row: Row) => number>> = {
  goods: (row) => row.goodsId,
  available: (row) => row.num,
  reserved: (row) => row.reserved,
  safety: safetyOf,
  on_hand: (row) => row.onHand,
  changed: (row) => Math.floor(row.updatedAtMs / 1000) - EPOCH_S,
};

/** The slots of all rows, sorted; of equal rows the one that came first stands first. */
export function sortedSlots(store: RowStore, sort: Sort, isDescending: boolean): Int32Array {
  return sort === "sku" ? bySku(store, isDescending) : byNumber(store, VALUES[sort], isDescending ? -1 : 1);
}

function byNumber(store: RowStore, value: (row: Row) => number, sign: 1 | -1): Int32Array {
  const packed = new Float64Array(store.count);
  for (let slot = 0; slot < packed.length; slot++) packed[slot] = sign * value(store.at(slot)!) * SLOTS + slot;
  packed.sort();
  return Int32Array.from(packed, (both) => both - Math.floor(both / SLOTS) * SLOTS);
}

/** Goods without a SKU come last in both directions. */
function bySku(store: RowStore, isDescending: boolean): Int32Array {
  const slots = Int32Array.from({ length: store.count }, (_, slot) => slot);
  const sign = isDescending ? -1 : 1;
  return slots.sort((a, b) => {
    const [one, other] = [store.at(a)!.sku, store.at(b)!.sku];
    if (one === other) return a - b;
    if (one === "" || other === "") return one === "" ? 1 : -1;
    return one < other ? -sign : sign;
  });
}
