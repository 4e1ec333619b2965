/** The lanes: what stands in line, and how batches go. */
import { LanesTallies } from "../../lanes/tallies.ts";
import { SECONDS, SIZES } from "../../telemetry/measures.ts";
import { each, flag, type Metric, one } from "../metric.ts";

/** What labels can be. */
const { operations, reasons, failedAttempts, leasesRanOut, unread } = new LanesTallies();
const KINDS = Object.entries(operations);
const CAUSES = Object.keys(failedAttempts.counts);

export const LANES: readonly Metric[] = [
  {
    name: "holdfast_operations_total",
    type: "counter",
    help: "operations that ended: `applied` now, `repeated` the answer of an earlier call under the same id, `tried` " +
      "by a dry run, `refused` by a rule of stock, `failed` for want of goods, lock, database or queue, `left` by " +
      "their callers or their deadline before they were decided, `fault` of the program",
    labels: { operation: KINDS.map(([kind]) => kind), verdict: Object.keys(operations.sell.counts) },
    across: "sum",
    read: ({ served: { lanes: { tallies } } }) =>
      Object.entries(tallies.operations).flatMap(([operation, ends]) =>
        each("verdict", ends.counts).map(({ labels, value }) => ({ labels: { operation, ...labels }, value }))
      ),
  },
  {
    name: "holdfast_orders_total",
    type: "counter",
    help: "the same of sales alone",
    labels: { verdict: Object.keys(operations.sell.counts) },
    across: "sum",
    read: ({ served: { lanes: { tallies } } }) => each("verdict", tallies.operations.sell.counts),
  },
  {
    name: "holdfast_refusals_total",
    type: "counter",
    help: "why operations were refused or failed",
    labels: { reason: Object.keys(reasons.counts) },
    across: "sum",
    read: ({ served: { lanes: { tallies } } }) => each("reason", tallies.reasons.counts),
  },
  {
    name: "holdfast_batch_entries",
    type: "histogram",
    help: "operations in a batch when it began",
    bounds: SIZES,
    across: "sum",
    read: ({ served: { measures } }) => [{ of: measures.stock.batchEntries }],
  },
  {
    name: "holdfast_batch_duration_seconds",
    type: "histogram",
    help: "how long a batch took: lease, read, write, and the release of what nobody waits for",
    bounds: SECONDS,
    across: "sum",
    read: ({ served: { measures } }) => [{ of: measures.stock.batchSeconds }],
  },
  {
    name: "holdfast_queue_wait_seconds",
    type: "histogram",
    help: "how long the first operation of a batch had stood in line, attempts before included",
    bounds: SECONDS,
    across: "sum",
    read: ({ served: { measures } }) => [{ of: measures.stock.waitSeconds }],
  },
  {
    name: "holdfast_failed_attempts_total",
    type: "counter",
    help: "reads and writes of batches that failed, by what with: `fence`, others have changed the rows since they " +
      "were read; `lost_write`, the connection went away under the write; `row_locked`, others had a row locked",
    labels: { cause: CAUSES },
    across: "sum",
    read: ({ served: { lanes: { tallies } } }) => each("cause", tallies.failedAttempts.counts),
  },
  {
    name: "holdfast_retries_total",
    type: "counter",
    help: "failed attempts after which operations were tried again",
    labels: { cause: CAUSES },
    across: "sum",
    read: ({ served: { lanes: { tallies } } }) => each("cause", tallies.retries.counts),
  },
  {
    name: "holdfast_fence_lost_total",
    type: "counter",
    help: "writes that found the rows changed since they were read, and wrote nothing",
    across: "sum",
    read: ({ served: { lanes: { tallies } } }) => one(tallies.failedAttempts.counts.fence),
  },
  {
    name: "holdfast_unread_writes_total",
    type: "counter",
    help: "writes of sales that were decided on kept levels, without a read: `written`, or `lost` to the fence, as " +
      "somebody else had moved the goods or an order was on record, and decided again on what was read then",
    labels: { result: Object.keys(unread.counts) },
    across: "sum",
    read: ({ served: { lanes: { tallies } } }) => each("result", tallies.unread.counts),
  },
  {
    name: "holdfast_row_lock_detours_total",
    type: "counter",
    help: "batches that went by row locks although the mode is another and nothing is away: several goods that are " +
      "seldom free at once, or attempts that failed too often",
    labels: { cause: ["severalGoods", "failedAttempts"] },
    across: "sum",
    read: ({ served: { lanes } }) => each("cause", lanes.detours),
  },
  {
    name: "holdfast_leases_ran_out_total",
    type: "counter",
    help: "leases that ran out before the write of their batch began, or under it; the fence decides then",
    labels: { when: Object.keys(leasesRanOut.counts) },
    across: "sum",
    read: ({ served: { lanes: { tallies } } }) => each("when", tallies.leasesRanOut.counts),
  },
  {
    name: "holdfast_queue_entries",
    type: "gauge",
    help: "operations that stand in line; those of a batch under way do not",
    across: "sum",
    read: ({ served: { lanes } }) => one(lanes.waiting),
  },
  {
    name: "holdfast_operations_in_progress",
    type: "gauge",
    help: "operations that were admitted and have not ended",
    across: "sum",
    read: ({ served: { lanes } }) => one(lanes.operations),
  },
  {
    name: "holdfast_operations_in_progress_max",
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
