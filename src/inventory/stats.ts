/** What there is in all, and what was turned over in days, as plain data. */

/** Of which days and goods. What is absent is no filter. */
export interface TurnoverQuery {
  readonly goodsIds?: readonly number[];
  readonly locationIds?: readonly number[];
  /** A row for each goods of a day, and not one for all of them. */
  readonly isByGoods: boolean;
  /**
   * When each of the days begins, in microseconds since 1970, ascending, and at last when the last of them ends. At
   * least two.
   */
  readonly startsUs: readonly number[];
}

/** So many rows; of the last day only goods behind that one, as the others were on the page before. */
export interface TurnoverPage {
  readonly size: number;
  readonly afterGoodsId: number;
}

/** What moved in one day, of one goods or of all. */
export interface Turnover {
  /** Which of the days, from 0. */
  readonly day: number;
  /** 0: of all. */
  readonly goodsId: number;
  readonly sold: bigint;
  readonly givenBack: bigint;
  /** By which on hand went up, and down, by anything else. */
  readonly added: bigint;
  readonly removed: bigint;
  readonly movements: bigint;
}

/** A page of them. */
export interface TurnoverRows {
  readonly rows: readonly Turnover[];
  /** There are others of the same days. */
  readonly more: boolean;
}

/** What levels come to. */
export interface StockTotals {
  readonly places: bigint;
  readonly onHand: bigint;
  readonly reserved: bigint;
  readonly num: bigint;
  readonly low: bigint;
  readonly soldOut: bigint;
}
