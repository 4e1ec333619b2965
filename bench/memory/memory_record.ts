/** What a run of memory leaves behind. Types only. */
import type { MemoryTrend } from "./slope.ts";

/** Memory over one scenario. */
export interface MemoryRow extends MemoryTrend {
  readonly title: string;
  /** Calls answered in all of it, refusals included. */
  readonly calls: number;
  /** The heap before and after it, right after all garbage was collected: what is live. */
  readonly liveBeforeMiB: number;
  readonly liveAfterMiB: number;
}

/** The record, memory.json. */
export interface MemoryRecord {
  readonly at: string;
  /** Of each scenario. */
  readonly minutes: number;
  readonly scenarios: readonly MemoryRow[];
}
