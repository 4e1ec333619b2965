/** Whether memory grows. Pure. */
import { median } from "../stats.ts";

/** What a process has in RAM at one moment. */
export interface MemorySample {
  /** Since the scenario began. */
  readonly minutes: number;
  readonly residentMiB: number;
}

/** What the samples of a scenario come to. */
export interface MemoryTrend {
  readonly samples: number;
  /** In RAM at the beginning and at the end, the medians of a tenth of the samples each. */
  readonly firstMiB: number;
  readonly lastMiB: number;
  /** Of a line through the second half, in MiB a minute: in the first half code is compiled and caches fill. */
  readonly slopeMiBPerMinute: number;
}

/** @throws RangeError for fewer than eight samples, which say nothing */
export function memoryTrend(samples: readonly MemorySample[]): MemoryTrend {
  const count = samples.length;
  if (count < 8) throw new RangeError(`${count} samples of memory are too few`);
  const tenth = Math.ceil(count / 10);
  const residents = (some: readonly MemorySample[]) => some.map(({ residentMiB }) => residentMiB);
  return {
    samples: count,
    firstMiB: median(residents(samples.slice(0, tenth))),
    lastMiB: median(residents(samples.slice(-tenth))),
    slopeMiBPerMinute: slope(samples.slice(count >> 1)),
  };
}

/** Least squares. */
function slope(samples: readonly MemorySample[]): number {
  const mean = (of: (sample: MemorySample) => number) =>
    samples.reduce((sum, each) => sum + of(each), 0) / samples.length;
  const [minutes, mib] = [mean((each) => each.minutes), mean((each) => each.residentMiB)];
  const along = mean((each) => (each.minutes - minutes) * (each.residentMiB - mib));
  const square = mean((each) => (each.minutes - minutes) ** 2);
  return square === 0 ? 0 : along / square;
}
