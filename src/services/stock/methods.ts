/** The methods of inventory.v1.StockService: who may call each, and what its messages may be. */
import type { DescField } from "@bufbuild/protobuf";
import { ConfirmHoldRequestSchema, ReserveRequestSchema } from "../../gen/inventory/v1/holds_pb.ts";
import { RollbackRequestSchema, SellRequestSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import {
  AdjustInvRequestSchema,
  ApplyBatchRequestSchema,
  type StockService,
  TransferInvRequestSchema,
} from "../../gen/inventory/v1/stock_pb.ts";
import { batchBounds, type BoundSettings, orderBounds, smallBounds } from "../bounds.ts";
import type { ServiceModule } from "../service_module.ts";

/** Lines of the operations of a batch. */
const LINES: readonly DescField[] = [
  SellRequestSchema.field.goodsInfo,
  RollbackRequestSchema.field.goodsInfo,
  AdjustInvRequestSchema.field.lines,
  TransferInvRequestSchema.field.lines,
  ReserveRequestSchema.field.goodsInfo,
  ConfirmHoldRequestSchema.field.goodsInfo,
];

/** The rules of every method. */
export function stockMethods(settings: BoundSettings): ServiceModule<typeof StockService>["methods"] {
  const small = smallBounds(settings);
  return {
    adjustInv: { right: "stocker", bounds: orderBounds(AdjustInvRequestSchema.field.lines, settings) },
    countInv: { right: "stocker", bounds: small },
    transferInv: { right: "stocker", bounds: orderBounds(TransferInvRequestSchema.field.lines, settings) },
    setPolicy: { right: "stocker", bounds: small },
    getPolicy: { right: "reader", bounds: small },
    deleteInv: { right: "stocker", bounds: small },
    restoreInv: { right: "stocker", bounds: small },
    applyBatch: {
      right: "stocker",
      bounds: batchBounds(ApplyBatchRequestSchema.field.operations, "operations", LINES, settings),
    },
  };
}
