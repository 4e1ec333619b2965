/** Holdfast without the wire: what lanes, lock and store do. */
import {
  CALLERS,
  PICTURE_TIMES,
  PROCESSES,
  RATIO_TIMES,
  type Scenario,
  SIDE_TIMES,
  WORKLOAD_NAMES,
  WORKLOAD_TITLES,
  WORKLOADS,
} from "./scenario.ts";

const STOCK = { group: "in-process", kind: "stock", database: "stock", unit: "orders/s" } as const;

/** Each spread of sales on 1, 2 and 4 processes, and the one caller who has everything to itself. */
export const IN_PROCESS: readonly Scenario[] = [
  ...WORKLOAD_NAMES.flatMap((name) =>
    PROCESSES.map((processes): Scenario => ({
      ...STOCK,
      ...timesOf(`${name}/${processes}`),
      id: `in_process/${name}/${processes}`,
      title: `in-process, ${WORKLOAD_TITLES[name]}, ${processes} process${processes === 1 ? "" : "es"}`,
      workload: WORKLOADS[name],
      processes,
      // Each process brings as many as the one alone: with half of them its batches would be half as large.
      callers: CALLERS * processes,
    }))
  ),
  {
    ...STOCK,
    ...SIDE_TIMES,
    id: "in_process/one_goods/lone",
    title: "in-process, one goods, 1 caller",
    workload: WORKLOADS.one_goods,
    processes: 1,
    callers: 1,
  },
];

function timesOf(name: string): Pick<Scenario, "warmupMs" | "windowMs"> {
  if (["one_goods/1", "one_goods/2", "uniform/1"].includes(name)) return SIDE_TIMES;
  return name === "one_goods/4" ? RATIO_TIMES : PICTURE_TIMES;
}
