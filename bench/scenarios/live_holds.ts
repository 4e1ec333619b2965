/** What holds cost sales: the load of in_process.ts on a stock with very many of them, half of them on goods 1. */
import { CALLERS, type Scenario, SIDE_TIMES, WORKLOAD_TITLES, WORKLOADS } from "./scenario.ts";

/** Holds that end in a second. */
const ENDING_PER_S = 10_000;

const HOLDS = {
  group: "holds",
  kind: "stock",
  database: "holds",
  processes: 1,
  callers: CALLERS,
  unit: "orders/s",
  ...SIDE_TIMES,
} as const;

/** Sales on one goods, and on all: beside the holds, and while some of them end, which are of the same goods. */
export function liveHolds(count: number): readonly Scenario[] {
  return (["one_goods", "uniform"] as const).flatMap((name): Scenario[] => [
    {
      ...HOLDS,
      id: `holds/live/${name}`,
      title: `beside ${count.toLocaleString("en")} live holds, ${WORKLOAD_TITLES[name]}`,
      workload: WORKLOADS[name],
    },
    {
      ...HOLDS,
      id: `holds/ending/${name}`,
      title: `while ${ENDING_PER_S.toLocaleString("en")} of them end a second, ${WORKLOAD_TITLES[name]}`,
      workload: WORKLOADS[name],
      endingPerS: ENDING_PER_S,
    },
  ]);
}
