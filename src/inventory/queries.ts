/**
 * What can be asked about stock, movements and orders, and what is answered, as plain data. Times in filters and keys
 * are in microseconds since 1970, as exact as PostgreSQL has them: a key must name its row.
 */
import type { Level, Movement, OperationKind, OrderState } from "./model.ts";

/** One page of a list: of how many rows at most, and behind which key; without one, from the beginning. */
export interface PageOf<K> {
  readonly size: number;
  readonly after?: K | undefined;
}

/** Rows of a list, and the key behind which it goes on; undefined: that was the end. */
export interface Page<R, K> {
  readonly rows: readonly R[];
  readonly next: K | undefined;
}

/** Which levels, sorted how. What is absent is no filter. */
export interface LevelQuery {
  /** Goods that are in either; both absent: all. */
  readonly goodsIds?: readonly number[];
  readonly skus?: readonly string[];
  readonly skuPrefix?: string;
  readonly locationIds?: readonly number[];
  readonly isLow?: boolean;
  readonly isSoldOut?: boolean;
  readonly hasHolds?: boolean;
  readonly deleted: "excluded" | "included" | "only";
  /** With the sort `change`, and only then. */
  readonly changedSinceUs?: number;
  readonly sort: "goods" | "sku" | "change";
  readonly isDescending: boolean;
}

/** The last row: goods id and location id; SKU and location id; or time, goods id, location id and version. */
export type LevelKey = readonly (string | number)[];

/** A level as lists have it: reserved is without what expired holds have. */
export interface ListedLevel extends Level {
  readonly sku?: string;
  readonly isLow: boolean;
  readonly isSoldOut: boolean;
  readonly updatedAtMs: number;
  readonly deletedAtMs?: number;
}

/** Times from `sinceUs` on and before `untilUs`. */
export interface TimeRange {
  readonly sinceUs?: number;
  readonly untilUs?: number;
  readonly newestFirst: boolean;
}

/** Which movements. What is absent is no filter. */
export interface MovementQuery extends TimeRange {
  readonly goodsId?: number;
  readonly locationId?: number;
  readonly orderId?: string;
  readonly buyerId?: string;
  readonly actor?: string;
  readonly reason?: string;
  readonly kinds?: readonly OperationKind[];
  readonly operationId?: string;
}

/** Time, goods id, location id and version of the last row; with a buyer, before these, time and id of its order. */
export type MovementKey = readonly (string | number)[];

/** Whether a list is one of a buyer's orders, one after the other: movements do not say whose they are. */
export function isSortedByOrder({ operationId, orderId, buyerId }: MovementQuery): boolean {
  return buyerId !== undefined && operationId === undefined && orderId === undefined;
}

/** A movement as lists have it. */
export interface ListedMovement extends Movement {
  readonly atMs: number;
}

/** Which orders. What is absent is no filter. */
export interface OrderQuery extends TimeRange {
  readonly states?: readonly OrderState[];
  readonly buyerId?: string;
  readonly goodsId?: number;
  /** Only with a goods. */
  readonly locationId?: number;
}

/** Time and order id of the last row; by goods: time, location id and version of the movement that took it first. */
export type OrderKey = readonly (string | number)[];

/** Whether a list is sorted by when its goods was taken: orders have no index by goods, the ledger has. */
export function isSortedByTaking({ goodsId, buyerId }: OrderQuery): boolean {
  return goodsId !== undefined && buyerId === undefined;
}

/** Rows that a query fits. */
export interface Total {
  readonly count: number;
  readonly isEstimate: boolean;
}
