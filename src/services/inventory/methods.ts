/** The methods of inventory.v1.InventoryService: who may call each, and what its messages may be. */
import {
  BatchInvDetailRequestSchema,
  type InventoryService,
  RollbackBatchRequestSchema,
  RollbackRequestSchema,
  SellBatchRequestSchema,
  SellRequestSchema,
} from "../../gen/inventory/v1/inventory_pb.ts";
import type { MessageBounds } from "../../rpc/messages/check.ts";
import type { ServiceModule } from "../service_module.ts";
import { batchBounds, type BoundSettings, orderBounds, SMALL_BYTES_MAX, smallBounds } from "../bounds.ts";
import { BATCH_GOODS_MAX } from "./batch.ts";

/** A place in a JSON list, with the longest sku that is not ASCII. */
const PLACE_BYTES = 384;

/** The rules of every method. */
export function inventoryMethods(settings: BoundSettings): ServiceModule<typeof InventoryService>["methods"] {
  const small = smallBounds(settings);
  const sell = SellRequestSchema.field.goodsInfo;
  const rollback = RollbackRequestSchema.field.goodsInfo;
  return {
    setInv: { right: "stocker", bounds: small },
    invDetail: { right: "reader", bounds: small },
    sell: { right: "seller", bounds: orderBounds(sell, settings) },
    rollback: { right: "seller", bounds: orderBounds(rollback, settings) },
    sellBatch: {
      right: "seller",
      bounds: batchBounds(SellBatchRequestSchema.field.orders, "orders", [sell], settings),
    },
    rollbackBatch: {
      right: "seller",
      bounds: batchBounds(RollbackBatchRequestSchema.field.rollbacks, "rollbacks", [rollback], settings),
    },
    batchInvDetail: { right: "reader", bounds: goodsBounds(settings) },
  };
}

function goodsBounds({ requestBytesMax }: BoundSettings): MessageBounds {
  const { goodsIds, places } = BatchInvDetailRequestSchema.field;
  const max = BATCH_GOODS_MAX;
  return {
    bytesMax: Math.min(SMALL_BYTES_MAX + max * PLACE_BYTES, requestBytesMax),
    counts: [
      { desc: goodsIds, max, field: goodsIds.name, what: "goods ids" },
      { desc: places, max, field: places.name, what: "places" },
    ],
  };
}
