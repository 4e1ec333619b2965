/**
 * Quarantine: a node that crashed has forgotten which keys it gave away. It has no vote until every lease that it may
 * have voted for before is over, which is a TTL after its server started. Pure.
 *
 * https://redis.io/docs/latest/develop/use/patterns/distributed-locks/, "Performance, crash recovery and fsync"
 */

/** How long a server had run at least, and when that was read on the monotonic clock. */
export interface Uptime {
  readonly leastMs: number;
  readonly readMs: number;
}

/**
 * The uptime in an answer to `INFO server`, in ms; undefined if there is none.
 *
 * Redis takes the difference of two times of day in whole seconds, so up to a second of what it says may be missing.
 */
export function leastUptimeMs(info: string): number | undefined {
  const seconds = /^uptime_in_seconds:(\d+)\r?$/m.exec(info)?.[1];
  return seconds === undefined ? undefined : Math.max(0, Number(seconds) - 1) * 1000;
}

/** How long the server has run at least by now, in ms. */
export function uptimeMs({ leastMs, readMs }: Uptime, nowMs: number): number {
  return leastMs + (nowMs - readMs);
}

/** Milliseconds until a node with this uptime may vote, where leases live for up to `ttlMs`. */
export function quarantineLeftMs(uptime: Uptime, ttlMs: number, nowMs: number): number {
  return Math.max(0, ttlMs - uptimeMs(uptime, nowMs));
}
