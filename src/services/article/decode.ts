/** The article's messages as those of inventory.v1. */
import { create } from "@bufbuild/protobuf";
import type { GoodInvInfo, SellInfo } from "../../gen/article/inventory_pb.ts";
import {
  type InvDetailRequest,
  InvDetailRequestSchema,
  type RollbackRequest,
  RollbackRequestSchema,
  type SellRequest,
  SellRequestSchema,
  type SetInvRequest,
  SetInvRequestSchema,
} from "../../gen/inventory/v1/inventory_pb.ts";
import { Violations } from "../../rpc/errors.ts";

/** A goods and what it shall have available. */
export function setRequest({ goodsId, num }: GoodInvInfo): SetInvRequest {
  return create(SetInvRequestSchema, { goodsId, num });
}

/** A goods. */
export function detailRequest({ goodsId }: GoodInvInfo): InvDetailRequest {
  return create(InvDetailRequestSchema, { goodsId });
}

/** An order. @throws ConnectError INVALID_ARGUMENT for an id that can't be one */
export function sellRequest(info: SellInfo): SellRequest {
  return create(SellRequestSchema, orderOf(info));
}

/** An order to take back, or lines to give back. @throws ConnectError INVALID_ARGUMENT for an id that can't be one */
export function rollbackRequest(info: SellInfo): RollbackRequest {
  return create(RollbackRequestSchema, orderOf(info));
}

/** The article's ids are numbers; 0 is "none". */
function orderOf({ goodsInfo, orderId }: SellInfo) {
  const violations = new Violations();
  if (orderId < 0n) violations.add("orderId", `expected 0 (none) or more, got ${orderId}`);
  violations.check();
  return {
    goodsInfo: goodsInfo.map(({ goodsId, num }) => ({ goodsId, num })),
    orderId: orderId === 0n ? "" : String(orderId),
  };
}
