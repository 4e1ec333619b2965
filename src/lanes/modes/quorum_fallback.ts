/**
 * Going by row locks while the lock has no quorum. No I/O but for the log.
 *
 *     leases    --lost--> row locks    for a while nobody asks the nodes: each vain question takes a node's time limit
 *     row locks --asks again, lost--> row locks
 *     row locks --asks again, answered--> leases
 *     leases    --answered--> leases
 */
import type { Log } from "../../telemetry/log.ts";

/** How long batches go by row locks before one of them asks the nodes again. */
export const ASK_AGAIN_AFTER_MS = 500;

/** What may be seen of it. */
export interface FallbackView {
  /** Since when batches go by row locks, in ms since the epoch; undefined: they don't now. */
  readonly sinceMs: number | undefined;
  /** Batches that went by row locks since the process started. */
  readonly batches: number;
}

/** Clocks in ms: a monotonic one, and the time of day for those who look. */
export interface FallbackClocks {
  monotonicMs(): number;
  timeMs(): number;
}

/** Whether batches go by row locks. */
export class QuorumFallback {
  readonly #clocks: FallbackClocks;
  readonly #log: Log;
  #askAgainMs = -Infinity;
  #sinceMs: number | undefined;
  #batches = 0;

  constructor(clocks: FallbackClocks, log: Log) {
    this.#clocks = clocks;
    this.#log = log;
  }

  get view(): FallbackView {
    return { sinceMs: this.#sinceMs, batches: this.#batches };
  }

  /** Whether a batch is to go by row locks without asking the nodes. */
  get isOn(): boolean {
    return this.#sinceMs !== undefined && this.#clocks.monotonicMs() < this.#askAgainMs;
  }

  /** A batch goes by row locks. */
  count(): void {
    this.#batches++;
  }

  /** A lease could not be had for want of a quorum. */
  lost(error: Error): void {
    this.#askAgainMs = this.#clocks.monotonicMs() + ASK_AGAIN_AFTER_MS;
    if (this.#sinceMs !== undefined) return;
    this.#sinceMs = this.#clocks.timeMs();
    this.#log.warn({ error: error.message }, "no quorum of Redis nodes: going on with row locks");
  }

  /** The nodes gave a lease, or said who has it. */
  regained(): void {
    if (this.#sinceMs === undefined) return;
    this.#sinceMs = undefined;
    this.#log.info({ batches: this.#batches }, "a quorum of Redis nodes votes again: going on with leases");
  }
}
