/** What every kind of run is given. Types only. */
import type { Log } from "../src/telemetry/log.ts";

/** See above. */
export interface RunContext {
  readonly log: Log;
  /** Aborts when the run is asked to stop, or is not over in time. */
  readonly stop: AbortSignal;
  /** Hears how far it is. */
  report(progress: string): void;
}
