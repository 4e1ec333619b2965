/**
 * Messages that can't be read: counted, and told to the log in one line now and then. They are faults of their callers, not of
 * the service, and anyone can send as many as they like.
 */
import type { Log } from "../telemetry/log.ts";

/** The shortest time between two lines, in ms. */
const LINE_EVERY_MS = 10_000;

/** Counts what could not be read since the start. */
export class UnreadableMessages {
  #count = 0;
  #counted = 0;
  #toldAt = -Infinity;

  /** @param nowMs a clock that runs forward */
  constructor(private readonly log: Log, private readonly nowMs: () => number = () => performance.now()) {}

  /** Since the start. */
  get count(): number {
    return this.#count;
  }

  /** Counts one. A line tells of all since the line before, by the latest of them. */
  note(method: string, reason: string): void {
    this.#count++;
    const now = this.nowMs();
    if (now - this.#toldAt < LINE_EVERY_MS) return;
    this.log.info({ count: this.#count - this.#counted, method, reason }, "messages that can't be read were refused");
    this.#counted = this.#count;
    this.#toldAt = now;
  }
}
