/** The lists as their tokens know them, and what a token of each has for a key. */
import {
  isSortedByOrder,
  isSortedByTaking,
  type LevelQuery,
  type MovementQuery,
  type OrderQuery,
} from "../../inventory/queries.ts";
import type { PagedList, PageKeyShape } from "../page_token.ts";

/** Where a walk through changes may begin: the moment at which an earlier walk did. It fits every filter. */
export function changesList(): PagedList {
  return { name: "ListInv changes", query: null };
}

/** Pages of levels. */
export function levelsList(query: LevelQuery): PagedList {
  return { name: "ListInv", query };
}

/** The key of a level, and when the walk began, in microseconds since 1970. */
export function levelsShape({ sort }: LevelQuery): PageKeyShape {
  const key: Readonly<Record<LevelQuery["sort"], PageKeyShape>> = {
    goods: ["integer", "integer"],
    sku: ["string", "location"],
    change: ["integer", "integer", "integer", "integer"],
  };
  return [...key[sort], "integer"];
}

/** Pages of movements. */
export function movementsList(query: MovementQuery): PagedList {
  return { name: "ListMovements", query };
}

/** The key of a movement, with that of its order where the list goes by orders. */
export function movementsShape(query: MovementQuery): PageKeyShape {
  const key: PageKeyShape = ["integer", "integer", "integer", "integer"];
  return isSortedByOrder(query) ? ["integer", "string", ...key] : key;
}

/** Pages of orders. */
export function ordersList(query: OrderQuery): PagedList {
  return { name: "ListOrders", query };
}

/** The key of an order, or of the movement that took its goods. */
export function ordersShape(query: OrderQuery): PageKeyShape {
  return isSortedByTaking(query) ? ["integer", "integer", "integer"] : ["integer", "string"];
}
