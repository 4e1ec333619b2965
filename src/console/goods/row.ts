/** One row of the table: where one goods stands at one location, as plain data. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ListedLevel } from "../../gen/inventory/v1/query_pb.ts";

/** A place, as a key of maps: the goods id alone at location 0, which is where nearly all goods are. */
export type RowKey = number | string;

/** A level as the table has it. Quantities are units. */
export interface Row {
  readonly goodsId: number;
  readonly locationId: number;
  /** Empty: it has none. */
  readonly sku: string;
  /** Available to sell; below 0 where it is backordered. */
  readonly num: number;
  readonly onHand: number;
  readonly reserved: number;
  readonly version: number;
  readonly isLow: boolean;
  readonly isSoldOut: boolean;
  /** In ms since 1970. */
  readonly updatedAtMs: number;
  /** Since when it is not sold any more, in ms since 1970; undefined while it is. */
  readonly deletedAtMs: number | undefined;
}

/** The key of a place. */
export function keyOf({ goodsId, locationId }: { readonly goodsId: number; readonly locationId: number }): RowKey {
  return locationId === 0 ? goodsId : `${goodsId}/${locationId}`;
}

/** A level of the wire as a row. */
export function rowOf(level: ListedLevel): Row {
  return {
    goodsId: level.goodsId,
    locationId: level.locationId,
    sku: level.sku,
    num: level.num,
    onHand: level.onHand,
    reserved: level.reserved,
    version: Number(level.version),
    isLow: level.low,
    isSoldOut: level.soldOut,
    updatedAtMs: level.updatedAt === undefined ? 0 : timestampMs(level.updatedAt),
    deletedAtMs: level.deletedAt === undefined ? undefined : timestampMs(level.deletedAt),
  };
}

/** What the policy withholds: available is on hand less reserved less this. */
export function safetyOf({ onHand, reserved, num }: Pick<Row, "onHand" | "reserved" | "num">): number {
  return onHand - reserved - num;
}

/** What a row is called: by its SKU, else by its goods id. */
export function nameOf({ sku, goodsId }: Pick<Row, "sku" | "goodsId">): string {
  return sku === "" ? `#${goodsId}` : sku;
}
