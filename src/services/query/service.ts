/**
 * inventory.v1.QueryService: decodes a request, has the page read, encodes the answer.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { QueryService, type StockTotalsSchema } from "../../gen/inventory/v1/query_pb.ts";
import type { StockTotals, TurnoverRows } from "../../inventory/stats.ts";
import { keyOf } from "../../inventory/stock_key.ts";
import type { Lists } from "../../inventory/lists.ts";
import type { Total } from "../../inventory/queries.ts";
import type { Lanes } from "../../lanes/lanes.ts";
import { type ListReads, ReadTooLongError } from "../../lanes/list_reads.ts";
import { callSignal } from "../../rpc/deadline.ts";
import { callerAddress } from "../../transport/addresses.ts";
import type { BoundSettings } from "../bounds.ts";
import { answered } from "../read_errors.ts";
import { refusalCounts } from "../refusal_counts.ts";
import { refusalError } from "../refusals.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import type { SkusOf } from "../sku_look_up.ts";
import { decodeListInv, decodeListMovements, decodeListOrders, type TotalAsked } from "./decode.ts";
import { decodeExplainInv, explainedAnswer } from "./explain.ts";
import { type AskedStats, decodeGetStats, firstDayOf, turnoverAnswer } from "./stats.ts";
import { levelsAnswer, movementsAnswer, ordersAnswer } from "./encode.ts";
import { queryMethods } from "./methods.ts";
import { movementsList, ordersList } from "./tokens.ts";

/** What the service is made of. */
export interface QueryServiceOptions {
  readonly lists: Lists;
  readonly reads: ListReads;
  readonly skusOf: SkusOf;
  readonly lanes: Pick<Lanes, "operationsOn" | "tallies">;
  /** The time of day, in ms since 1970. */
  readonly nowMs: () => number;
}

/** The service; its handlers throw ConnectError only, for whatever the caller can know. */
export function queryModule(
  { lists, reads, skusOf, lanes, nowMs }: QueryServiceOptions,
  settings: Pick<BoundSettings, "requestBytesMax">,
): ServiceModule {
  const run = <T>(read: (signal: AbortSignal) => Promise<T>, context: HandlerContext): Promise<T> =>
    reads.run(read, callSignal(context), callerAddress(context.values), context.timeoutMs());
  return serviceModule({
    service: QueryService,
    handlers: {
      async listInv(request, context) {
        const asked = decodeListInv(request);
        return await answered(async () => {
          const page = await run((signal) => lists.levels(asked.query, asked.page, signal), context);
          const count = (isExact: boolean) => run((signal) => lists.countLevels(asked.query, isExact, signal), context);
          return levelsAnswer(asked, page, await totalOf(asked.total, count));
        });
      },

      async listMovements(request, context) {
        const skus = skusOf([request], context);
        const { query, page } = decodeListMovements(request, skus && await skus);
        return await answered(async () =>
          movementsAnswer(movementsList(query), await run((signal) => lists.movements(query, page, signal), context))
        );
      },

      async listOrders(request, context) {
        const skus = skusOf([request], context);
        const { query, page } = decodeListOrders(request, skus && await skus);
        return await answered(async () =>
          ordersAnswer(ordersList(query), await run((signal) => lists.orders(query, page, signal), context))
        );
      },

      async explainInv(request, context) {
        const skus = skusOf([request], context);
        const { place, limits } = decodeExplainInv(request, skus && await skus);
        return await answered(async () => {
          const explained = await run((signal) => lists.explain(place, limits, signal), context);
          if (explained === undefined) throw refusalError({ reason: "unknown_goods", places: [place] });
          return explainedAnswer(explained, lanes.operationsOn(keyOf(place)));
        });
      },

      async getStats(request, context) {
        const whole = decodeGetStats(request, nowMs());
        return await answered(async () => {
          const read = (of: AskedStats) => run((signal) => lists.turnover(of.query, of.page, signal), context);
          const { asked, rows } = await turnoverOf(whole, read);
          const first = !asked.isFirst ? {} : {
            totals: await totalsOf(
              () => run((signal) => lists.totals(asked.levels, signal), context),
              () => run((signal) => lists.countLevels(asked.levels, false, signal), context),
            ),
            refusals: refusalCounts(lanes.tallies),
          };
          return { ...turnoverAnswer(asked, rows), ...first };
        });
      },
    },
    methods: queryMethods(settings),
    drainExempt: false,
    healthListed: true,
    reflected: "listed",
  });
}

/** What was turned over in the days of a page, or, where that can't be added up in time, in the first of them. */
async function turnoverOf(
  whole: AskedStats,
  read: (asked: AskedStats) => Promise<TurnoverRows>,
): Promise<{ readonly asked: AskedStats; readonly rows: TurnoverRows }> {
  try {
    return { asked: whole, rows: await read(whole) };
  } catch (error) {
    const first = firstDayOf(whole);
    if (first === undefined || !(error instanceof ReadTooLongError)) throw error;
    return { asked: first, rows: await read(first) };
  }
}

/** What there is, or, where that can't be added up in time, how many places there may be. */
async function totalsOf(
  read: () => Promise<StockTotals>,
  estimate: () => Promise<number>,
): Promise<MessageInitShape<typeof StockTotalsSchema>> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ReadTooLongError)) throw error;
    return { places: BigInt(await estimate()), isEstimate: true };
  }
}

/** The rows that a query fits, as it was asked for; an estimate where they are too many to be counted in time. */
async function totalOf(asked: TotalAsked, count: (isExact: boolean) => Promise<number>): Promise<Total | undefined> {
  if (asked === "none") return undefined;
  if (asked === "exact") {
    try {
      return { count: await count(true), isEstimate: false };
    } catch (error) {
      if (!(error instanceof ReadTooLongError)) throw error;
    }
  }
  return { count: await count(false), isEstimate: true };
}
