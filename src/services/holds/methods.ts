/** The methods of inventory.v1.HoldService: who may call each, and what its messages may be. */
import { ConfirmHoldRequestSchema, type HoldService, ReserveRequestSchema } from "../../gen/inventory/v1/holds_pb.ts";
import { type BoundSettings, orderBounds, smallBounds } from "../bounds.ts";
import type { ServiceModule } from "../service_module.ts";

/** The rules of every method. */
export function holdMethods(settings: BoundSettings): ServiceModule<typeof HoldService>["methods"] {
  const small = smallBounds(settings);
  return {
    reserve: { right: "seller", bounds: orderBounds(ReserveRequestSchema.field.goodsInfo, settings) },
    extendHold: { right: "seller", bounds: small },
    confirmHold: { right: "seller", bounds: orderBounds(ConfirmHoldRequestSchema.field.goodsInfo, settings) },
    releaseHold: { right: "seller", bounds: small },
    getOrder: { right: "reader", bounds: small },
    listHolds: { right: "reader", bounds: small },
    listShortfalls: { right: "reader", bounds: small },
    resolveShortfall: { right: "stocker", bounds: small },
  };
}
