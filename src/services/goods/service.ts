/** inventory.v1.GoodsService: what goods are called, and why stock moves. */
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { GoodsService } from "../../gen/inventory/v1/goods_pb.ts";
import type { GoodsNames } from "../../goods/goods_names.ts";
import type { Reasons } from "../../goods/reasons.ts";
import { callSignal } from "../../rpc/deadline.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { type BoundSettings, smallBounds } from "../bounds.ts";
import { throwReadError } from "../read_errors.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import { checkSameGoods, decodeGet, decodeReason, decodeRegister } from "./decode.ts";
import { addedReason, goodsMessage, registeredGoods, unknownName } from "./encode.ts";

/** What the service works with. */
export interface GoodsServiceOptions {
  readonly names: GoodsNames;
  readonly reasons: Reasons;
}

/** The service. */
export function goodsModule(options: GoodsServiceOptions, settings: BoundSettings): ServiceModule {
  const small = smallBounds(settings);
  return serviceModule({
    service: GoodsService,
    handlers: createGoodsService(options),
    methods: {
      registerGoods: { right: "stocker", bounds: small },
      getGoods: { right: "reader", bounds: small },
      listReasons: { right: "reader", bounds: small },
      addReason: { right: "stocker", bounds: small },
    },
    drainExempt: false,
    healthListed: true,
    reflected: "listed",
  });
}

/** The handlers; they throw ConnectError only, for whatever the caller can know. */
function createGoodsService({ names, reasons }: GoodsServiceOptions): ServiceImpl<typeof GoodsService> {
  return {
    async registerGoods(request, context) {
      const { sku, goodsId } = decodeRegister(request);
      const result = request.dryRun
        ? names.wouldName(sku, goodsId, ...callerOf(context))
        : names.name(sku, goodsId, callSignal(context));
      return { goods: registeredGoods({ sku, goodsId }, await result.catch(throwReadError)) };
    },

    async getGoods(request, context) {
      const asked = decodeGet(request);
      const goods = await names.find(asked, ...callerOf(context)).catch(throwReadError);
      if (goods === undefined) throw unknownName(asked);
      if (asked.goodsId !== 0) checkSameGoods(asked.goodsId, goods.goodsId);
      return { goods: goodsMessage(goods) };
    },

    async listReasons(_, context) {
      return { reasons: [...await reasons.read(...callerOf(context)).catch(throwReadError)] };
    },

    async addReason(request, context) {
      const reason = decodeReason(request);
      const added = request.dryRun
        ? reasons.wouldAdd(reason, ...callerOf(context))
        : reasons.add(reason, callSignal(context));
      return { reason: addedReason(reason, await added.catch(throwReadError)) };
    },
  };
}

function callerOf(context: HandlerContext): [AbortSignal, string] {
  return [callSignal(context), callerAddress(context.values)];
}
