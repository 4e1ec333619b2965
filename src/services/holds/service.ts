/**
 * inventory.v1.HoldService: decodes a request, has the lanes decide it or the store list it, encodes the answer.
 */
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { HoldService } from "../../gen/inventory/v1/holds_pb.ts";
import type {
  AskedResolution,
  HoldFilter,
  RecordedShortfall,
  ResolvedShortfall,
  TimeKey,
} from "../../inventory/hold_lists.ts";
import type { Order } from "../../inventory/model.ts";
import type { Lanes } from "../../lanes/lanes.ts";
import type { ListReads } from "../../lanes/list_reads.ts";
import { callSignal } from "../../rpc/deadline.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { readActor } from "../attribution.ts";
import type { BoundSettings } from "../bounds.ts";
import { applyBy } from "../ending.ts";
import { answered, throwReadError } from "../read_errors.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import {
  type AskedPage,
  decodeConfirm,
  decodeExtend,
  decodeListHolds,
  decodeListShortfalls,
  decodeOrderId,
  decodeRelease,
  decodeReserve,
  decodeResolve,
  type HoldRules,
} from "./decode.ts";
import { holdAnswer, holdsAnswer, orderAnswer, resolvedAnswer, shortfallsAnswer } from "./encode.ts";
import type { SkusOf } from "../sku_look_up.ts";
import { skuNames } from "../skus.ts";
import { holdMethods } from "./methods.ts";

/** Where a list is read: behind which row, and how many. */
interface Page {
  readonly after: TimeKey | undefined;
  readonly limit: number;
}

/** The lists that the service answers, and the one change that is none of stock. They throw the errors of the store. */
export interface HoldLists {
  listHolds(filter: HoldFilter, page: Page, signal: AbortSignal): Promise<Order[]>;
  listShortfalls(page: Page, signal: AbortSignal): Promise<RecordedShortfall[]>;
  /** With `dryRun` it answers what would come of it. */
  resolveShortfall(
    asked: AskedResolution,
    signal: AbortSignal,
    dryRun?: boolean,
  ): Promise<ResolvedShortfall | undefined>;
}

/** What the service is made of. */
export interface HoldServiceOptions extends HoldRules {
  readonly lanes: Lanes;
  readonly lists: HoldLists;
  readonly reads: ListReads;
  readonly skusOf: SkusOf;
}

/** The module of the service. */
export function holdModule(options: HoldServiceOptions, settings: BoundSettings): ServiceModule {
  return serviceModule({
    service: HoldService,
    handlers: createHoldService(options),
    methods: holdMethods(settings),
    drainExempt: false,
    healthListed: true,
    reflected: "listed",
  });
}

/** The handlers; they throw ConnectError only, for whatever the caller can know. */
function createHoldService(options: HoldServiceOptions): ServiceImpl<typeof HoldService> {
  const { lanes, lists, reads, skusOf } = options;
  const apply = applyBy(lanes);
  const run = <T>(read: (signal: AbortSignal) => Promise<T>, context: HandlerContext): Promise<T> =>
    reads.run(read, callSignal(context), callerAddress(context.values), context.timeoutMs());
  return {
    async reserve(request, context) {
      const skus = skusOf(request.goodsInfo, context, request.reason);
      const known = skus && await skus;
      const operation = decodeReserve(request, options, readActor(context), known);
      return holdAnswer(operation, await apply(operation, context), skuNames(request.goodsInfo, known));
    },

    async extendHold(request, context) {
      await skusOf([], context, request.reason);
      const operation = decodeExtend(request, options, readActor(context));
      return holdAnswer(operation, await apply(operation, context));
    },

    async confirmHold(request, context) {
      const skus = skusOf(request.goodsInfo, context, request.reason);
      const known = skus && await skus;
      const operation = decodeConfirm(request, options, readActor(context), known);
      return holdAnswer(operation, await apply(operation, context), skuNames(request.goodsInfo, known));
    },

    async releaseHold(request, context) {
      await skusOf([], context, request.reason);
      const operation = decodeRelease(request, options, readActor(context));
      return holdAnswer(operation, await apply(operation, context));
    },

    async getOrder(request, context) {
      const orderId = decodeOrderId(request);
      const found = lanes.order(orderId, callSignal(context), callerAddress(context.values));
      return orderAnswer(orderId, await found.catch(throwReadError));
    },

    async listHolds(request, context) {
      const skus = skusOf([request], context);
      const asked = decodeListHolds(request, skus && await skus);
      return await answered(async () =>
        holdsAnswer(asked, await run((signal) => lists.listHolds(asked.filter, pageOf(asked), signal), context))
      );
    },

    async listShortfalls(request, context) {
      const asked = decodeListShortfalls(request);
      return await answered(async () =>
        shortfallsAnswer(asked, await run((signal) => lists.listShortfalls(pageOf(asked), signal), context))
      );
    },

    async resolveShortfall(request, context) {
      const asked = decodeResolve(request);
      const resolved = lists.resolveShortfall(asked, callSignal(context), request.dryRun);
      return resolvedAnswer(asked, await resolved.catch(throwReadError));
    },
  };
}

/** One row more than the page may have shows whether there is another page. */
function pageOf({ after, size }: AskedPage): Page {
  return { after, limit: size + 1 };
}
