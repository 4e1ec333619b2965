/** Holdfast over the wire, one order or one look a call. */
import {
  CALLERS,
  PICTURE_TIMES,
  PROCESSES,
  type Scenario,
  SIDE_TIMES,
  WORKLOAD_NAMES,
  WORKLOAD_TITLES,
  WORKLOADS,
} from "./scenario.ts";

const GRPC = { group: "gRPC", kind: "grpc", database: "wire", callers: CALLERS } as const;

/** Sell in every spread on 1, 2 and 4 servers, and InvDetail. */
export const GRPC_UNARY: readonly Scenario[] = [
  {
    ...GRPC,
    ...SIDE_TIMES,
    id: "grpc/inv_detail",
    title: "gRPC InvDetail, 10,000 goods",
    method: "InvDetail",
    workload: WORKLOADS.uniform,
    processes: 1,
    unit: "calls/s",
  },
  ...WORKLOAD_NAMES.flatMap((name) =>
    PROCESSES.map((processes): Scenario => ({
      ...GRPC,
      ...(name === "one_goods" && processes === 1 ? SIDE_TIMES : PICTURE_TIMES),
      id: `grpc/sell/${name}/${processes}`,
      title: `gRPC Sell, ${WORKLOAD_TITLES[name]}, ${processes} server${processes === 1 ? "" : "s"}`,
      method: "Sell",
      workload: WORKLOADS[name],
      processes,
      unit: "orders/s",
    }))
  ),
];
