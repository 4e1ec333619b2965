/** A batch as whoever observes the program's work sees it. */
import type { ObservedBatch } from "../telemetry/observer.ts";
import { type Entry, keysOfAll } from "./entry.ts";
import type { LanesLimits } from "./lanes_limits.ts";

/** What observers don't look at costs nothing. */
export class Observed implements ObservedBatch {
  readonly entries: number;
  readonly waitedMs: number;
  readonly #entries: readonly Entry[];

  constructor(entries: readonly Entry[], { lockWaitMsMax }: LanesLimits) {
    this.#entries = entries;
    this.entries = entries.length;
    // They are sorted by arrival.
    this.waitedMs = Math.max(0, performance.now() - entries[0]!.waitUntilMs + lockWaitMsMax);
  }

  get goods(): number {
    return keysOfAll(this.#entries).length;
  }

  get calls(): readonly unknown[] {
    return this.#entries.map(({ call }) => call);
  }
}
