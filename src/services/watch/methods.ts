/** The methods of inventory.v1.WatchService: who may call each, and what its messages may be. */
import { MovementKindSchema } from "../../gen/inventory/v1/query_pb.ts";
import {
  WatchInvRequestSchema,
  WatchMovementsRequestSchema,
  type WatchService,
} from "../../gen/inventory/v1/watch_pb.ts";
import { type BoundSettings, SMALL_BYTES_MAX } from "../bounds.ts";
import { GOODS_MAX, LOCATIONS_MAX } from "../query/decode.ts";
import { countOf, GOODS_ID_BYTES, SKU_BYTES } from "../query/methods.ts";
import type { ServiceModule } from "../service_module.ts";
import { RESUME_TOKEN_CHARACTERS_MAX } from "./tokens.ts";

/** The rules of every method. */
export function watchMethods(
  { requestBytesMax }: Pick<BoundSettings, "requestBytesMax">,
): ServiceModule<typeof WatchService>["methods"] {
  const bytesMax = Math.min(
    SMALL_BYTES_MAX + RESUME_TOKEN_CHARACTERS_MAX + GOODS_MAX * (GOODS_ID_BYTES + SKU_BYTES) +
      LOCATIONS_MAX * GOODS_ID_BYTES,
    requestBytesMax,
  );
  const countsOf = (
    { goodsIds, skus, locationIds }: typeof WatchInvRequestSchema.field | typeof WatchMovementsRequestSchema.field,
  ) => [
    countOf(goodsIds, GOODS_MAX, "goods ids"),
    countOf(skus, GOODS_MAX, "SKUs"),
    countOf(locationIds, LOCATIONS_MAX, "location ids"),
  ];
  const kinds = countOf(WatchMovementsRequestSchema.field.kinds, MovementKindSchema.values.length, "kinds");
  return {
    watchInv: { right: "reader", bounds: { bytesMax, counts: countsOf(WatchInvRequestSchema.field) } },
    watchMovements: {
      right: "reader",
      bounds: { bytesMax, counts: [...countsOf(WatchMovementsRequestSchema.field), kinds] },
    },
  };
}
