/**
 * Messages that can't be read: counted, and told to the log in one line now and then. They are faults of their callers, not of
 * the service, and anyone can send as many as they like.
 */
import type { Log } from "../../telemetry/log.ts";
import { RareLine } from "../../telemetry/rare_line.ts";

/** Counts what could not be read since the start. */
export class UnreadableMessages {
  #count = 0;
  readonly #line: RareLine;

  /** @param nowMs a clock that runs forward */
  constructor(log: Log, nowMs?: () => number) {
    this.#line = new RareLine(log, "messages that can't be read were refused", nowMs);
  }

  /** Since the start. */
  get count(): number {
    return this.#count;
  }

  /** Counts one. A line tells of all since the line before, by the latest of them. */
  note(method: string, reason: string): void {
    this.#count++;
    this.#line.note({ method, reason });
  }
}
