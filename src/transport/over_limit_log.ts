/**
 * What was refused for a limit, as one line of log now and then instead of one for each: a flood of connections must
 * not become a flood of lines.
 */
import type { Log } from "../telemetry/log.ts";
import type { ListenerLimits } from "./limits.ts";

/** What is refused or cut for one of these is counted. */
export const COUNTED_LIMITS = [
  "connectionsMax",
  "connectionsPerAddressMax",
  "requestsMax",
  "requestsPerAddressMax",
  "concurrentStreamsMax",
  "pipelinedRequestsMax",
  "http1RequestBytesMax",
  "unreadAnswerBytesMax",
  "unreadPerAddressBytesMax",
  "unreadTotalBytesMax",
  "unreadStreamMs",
  "resetsMax",
  "resetsPerAddressMax",
  "resetsTotalMax",
] as const satisfies readonly (keyof ListenerLimits)[];
/** One of {@link COUNTED_LIMITS}. */
export type CountedLimit = typeof COUNTED_LIMITS[number];

/** Counts what was refused by limit: since the last line, and since the start. */
export class OverLimitLog {
  readonly #totals: Record<CountedLimit, number>;
  readonly #counts = new Map<CountedLimit, { count: number; address: string | undefined }>();

  constructor(private readonly to: Log) {
    this.#totals = Object.fromEntries(COUNTED_LIMITS.map((limit) => [limit, 0])) as Record<CountedLimit, number>;
  }

  /** Since the start. */
  get totals(): Readonly<Record<CountedLimit, number>> {
    return this.#totals;
  }

  /** Counts one. */
  note(limit: CountedLimit, address: string | undefined): void {
    const count = (this.#counts.get(limit)?.count ?? 0) + 1;
    this.#counts.set(limit, { count, address });
    this.#totals[limit]++;
  }

  /** Writes one line for each limit that was passed since the last time, with the address of the latest peer. */
  log(): void {
    for (const [limit, { count, address }] of this.#counts) {
      this.to.warn({ limit, count, address }, "Connections refused or closed, over a limit");
    }
    this.#counts.clear();
  }
}
