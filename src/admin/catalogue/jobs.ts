/** What a process does by itself. */
import { type Metric, one } from "../metric.ts";

export const JOBS: readonly Metric[] = [
  {
    name: "holdfast_holds_due",
    type: "gauge",
    help: "holds whose time was up when the sweeper last looked, and that are not written down yet; at most 200",
    across: "max",
    read: ({ served: { sweeper } }) => one(sweeper().due),
  },
  {
    name: "holdfast_sweeper_lag_seconds",
    type: "gauge",
    help: "how long ago the sweeper was last through with all that was due; decisions don't wait for it",
    across: "min",
    read: ({ served: { sweeper } }) => one(sweeper().lagMs / 1000),
  },
  {
    name: "holdfast_sweeper_failures",
    type: "gauge",
    help: "rounds of the sweeper that failed in a row",
    across: "max",
    read: ({ served: { sweeper } }) => one(sweeper().failures),
  },
  {
    name: "holdfast_holds_expired_total",
    type: "counter",
    help: "holds that the sweeper wrote down as expired",
    across: "sum",
    read: ({ served: { sweeper } }) => one(sweeper().expired),
  },
];
