/** The lanes: what stands in line, and how batches go. */
import { flag, type Metric, one } from "../metric.ts";

export const LANES: readonly Metric[] = [
  {
    name: "holdfast_queue_entries",
    type: "gauge",
    help: "operations that stand in line; those of a batch under way do not",
    across: "sum",
    read: ({ served: { lanes } }) => one(lanes.waiting),
  },
  {
    name: "holdfast_operations",
    type: "gauge",
    help: "operations that were admitted and have not ended",
    across: "sum",
    read: ({ served: { lanes } }) => one(lanes.operations),
  },
  {
    name: "holdfast_operations_max",
    type: "gauge",
    help: "how many there may be: QUEUE_MAX, for each worker; beyond it calls end in RESOURCE_EXHAUSTED",
    across: "sum",
    read: ({ served: { lanes } }) => one(lanes.operationsMax),
  },
  {
    name: "holdfast_batches",
    type: "gauge",
    help: "batches under way",
    across: "sum",
    read: ({ served: { lanes } }) => one(lanes.batches),
  },
  {
    name: "holdfast_fallback_active",
    type: "gauge",
    help: "1: the lock has no quorum, and batches go by row locks (QUORUM_LOSS=row)",
    across: "max",
    read: ({ served: { lanes } }) => one(flag(lanes.fallback.sinceMs !== undefined)),
  },
  {
    name: "holdfast_fallback_batches_total",
    type: "counter",
    help: "batches that went by row locks for want of a quorum",
    across: "sum",
    read: ({ served: { lanes } }) => one(lanes.fallback.batches),
  },
];
