/** Whether a row, as it has become, still belongs into the list that it is in. */
import type { ListState } from "./list_state.ts";
import type { Row } from "./row.ts";

/** True where the row meets all filters; whatever changed did so within any time that is listed. */
export function fits(row: Row, state: ListState): boolean {
  if (state.isLow && !row.isLow) return false;
  if (state.isSoldOut && !row.isSoldOut) return false;
  if (state.hasHolds && row.reserved <= 0) return false;
  if (state.locationIds.length > 0 && !state.locationIds.includes(row.locationId)) return false;
  if (state.deleted === "no" && row.deletedAtMs !== undefined) return false;
  if (state.deleted === "only" && row.deletedAtMs === undefined) return false;
  return state.search === "" || row.sku.startsWith(state.search) || String(row.goodsId) === state.search;
}
