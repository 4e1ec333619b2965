/** What moves stock beside plain sales, without the wire. */
import { CALLERS, PICTURE_TIMES, type Scenario, WORKLOAD_TITLES, WORKLOADS } from "./scenario.ts";

const OPERATIONS = {
  group: "in-process",
  kind: "stock",
  // Of its own, as its rows grow where those of sales do not.
  database: "operations",
  processes: 1,
  callers: CALLERS,
  ...PICTURE_TIMES,
} as const;

/** An order that is reserved and then confirmed, and a unit that is adjusted away, on one goods and on many. */
export const OPERATION_SCENARIOS: readonly Scenario[] = (["one_goods", "uniform"] as const).flatMap((name) => [
  {
    ...OPERATIONS,
    id: `operations/reserve_confirm/${name}`,
    title: `in-process Reserve + ConfirmHold, ${WORKLOAD_TITLES[name]}`,
    operation: "reserve_confirm",
    workload: WORKLOADS[name],
    unit: "orders/s",
  },
  {
    ...OPERATIONS,
    id: `operations/adjust/${name}`,
    title: `in-process AdjustInv, ${WORKLOAD_TITLES[name]}`,
    operation: "adjust",
    workload: WORKLOADS[name],
    unit: "calls/s",
  },
]);
