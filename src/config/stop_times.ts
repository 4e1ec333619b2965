/**
 * How long a process may take to start and to stop. Whoever gives it time counts with these: the supervisor of workers,
 * `up`, Compose, systemd, Kubernetes. Times in ms.
 *
 *     serving --asked to stop--> leaving    health says NOT_SERVING and calls are served, for DRAIN_DELAY_MS
 *     leaving --that is over--> draining    new calls are refused, those under way finish or are cut
 *     draining --nothing is under way--> closing    operations, statements, leases
 *     closing --------------------------> ended
 */

/** How long a worker may take from its start until it listens. */
export const START_MS_MAX = 30_000;
/** Most that DRAIN_DELAY_MS may be. */
export const DRAIN_DELAY_MS_MAX = 60_000;
/** How long calls under way may take to finish once new ones are refused. */
export const DRAIN_MS_MAX = 10_000;
/** How long closing may take after that: operations under way 5 s, statements 5 s, releases of leases 1 s. */
export const CLOSE_MS_MAX = 11_000;

/** How long a process with this DRAIN_DELAY_MS may take to stop in all, with some time to end. */
export function stopMsMax(drainDelayMs: number): number {
  return drainDelayMs + DRAIN_MS_MAX + CLOSE_MS_MAX + 1_000;
}

/** The same of every process, whatever is set. */
export const STOP_MS_MAX = stopMsMax(DRAIN_DELAY_MS_MAX);
