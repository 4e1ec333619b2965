/**
 * What may come as often as callers like, as one line of log now and then: with how often it came, and the latest of
 * it.
 */
import type { Log } from "./log.ts";

/** The shortest time between two lines, in ms. */
const LINE_EVERY_MS = 10_000;

/** One kind of line. */
export class RareLine {
  #count = 0;
  #writtenAt = -Infinity;

  /** @param nowMs a clock that runs forward */
  constructor(
    private readonly log: Log,
    private readonly message: string,
    private readonly nowMs: () => number = () => performance.now(),
    private readonly level: "info" | "warn" = "info",
  ) {}

  /** Counts one, and writes of all since the line before where that is long enough ago. */
  note(latest: Readonly<Record<string, unknown>>): void {
    this.#count++;
    const now = this.nowMs();
    if (now - this.#writtenAt < LINE_EVERY_MS) return;
    this.log[this.level]({ count: this.#count, ...latest }, this.message);
    this.#count = 0;
    this.#writtenAt = now;
  }
}
