/** The methods of inventory.v1.QueryService: who may call each, and what its messages may be. */
import type { DescField } from "@bufbuild/protobuf";
import {
  GetStatsRequestSchema,
  ListInvRequestSchema,
  ListMovementsRequestSchema,
  ListOrdersRequestSchema,
  MovementKindSchema,
  type QueryService,
} from "../../gen/inventory/v1/query_pb.ts";
import { OrderStateSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import type { CountBound } from "../../rpc/messages/check.ts";
import { type BoundSettings, SMALL_BYTES_MAX } from "../bounds.ts";
import type { ServiceModule } from "../service_module.ts";
import { GOODS_MAX, LOCATIONS_MAX } from "./decode.ts";

/** A goods id in a JSON list, on a line of its own; and a SKU, whose characters take up to 4 bytes each. */
export const GOODS_ID_BYTES = 24;
export const SKU_BYTES = 280;

/** The rules of every method. */
export function queryMethods(
  { requestBytesMax }: Pick<BoundSettings, "requestBytesMax">,
): ServiceModule<typeof QueryService>["methods"] {
  const inv = ListInvRequestSchema.field;
  const counts: readonly CountBound[] = [
    countOf(inv.goodsIds, GOODS_MAX, "goods ids"),
    countOf(inv.skus, GOODS_MAX, "SKUs"),
    countOf(inv.locationIds, LOCATIONS_MAX, "location ids"),
  ];
  const invBytes = SMALL_BYTES_MAX + GOODS_MAX * (GOODS_ID_BYTES + SKU_BYTES) + LOCATIONS_MAX * GOODS_ID_BYTES;
  const stats = GetStatsRequestSchema.field;
  const statsCounts: readonly CountBound[] = [
    countOf(stats.goodsIds, GOODS_MAX, "goods ids"),
    countOf(stats.locationIds, LOCATIONS_MAX, "location ids"),
  ];
  const statsBytes = SMALL_BYTES_MAX + (GOODS_MAX + LOCATIONS_MAX) * GOODS_ID_BYTES;
  const bytesMax = Math.min(SMALL_BYTES_MAX, requestBytesMax);
  const kinds = countOf(ListMovementsRequestSchema.field.kinds, MovementKindSchema.values.length, "kinds");
  const states = countOf(ListOrdersRequestSchema.field.states, OrderStateSchema.values.length, "states");
  return {
    listInv: { right: "reader", bounds: { bytesMax: Math.min(invBytes, requestBytesMax), counts } },
    listMovements: { right: "reader", bounds: { bytesMax, counts: [kinds] } },
    listOrders: { right: "reader", bounds: { bytesMax, counts: [states] } },
    getStats: { right: "reader", bounds: { bytesMax: Math.min(statsBytes, requestBytesMax), counts: statsCounts } },
    explainInv: { right: "reader", bounds: { bytesMax, counts: [] } },
  };
}

/** At most so many values in a list. */
export function countOf(desc: DescField, max: number, what: string): CountBound {
  return { desc, max, field: desc.name, what };
}
