/** Holdfast over the wire, one order or one look a call. */
import {
  CALLERS,
  PICTURE_TIMES,
  PROCESSES,
  RATIO_TIMES,
  type Scenario,
  WORKLOAD_NAMES,
  WORKLOAD_TITLES,
  WORKLOADS,
} from "./scenario.ts";

const GRPC = { group: "gRPC", kind: "grpc", database: "wire", callers: CALLERS } as const;

/** A ratio stands on these too, and the whole run is long enough. */
const VARIANT_TIMES = { warmupMs: 100, windowMs: 600 } as const;

/** Sell in every spread on 1, 2 and 4 servers, and InvDetail. */
export const GRPC_UNARY: readonly Scenario[] = [
  {
    ...GRPC,
    ...RATIO_TIMES,
    id: "grpc/inv_detail",
    title: "gRPC InvDetail, 10,000 goods",
    method: "InvDetail",
    workload: WORKLOADS.uniform,
    processes: 1,
    unit: "calls/s",
  },
  {
    ...GRPC,
    ...VARIANT_TIMES,
    id: "grpc/sell/one_goods/keyed",
    title: "gRPC Sell, one goods, by a key",
    method: "Sell",
    variant: "keyed",
    workload: WORKLOADS.one_goods,
    processes: 1,
    unit: "orders/s",
  },
  ...(["traced", "sampled"] as const).map((variant): Scenario => ({
    ...GRPC,
    ...(variant === "sampled" ? VARIANT_TIMES : PICTURE_TIMES),
    id: `grpc/sell/one_goods/${variant}`,
    title: `gRPC Sell, one goods, ${variant === "traced" ? "every call" : "1 % of the calls"} traced`,
    method: "Sell",
    variant,
    workload: WORKLOADS.one_goods,
    processes: 1,
    unit: "orders/s",
  })),
  {
    ...GRPC,
    ...VARIANT_TIMES,
    id: "grpc/sell/one_goods/unmeasured",
    title: "gRPC Sell, one goods, without metrics",
    method: "Sell",
    variant: "unmeasured",
    workload: WORKLOADS.one_goods,
    processes: 1,
    unit: "orders/s",
  },
  ...WORKLOAD_NAMES.flatMap((name) =>
    PROCESSES.map((processes): Scenario => ({
      ...GRPC,
      ...(name === "one_goods" && processes === 1 ? RATIO_TIMES : PICTURE_TIMES),
      id: `grpc/sell/${name}/${processes}`,
      title: `gRPC Sell, ${WORKLOAD_TITLES[name]}, ${processes} server${processes === 1 ? "" : "s"}`,
      method: "Sell",
      workload: WORKLOADS[name],
      processes,
      unit: "orders/s",
    }))
  ),
];
