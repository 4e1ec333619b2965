/** Open loop: how long a call takes at a rate that does not wait for it. Counted from the intended start. */
import { type Scenario, WORKLOADS } from "./scenario.ts";

/** Long enough that three rounds of the lowest rate make a thousand calls, of which p99.9 is the slowest but one. */
const TIMES = { warmupMs: 100, windowMs: 1_340 } as const;
/** Of a thousand calls a second there are enough in less. */
const FAST_TIMES = { warmupMs: 100, windowMs: 800 } as const;
/**
 * Most calls in progress: eight connections of a hundred streams. What would begin beyond that is counted as refused.
 */
const CALLERS_MAX = 800;

const OPEN = { group: "latency", processes: 1, callers: CALLERS_MAX, ...TIMES } as const;

/** The fixed rates. */
export const LATENCY: readonly Scenario[] = [
  {
    ...OPEN,
    id: "latency/article/one_goods/250",
    title: "article's approach, one goods, 250/s",
    kind: "article",
    database: "baselines",
    workload: WORKLOADS.one_goods,
    ratePerS: 250,
    unit: "orders/s",
  },
  ...([["one_goods", 250], ["one_goods", 1_000], ["uniform", 1_000]] as const).map(([name, ratePerS]): Scenario => ({
    ...OPEN,
    ...(ratePerS === 1_000 ? FAST_TIMES : {}),
    id: `latency/grpc/sell/${name}/${ratePerS}`,
    title: `gRPC Sell, ${name === "uniform" ? "10,000 goods" : "one goods"}, ${ratePerS}/s`,
    kind: "grpc",
    method: "Sell",
    database: "wire",
    workload: WORKLOADS[name],
    ratePerS,
    unit: "orders/s",
  })),
  {
    ...OPEN,
    id: "latency/grpc/sell_batch/one_goods/20",
    title: "gRPC SellBatch of 100, one goods, 20 calls/s",
    kind: "grpc",
    method: "SellBatch",
    orders: 100,
    database: "wire",
    workload: WORKLOADS.one_goods,
    ratePerS: 20,
    unit: "orders/s",
  },
  {
    ...OPEN,
    ...FAST_TIMES,
    id: "latency/grpc/inv_detail/1000",
    title: "gRPC InvDetail, 10,000 goods, 1000/s",
    kind: "grpc",
    method: "InvDetail",
    database: "wire",
    workload: WORKLOADS.uniform,
    ratePerS: 1_000,
    unit: "calls/s",
  },
];
