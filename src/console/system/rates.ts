/** What two answers of GetSystem say about the time between them: rates, and how long calls took. Pure. */
import type { CallCount, GetSystemResponse } from "../../gen/inventory/v1/system_pb.ts";
import { timestampMs } from "@bufbuild/protobuf/wkt";

/** What the time up to an answer was like. Null is not known: nothing was counted, or there was no answer before. */
export interface Sample {
  readonly atMs: number;
  readonly ordersPerS: number | null;
  readonly refusedPerS: number | null;
  readonly callsPerS: number | null;
  /** Half of the calls took up to this, and 99 of 100. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Entries that were settled together, on average. */
  readonly batchSize: number | null;
  readonly waiting: number;
  readonly underWay: number;
}

/** Samples that are kept: five minutes of one each second. */
export const SAMPLES_MAX = 300;

/** Streams are open for minutes, and what looks at the server says nothing of the shop. */
const NOT_COUNTED = /^(inventory\.v1\.(WatchService|SystemService|LockService)|grpc\.)/;

/** The sample of `now`, after `before`, where that is of the same process. */
export function sampleOf(before: GetSystemResponse | undefined, now: GetSystemResponse): Sample {
  const atMs = timeOf(now);
  const lanes = { waiting: now.lanes?.waiting ?? 0, underWay: (now.lanes?.entries ?? 0) - (now.lanes?.waiting ?? 0) };
  const seconds = before === undefined ? 0 : (atMs - timeOf(before)) / 1000;
  if (before === undefined || before.processId !== now.processId || seconds <= 0) {
    return {
      atMs,
      ...lanes,
      ordersPerS: null,
      refusedPerS: null,
      callsPerS: null,
      p50Ms: null,
      p99Ms: null,
      batchSize: null,
    };
  }
  const buckets = bucketsOf(now.calls);
  const earlier = bucketsOf(before.calls);
  const between = buckets.map(({ msMax, count }, i) => ({ msMax, count: count - (earlier[i]?.count ?? 0) }));
  const calls = between.reduce((sum, { count }) => sum + count, 0);
  const batches = Number((now.lanes?.batches ?? 0n) - (before.lanes?.batches ?? 0n));
  const entries = Number((now.lanes?.batchEntries ?? 0n) - (before.lanes?.batchEntries ?? 0n));
  return {
    atMs,
    ...lanes,
    ordersPerS: Number(now.ordersApplied - before.ordersApplied) / seconds,
    refusedPerS: (refusedOf(now) - refusedOf(before)) / seconds,
    callsPerS: buckets.length === 0 ? null : calls / seconds,
    p50Ms: quantile(between, 0.5),
    p99Ms: quantile(between, 0.99),
    batchSize: batches > 0 ? entries / batches : null,
  };
}

/** The samples with one more; the oldest go. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  return [...samples, sample].slice(-SAMPLES_MAX);
}

/** Calls that took up to `msMax`, and longer than the bucket before. The last has no end. */
export interface Bucket {
  readonly msMax: number | undefined;
  readonly count: number;
}

/**
 * Within the bucket in which it lies the calls are taken to be spread evenly; in the last one it is the bucket's begin.
 *
 * @returns null where there are no calls
 */
export function quantile(buckets: readonly Bucket[], part: number): number | null {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  if (total <= 0) return null;
  let below = 0;
  let fromMs = 0;
  for (const { msMax, count } of buckets) {
    if (count > 0 && below + count >= part * total) {
      return msMax === undefined ? fromMs : fromMs + (msMax - fromMs) * (part * total - below) / count;
    }
    below += count;
    fromMs = msMax ?? fromMs;
  }
  return fromMs;
}

/** The durations of all calls that count, added up; all have the same bounds. */
function bucketsOf(calls: readonly CallCount[]): Bucket[] {
  const sums: { msMax: number | undefined; count: number }[] = [];
  for (const { method, durations } of calls) {
    if (NOT_COUNTED.test(method)) continue;
    durations.forEach(({ msMax, count }, i) => {
      const sum = sums[i] ??= { msMax, count: 0 };
      sum.count += Number(count);
    });
  }
  return sums;
}

function refusedOf({ refusals }: GetSystemResponse): number {
  return refusals.reduce((sum, { count }) => sum + Number(count), 0);
}

function timeOf({ at }: GetSystemResponse): number {
  return at === undefined ? 0 : timestampMs(at);
}
