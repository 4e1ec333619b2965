/**
 * inventory.v1.InventoryService: decodes a request, has the lanes decide it, encodes the answer.
 */
import type { ServiceImpl } from "@connectrpc/connect";
import { InventoryService } from "../../gen/inventory/v1/inventory_pb.ts";
import { keyOf } from "../../inventory/stock_key.ts";
import { applyBy } from "../ending.ts";
import { detailAnswer, locationsAnswer, rollbackAnswer, sellAnswer, setAnswer } from "./encode.ts";
import { type BatchServiceOptions, createBatchService } from "./batch.ts";
import { createDetailBatch } from "./detail_batch.ts";
import { readActor } from "../attribution.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { callSignal } from "../../rpc/deadline.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import type { BoundSettings } from "../bounds.ts";
import { skuGiven } from "../sku_look_up.ts";
import { decodeDetail, decodeRollback, decodeSell, decodeSet } from "./decode.ts";
import { inventoryMethods } from "./methods.ts";

/** The module of the service with these handlers, which the article's service works with too. */
export function inventoryModule(
  handlers: ServiceImpl<typeof InventoryService>,
  settings: BoundSettings,
): ServiceModule {
  return serviceModule({
    service: InventoryService,
    handlers,
    methods: inventoryMethods(settings),
    drainExempt: false,
    healthListed: true,
    reflected: "listed",
  });
}

/**
 * The handlers of the service; they throw ConnectError only, for whatever the caller can know.
 *
 * @throws RangeError as `createBatchService`
 */
export function createInventoryService(options: BatchServiceOptions): ServiceImpl<typeof InventoryService> {
  const { lanes, skusOf, giveSku } = options;
  const apply = applyBy(lanes);
  return {
    async setInv(request, context) {
      // Both: the goods gets this sku. What else is wrong is said before it has it.
      const gives = request.sku !== "" && request.goodsId > 0;
      const looked = skusOf(gives ? [] : [request], context, request.reason);
      const found = looked && await looked;
      const skus = gives ? skuGiven(request) : found;
      const asked = decodeSet(request, options, readActor(context), skus);
      if (gives) await giveSku(request, context);
      return setAnswer(asked, await apply(asked.operation, context));
    },

    async invDetail(request, context) {
      const skus = skusOf([request], context);
      const asked = decodeDetail(request, skus && await skus);
      const [signal, address] = [callSignal(context), callerAddress(context.values)];
      if ("allOf" in asked) {
        const { allOf, sku } = asked;
        return locationsAnswer(
          { goodsId: allOf, sku },
          await lanes.locations(allOf, signal, address).catch((error) => error),
        );
      }
      return detailAnswer(asked, await lanes.levels([keyOf(asked)], signal, address).catch((error) => error));
    },

    async sell(request, context) {
      const skus = skusOf(request.goodsInfo, context, request.reason);
      const asked = decodeSell(request, options, readActor(context), skus && await skus);
      return sellAnswer(asked, await apply(asked.operation, context));
    },

    async rollback(request, context) {
      const skus = skusOf(request.goodsInfo, context, request.reason);
      const asked = decodeRollback(request, options, readActor(context), skus && await skus);
      return rollbackAnswer(asked, await apply(asked.operation, context));
    },

    ...createBatchService(options),
    ...createDetailBatch(options),
  };
}
