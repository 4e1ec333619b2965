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
  {
    name: "holdfast_ledger_violations",
    type: "gauge",
    help: "goods at locations whose stock is not what their ledger came to: in the last whole pass, or so far in the " +
      "one under way; each process compares 500 of them every few seconds",
    across: "max",
    read: ({ served: { ledger } }) => one(ledger()?.violations),
  },
  {
    name: "holdfast_ledger_checked_total",
    type: "counter",
    help: "goods at locations that were compared with their ledger",
    across: "sum",
    read: ({ served: { ledger } }) => one(ledger()?.checked),
  },
  {
    name: "holdfast_ledger_passes_total",
    type: "counter",
    help: "times that all of them were compared",
    across: "sum",
    read: ({ served: { ledger } }) => one(ledger()?.passes),
  },
  {
    name: "holdfast_tailer_lag_seconds",
    type: "gauge",
    help: "how long ago the last read of the tailer began that succeeded; 0 while nobody watches",
    across: "max",
    read: ({ served: { tailer } }) => one(tailer().lagSeconds),
  },
  {
    name: "holdfast_tailer_reads_total",
    type: "counter",
    help: "reads of what has been committed, which go on while anybody watches",
    across: "sum",
    read: ({ served: { tailer } }) => one(tailer().reads),
  },
  {
    name: "holdfast_tailer_failures_total",
    type: "counter",
    help: "of these, reads that failed",
    across: "sum",
    read: ({ served: { tailer } }) => one(tailer().failures),
  },
  {
    name: "holdfast_tailer_movements_total",
    type: "counter",
    help: "movements that these brought, whoever wrote them",
    across: "sum",
    read: ({ served: { tailer } }) => one(tailer().rows),
  },
];
