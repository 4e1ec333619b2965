/**
 * The article's service `inventory`, served by the handlers of inventory.v1. It only translates: its messages
 * say less, and two of its status codes differ.
 */
import { create } from "@bufbuild/protobuf";
import { ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { inventory, SellInfo } from "../../gen/article/inventory_pb.ts";
import {
  InvDetailRequestSchema,
  type InventoryService,
  RollbackRequestSchema,
  SellRequestSchema,
  SetInvRequestSchema,
} from "../../gen/inventory/v1/inventory_pb.ts";
import { articleError } from "./errors.ts";
import { Violations } from "../../rpc/violations.ts";

/** The handlers, on top of those of inventory.v1. */
export function createArticleService(v1: ServiceImpl<typeof InventoryService>): ServiceImpl<typeof inventory> {
  return {
    async setInv({ goodsId, num }, context) {
      await translated(() => v1.setInv(create(SetInvRequestSchema, { goodsId, num }), context));
      return {};
    },
    async invDetail({ goodsId }, context) {
      const detail = await translated(() => v1.invDetail(create(InvDetailRequestSchema, { goodsId }), context));
      return { goodsId, num: detail.num ?? 0 };
    },
    async sell(info, context) {
      await translated(() => v1.sell(create(SellRequestSchema, orderOf(info)), context));
      return {};
    },
    async rollback(info, context) {
      await translated(() => v1.rollback(create(RollbackRequestSchema, orderOf(info)), context));
      return {};
    },
  };
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

async function translated<T>(call: () => Promise<T> | T): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof ConnectError ? articleError(error) : error;
  }
}
