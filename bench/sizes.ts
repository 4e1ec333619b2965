/** How large the tables are made that grow. Pure. */

/** How large the growing tables are made. */
export interface Sizes {
  /** Goods in the table, ascending; multiples of a thousand. */
  readonly goods: readonly number[];
  /** Movements in the large ledger, a multiple of a thousand. */
  readonly movements: number;
  /** Live holds in a stock. */
  readonly holds: number;
}

/** Sizes of a whole run, and of a smoke run. */
export const SIZES: Sizes = { goods: [1_000, 100_000, 1_000_000], movements: 5_000_000, holds: 1_000_000 };
export const SMOKE_SIZES: Sizes = { goods: [1_000, 10_000], movements: 50_000, holds: 50_000 };
