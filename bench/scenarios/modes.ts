/** The three modes beside each other; the first of them, `redlock`, is in_process.ts. */
import { CALLERS, PICTURE_TIMES, type Scenario, WORKLOAD_TITLES, WORKLOADS } from "./scenario.ts";

const OTHER_MODES = ["row", "optimistic"] as const;

/** On one goods and on many, by one process and by two that meet each other. */
export const MODE_SCENARIOS: readonly Scenario[] = OTHER_MODES.flatMap((concurrency) =>
  (["one_goods", "uniform"] as const).flatMap((name) =>
    [1, 2].map((processes): Scenario => ({
      ...PICTURE_TIMES,
      group: "modes",
      kind: "stock",
      database: "stock",
      unit: "orders/s",
      id: `modes/${concurrency}/${name}/${processes}`,
      title: `${concurrency}, ${WORKLOAD_TITLES[name]}, ${processes} process${processes === 1 ? "" : "es"}`,
      concurrency,
      workload: WORKLOADS[name],
      processes,
      callers: CALLERS * processes,
    }))
  )
);
