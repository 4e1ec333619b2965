/** The three ways of concurrency beside each other; the first of them, `redlock`, is in_process.ts. */
import { CALLERS, PICTURE_TIMES, type Scenario, WORKLOAD_TITLES, WORKLOADS } from "./scenario.ts";

const OTHER_WAYS = ["row", "optimistic"] as const;

/** On one goods and on many, by one process and by two that meet each other. */
export const WAYS: readonly Scenario[] = OTHER_WAYS.flatMap((concurrency) =>
  (["one_goods", "uniform"] as const).flatMap((name) =>
    [1, 2].map((processes): Scenario => ({
      ...PICTURE_TIMES,
      group: "ways",
      kind: "stock",
      database: "stock",
      unit: "orders/s",
      id: `ways/${concurrency}/${name}/${processes}`,
      title: `${concurrency}, ${WORKLOAD_TITLES[name]}, ${processes} process${processes === 1 ? "" : "es"}`,
      concurrency,
      workload: WORKLOADS[name],
      processes,
      callers: CALLERS * processes,
    }))
  )
);
