/** Holdfast over the wire, a hundred orders a call. */
import {
  PICTURE_TIMES,
  PROCESSES,
  type Scenario,
  SIDE_TIMES,
  WORKLOAD_NAMES,
  WORKLOAD_TITLES,
  WORKLOADS,
} from "./scenario.ts";

const ORDERS = 100;
/** A call in progress is a hundred orders, so that fewer callers are as much load: 16 x 100 orders. */
const BATCH_CALLERS = 16;

/** SellBatch in every spread on 1, 2 and 4 servers. */
export const SELL_BATCH: readonly Scenario[] = WORKLOAD_NAMES.flatMap((name) =>
  PROCESSES.map((processes): Scenario => ({
    group: "SellBatch",
    kind: "grpc",
    method: "SellBatch",
    orders: ORDERS,
    database: "wire",
    ...(name === "one_goods" && processes === 1 ? SIDE_TIMES : PICTURE_TIMES),
    id: `grpc/sell_batch/${name}/${processes}`,
    title: `gRPC SellBatch of ${ORDERS}, ${WORKLOAD_TITLES[name]}, ${processes} server${processes === 1 ? "" : "s"}`,
    workload: WORKLOADS[name],
    processes,
    callers: BATCH_CALLERS,
    unit: "orders/s",
  }))
);
