/**
 * inventory.v1.StockService: decodes a request, has the lanes decide it, encodes the answer.
 */
import type { ServiceImpl } from "@connectrpc/connect";
import { StockService } from "../../gen/inventory/v1/stock_pb.ts";
import { keyOf } from "../../inventory/stock_key.ts";
import { callSignal } from "../../rpc/deadline.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { readActor } from "../attribution.ts";
import type { BatchOptions } from "../batch_call.ts";
import type { BoundSettings } from "../bounds.ts";
import { applyBy } from "../ending.ts";
import { decodePlace } from "../inventory/decode.ts";
import { answered } from "../read_errors.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import { applyBatch, type AuditedParts } from "./apply_batch.ts";
import { decodeAdjust, decodeCount, decodeDelete, decodeRestore, decodeTransfer, type StockRules } from "./decode.ts";
import { deleteInv, type DeleteParts } from "./delete_inv.ts";
import { countAnswer, levelsAnswer, namedLevel, placeAnswer, policyAnswer, readPolicyAnswer } from "./encode.ts";
import { skuNames } from "../skus.ts";
import { stockMethods } from "./methods.ts";
import { decodePolicy } from "./policy.ts";

/** What the service is made of. */
export type StockServiceOptions = StockRules & BatchOptions & DeleteParts & AuditedParts;

/** The module of the service. */
export function stockModule(options: StockServiceOptions, settings: BoundSettings): ServiceModule {
  return serviceModule({
    service: StockService,
    handlers: createStockService(options),
    methods: stockMethods(settings),
    drainExempt: false,
    healthListed: true,
    reflected: "listed",
  });
}

/** The handlers; they throw ConnectError only, for whatever the caller can know. */
function createStockService(options: StockServiceOptions): ServiceImpl<typeof StockService> {
  const { lanes, skusOf } = options;
  const apply = applyBy(lanes);
  return {
    async adjustInv(request, context) {
      const skus = skusOf(request.lines, context, request.reason);
      const asked = decodeAdjust(request, options, readActor(context), skus && await skus);
      return levelsAnswer(asked, await apply(asked.operation, context));
    },

    async countInv(request, context) {
      const skus = skusOf([request], context, request.reason);
      const asked = decodeCount(request, options, readActor(context), skus && await skus);
      return countAnswer(asked, await apply(asked.operation, context));
    },

    async transferInv(request, context) {
      const skus = skusOf(request.lines, context, request.reason);
      const asked = decodeTransfer(request, options, readActor(context), skus && await skus);
      return levelsAnswer(asked, await apply(asked.operation, context));
    },

    async setPolicy(request, context) {
      const skus = skusOf([request], context, request.reason);
      const asked = decodePolicy(request, options, readActor(context), skus && await skus);
      return policyAnswer(asked, await apply(asked.operation, context));
    },

    async getPolicy(request, context) {
      const skus = await skusOf([request], context);
      const place = decodePlace(request, skus);
      const levels = lanes.policies([keyOf(place)], callSignal(context), callerAddress(context.values));
      const sku = skuNames([request], skus)?.get(place.goodsId) ?? "";
      return readPolicyAnswer({ ...place, sku }, await levels.catch((error) => error));
    },

    async deleteInv(request, context) {
      const skus = skusOf([request], context, request.reason);
      const asked = decodeDelete(request, options, readActor(context), skus && await skus);
      const caller = { signal: callSignal(context), address: callerAddress(context.values) };
      const deleted = await answered(() => deleteInv(options, asked, request.releaseHolds, caller));
      return { ...deleted, level: namedLevel(deleted.level, asked) };
    },

    async restoreInv(request, context) {
      const skus = skusOf([request], context, request.reason);
      const asked = decodeRestore(request, options, readActor(context), skus && await skus);
      return placeAnswer(asked, await apply(asked.operation, context));
    },

    applyBatch: (request, context) => applyBatch(request, context, options),
  };
}
