/** Every service of the program, each made and put in the one list that all else is made of. */
import { v7 as uuidV7 } from "uuid";
import type { RefusalAudit } from "./auth/refusal_audit.ts";
import type { Config } from "./config/config.ts";
import type { HealthBoard } from "./health/board.ts";
import { ListReads } from "./lanes/list_reads.ts";
import { DETAIL_FILES } from "./services/answer_json.ts";
import { articleModule } from "./services/article/service.ts";
import { goodsModule } from "./services/goods/service.ts";
import { healthModule } from "./services/health/service.ts";
import { holdModule } from "./services/holds/service.ts";
import { createInventoryService, inventoryModule } from "./services/inventory/service.ts";
import { lockModule } from "./services/lock/service.ts";
import { queryModule } from "./services/query/service.ts";
import { reflectionModules } from "./services/reflection/service.ts";
import { checkModules, describedBy, namesOf, type ServiceModule } from "./services/service_module.ts";
import { createSkus } from "./services/sku_look_up.ts";
import { stockModule } from "./services/stock/service.ts";
import { systemModule } from "./services/system/service.ts";
import { watchModule } from "./services/watch/service.ts";
import type { Stock } from "./stock.ts";
import type { Log } from "./telemetry/log.ts";
import type { ProcessMeasures } from "./telemetry/process_measures.ts";
import { shareOf } from "./transport/addresses.ts";

/** Largest answer, as much as gRPC clients take by default. Batches keep within it, and all else is far smaller. */
export const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;

/** Lists that are read at a time, and that are read or wait for it. */
const LIST_READS_MAX = 2;
const LISTS_MAX = 200;

/** What services have beside the stock. */
export interface ServiceParts {
  readonly board: HealthBoard;
  readonly audit: RefusalAudit;
  readonly measures: ProcessMeasures;
  readonly log: Log;
  /** Beside the program's own, such as the benchmark's. */
  readonly services?: readonly ServiceModule[];
}

/**
 * Every service, once. Routing, the health board, reflection, the bounds of messages, and what is still served while
 * the server drains are all made of this list.
 *
 * @throws Error naming service, method and field where a module does not say all that it must
 */
export function openServices(
  config: Config,
  { lanes, lock, names, own, reasons, store, watching, past }: Stock,
  { board, audit, measures, services = [], log }: ServiceParts,
): readonly ServiceModule[] {
  const { concurrency, quorumLoss, addressShareMax } = config;
  const skus = createSkus(names, reasons);
  const processId = uuidV7();
  const inventory = createInventoryService({
    lanes,
    ...skus,
    reasons,
    orderLinesMax: config.orderLinesMax,
    orderIdRequired: config.orderIdRequired,
    batchOrdersMax: config.batchOrdersMax,
    responseBytesMax: RESPONSE_BYTES_MAX,
    newId: uuidV7,
    log,
  });
  const reads = new ListReads({
    // One connection at least stays for sales, where there are two.
    readsMax: Math.max(1, Math.min(LIST_READS_MAX, config.databasePoolMax - 1)),
    waitingMax: LISTS_MAX,
    waitingPerAddressMax: shareOf(LISTS_MAX, config.addressShareMax),
  });
  const described = [
    inventoryModule(inventory, config),
    queryModule({ lists: store.lists, reads, skusOf: skus.skusOf, lanes, nowMs: Date.now }, config),
    watchModule({ watching, lists: store.lists, past, reads, skusOf: skus.skusOf }, config),
    articleModule(inventory, config),
    goodsModule({ names, reasons }, config),
    holdModule(
      { lanes, lists: store, reads, skusOf: skus.skusOf, reasons, orderLinesMax: config.orderLinesMax },
      config,
    ),
    stockModule({
      lanes,
      ...skus,
      reasons,
      listHolds: (filter, page, signal, address) =>
        reads.run((ended) => store.listHolds(filter, page, ended), signal, address),
      orderLinesMax: config.orderLinesMax,
      orderIdRequired: config.orderIdRequired,
      batchOrdersMax: config.batchOrdersMax,
      responseBytesMax: RESPONSE_BYTES_MAX,
      newId: uuidV7,
      nowMs: Date.now,
      audit,
      log,
    }, config),
    lockModule({
      status: () => ({ concurrency, redlock: lock && { quorumLoss, fallback: lanes.fallback, ...lock.status() } }),
    }, config),
    systemModule({
      view: () => ({
        processId,
        // As the metric process_start_time_seconds has it.
        startedMs: performance.timeOrigin,
        nowMs: Date.now(),
        health: board.view,
        lanes,
        pool: own?.view.pools.find(({ name }) => name === "work"),
        calls: measures.calls.durations(),
        watchers: watching.view.watchers,
        loopDelayMs: measures.loopDelayMs,
      }),
    }, config),
    healthModule(board, addressShareMax),
    ...services,
  ];
  checkModules(described);
  const modules = [
    ...described,
    ...reflectionModules({ ...describedBy(described), files: DETAIL_FILES }, addressShareMax),
  ];
  checkModules(modules);
  for (const name of namesOf(modules, ({ healthListed }) => healthListed)) board.setService(name, "NOT_SERVING");
  return modules;
}
