/**
 * What was refused for a limit, as one line of log now and then instead of one for each: a flood of connections must
 * not become a flood of lines.
 */
import type { Log } from "../telemetry/log.ts";
import type { ListenerLimits } from "./limits.ts";

/** Counts what was refused since the last line, by limit. */
export class OverLimitLog {
  readonly #counts = new Map<keyof ListenerLimits, { count: number; address: string | undefined }>();

  constructor(private readonly to: Log) {}

  /** Counts one. */
  note(limit: keyof ListenerLimits, address: string | undefined): void {
    const count = (this.#counts.get(limit)?.count ?? 0) + 1;
    this.#counts.set(limit, { count, address });
  }

  /** Writes one line for each limit that was passed since the last time, with the address of the latest peer. */
  log(): void {
    for (const [limit, { count, address }] of this.#counts) {
      this.to.warn({ limit, count, address }, "Connections refused or closed, over a limit");
    }
    this.#counts.clear();
  }
}
