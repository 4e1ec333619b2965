/** The calls of ListInv that find what a list shows, and whether they find it in its sequence. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DeletedFilter, InvSort, type ListInvRequestSchema } from "../../gen/inventory/v1/query_pb.ts";
import { type Deleted, type ListState, sinceMs } from "./list_state.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";

/** A request without its page. */
export type ListRequest = Omit<MessageInitShape<typeof ListInvRequestSchema>, "$typeName" | "$unknown">;

const DELETED: Readonly<Record<Deleted, DeletedFilter>> = {
  no: DeletedFilter.UNSPECIFIED,
  only: DeletedFilter.ONLY,
  all: DeletedFilter.INCLUDED,
};

/**
 * Walked one after the other, they find all rows of the list; a row that several find is one row.
 *
 * Goods without a SKU are in no list by SKU: one by goods finds them after it. A number is a goods id and may also be
 * the beginning of a SKU.
 */
export function listRequests(state: ListState, nowMs: number): readonly ListRequest[] {
  const ago = sinceMs(state);
  const filters: ListRequest = {
    ...(state.isLow ? { low: true } : {}),
    ...(state.isSoldOut ? { soldOut: true } : {}),
    ...(state.hasHolds ? { hasHolds: true } : {}),
    ...(ago === undefined ? {} : { changedSince: timestampFromMs(nowMs - ago) }),
    locationIds: [...state.locationIds],
    deleted: DELETED[state.deleted],
  };
  const { search } = state;
  if (search !== "") {
    const descending = state.sort === "sku" && state.isDescending && ago === undefined;
    const ofSku = { ...filters, skuPrefix: search, descending };
    return isGoodsId(search) ? [{ ...filters, goodsIds: [Number(search)] }, ofSku] : [ofSku];
  }
  if (ago !== undefined) return [filters];
  const byGoods = { ...filters, sort: InvSort.GOODS, descending: state.sort === "goods" && state.isDescending };
  return isListedBySku(state)
    ? [{ ...filters, sort: InvSort.SKU, descending: state.isDescending }, byGoods]
    : [byGoods];
}

/** Whether the last of the requests finds all rows, so that its total is the list's. */
export function lastHasAll({ search }: ListState): boolean {
  return !isGoodsId(search);
}

/** Whether rows come in the list's sequence; else they are sorted here, once all are there. */
export function comesSorted(state: ListState): boolean {
  if (sinceMs(state) !== undefined || isGoodsId(state.search)) return false;
  if (state.search !== "") return state.sort === "sku";
  return state.sort === "goods" || isListedBySku(state);
}

/** Whether the list is read by SKU. With these filters an index by goods finds the few rows that there are. */
function isListedBySku(state: ListState): boolean {
  return state.sort === "sku" && !state.isLow && !state.isSoldOut && !state.hasHolds && state.deleted !== "only" &&
    state.locationIds.length === 0;
}

function isGoodsId(text: string): boolean {
  return /^[1-9]\d{0,9}$/.test(text) && Number(text) <= INT32_MAX;
}
