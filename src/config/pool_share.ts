/** What of the connections to PostgreSQL each of several workers gets. Pure. */

/**
 * Connections that each of several workers needs. With one, a single slow statement would block all of its worker,
 * while the system goes on giving it connections of callers as if it were free.
 */
export const WORKER_CONNECTIONS_MIN = 2;

/** The fewest connections that so many workers can share; one process may also run on a single one. */
export function connectionsMin(workers: number): number {
  return workers === 1 ? 1 : workers * WORKER_CONNECTIONS_MIN;
}

/** The share of each worker, rounded down: together they never open more than `connectionsMax`. */
export function poolShare(connectionsMax: number, workers: number): number {
  return Math.floor(connectionsMax / workers);
}
