/**
 * The article's service `inventory`, served by the handlers of inventory.v1. It only translates: its messages
 * say less, and two of its status codes differ.
 */
import { ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { inventory, SellInfoSchema } from "../../gen/article/inventory_pb.ts";
import type { InventoryService } from "../../gen/inventory/v1/inventory_pb.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import { type BoundSettings, orderBounds, smallBounds } from "../bounds.ts";
import { detailRequest, rollbackRequest, sellRequest, setRequest } from "./decode.ts";
import { articleError, levelAnswer } from "./encode.ts";

/** The service, on top of the handlers of inventory.v1. */
export function articleModule(v1: ServiceImpl<typeof InventoryService>, settings: BoundSettings): ServiceModule {
  const small = smallBounds(settings);
  const order = orderBounds(SellInfoSchema.field.goodsInfo, settings);
  return serviceModule({
    service: inventory,
    handlers: createArticleService(v1),
    methods: {
      setInv: { right: "stocker", bounds: small },
      invDetail: { right: "reader", bounds: small },
      sell: { right: "seller", bounds: order },
      rollback: { right: "seller", bounds: order },
    },
    drainExempt: false,
    healthListed: true,
    // In one list with inventory.v1 its name would be a service and a package at once, which clients' pools of names
    // refuse.
    reflected: "by name",
  });
}

function createArticleService(v1: ServiceImpl<typeof InventoryService>): ServiceImpl<typeof inventory> {
  const nothing = () => ({});
  return {
    setInv: translated((info, context) => v1.setInv(setRequest(info), context), nothing),
    invDetail: translated((info, context) => v1.invDetail(detailRequest(info), context), levelAnswer),
    sell: translated((info, context) => v1.sell(sellRequest(info), context), nothing),
    rollback: translated((info, context) => v1.rollback(rollbackRequest(info), context), nothing),
  };
}

/** The handler that makes a call of v1, and has its answer or its error said as the article says it. */
function translated<I, O, A>(
  call: (info: I, context: HandlerContext) => Promise<O> | O,
  answerOf: (answer: O) => A,
): (info: I, context: HandlerContext) => Promise<A> {
  return async (info, context) => {
    try {
      return answerOf(await call(info, context));
    } catch (error) {
      throw error instanceof ConnectError ? articleError(error) : error;
    }
  };
}
