/** Rules over several settings, or over the entries of one: what can be read, and still can't be run on. Pure. */
import { duplicates } from "./lists.ts";
import type { RedisAddress } from "./redis_address.ts";
import { hostAndPort } from "./address_text.ts";
import { usableValidityMs, validityMs } from "../lock/validity.ts";
import { connectionsMin } from "./pool_share.ts";

const NODES_MIN = 3;

/** The nodes of the lock: so many that most of them can be had, and each a server of its own. */
export function nodesProblems(nodes: readonly RedisAddress[]): string[] {
  const twins = duplicates(nodes.map(({ host, port }) => hostAndPort(host, port)));
  return [
    ...(nodes.length < NODES_MIN ? ["expected at least three nodes"] : []),
    ...(nodes.length % 2 === 0 ? ["expected an odd count of nodes: an even one can split in half"] : []),
    ...twins.map(({ place, first }) =>
      `entries ${first} and ${place} are one server, which has one vote; expected nodes that differ by host or port`
    ),
  ].map((problem) => `REDIS_URLS: ${problem}`);
}

/** Each worker needs a connection that orders wait on and one more. */
export function workersProblems(settings: { readonly DATABASE_POOL_MAX: number; readonly WORKERS: number }): string[] {
  const { DATABASE_POOL_MAX, WORKERS } = settings;
  const min = connectionsMin(WORKERS);
  if (DATABASE_POOL_MAX >= min) return [];
  return [`DATABASE_POOL_MAX: expected ${min} or more for WORKERS ${WORKERS}, got "${DATABASE_POOL_MAX}"`];
}

/** A batch that never fits as a whole would have the same orders refused however often it is sent. */
export function queueProblems(settings: { readonly QUEUE_MAX: number; readonly BATCH_ORDERS_MAX: number }): string[] {
  const { QUEUE_MAX, BATCH_ORDERS_MAX } = settings;
  if (QUEUE_MAX >= BATCH_ORDERS_MAX) return [];
  return [`QUEUE_MAX: expected BATCH_ORDERS_MAX (${BATCH_ORDERS_MAX}) or more, got "${QUEUE_MAX}"`];
}

/** Ports of one process and of its workers: of several each has an admin port behind the one that sums them up. */
export interface PortSettings {
  readonly PORT: number;
  readonly ADMIN_PORT?: number | undefined;
  readonly WORKERS: number;
}

/** The admin ports exist, and none is the service's. */
export function adminProblems(settings: PortSettings): string[] {
  const { ADMIN_PORT: first, WORKERS } = settings;
  if (first === undefined || first === 0) return [];
  if (first + WORKERS > 65_536) {
    return [`ADMIN_PORT: expected ${65_535 - WORKERS} or less for WORKERS ${WORKERS}, got "${first}"`];
  }
  if (!isAdminPort(settings)) return [];
  return [`ADMIN_PORT: ${adminPorts(settings)} would be where the service itself listens; expected others than PORT`];
}

/** Whether the service's port is one of them. */
export function isAdminPort({ PORT, ADMIN_PORT: first, WORKERS }: PortSettings): boolean {
  return first !== undefined && first !== 0 && PORT >= first && PORT <= lastAdminPort(first, WORKERS);
}

function adminPorts({ ADMIN_PORT: first = 0, WORKERS }: PortSettings): string {
  return WORKERS === 1 ? `${first}` : `one of ${first} to ${lastAdminPort(first, WORKERS)}, for ${WORKERS} workers,`;
}

function lastAdminPort(first: number, workers: number): number {
  return workers === 1 ? first : first + workers;
}

/** Half of the budget is for what is being received, which one message must fit into. */
export function budgetProblems(
  settings: { readonly REQUEST_BYTES_BUDGET: number; readonly REQUEST_BYTES_MAX: number },
): string[] {
  const { REQUEST_BYTES_BUDGET: budget, REQUEST_BYTES_MAX: max } = settings;
  if (budget >= 4 * max) return [];
  return [`REQUEST_BYTES_BUDGET: expected four times REQUEST_BYTES_MAX (${4 * max}) or more, got "${budget}"`];
}

/** Times of the lock, in ms. */
export interface LockSettings {
  readonly LOCK_TTL_MS: number;
  readonly LOCK_NODE_TIMEOUT_MS: number;
  readonly LOCK_WAIT_MS_MAX: number;
}

/**
 * TTL > work + acquisition + drift, for a lease that is handed out with the least validity that is accepted. `workMs`:
 * how long what is done under a lease may take.
 */
export function lockProblems(settings: LockSettings, workMs: number): string[] {
  const { LOCK_TTL_MS, LOCK_NODE_TIMEOUT_MS, LOCK_WAIT_MS_MAX } = settings;
  const problems: string[] = [];
  if (usableValidityMs(LOCK_TTL_MS) < workMs) {
    problems.push(
      `LOCK_TTL_MS: a lease may be handed out with ${usableValidityMs(LOCK_TTL_MS)} of its ${LOCK_TTL_MS} ms left, ` +
        `less than the ${workMs} ms that the work under it may take; expected ${2 * workMs} or more`,
    );
  }
  if (validityMs(LOCK_TTL_MS, 2 * LOCK_NODE_TIMEOUT_MS) < usableValidityMs(LOCK_TTL_MS)) {
    problems.push(
      `LOCK_NODE_TIMEOUT_MS: asking the nodes may take ${2 * LOCK_NODE_TIMEOUT_MS} ms, which leaves no usable lease ` +
        `of LOCK_TTL_MS ${LOCK_TTL_MS}; expected far less than the TTL`,
    );
  }
  if (LOCK_WAIT_MS_MAX < 2 * LOCK_NODE_TIMEOUT_MS) {
    problems.push(
      `LOCK_WAIT_MS_MAX: expected ${
        2 * LOCK_NODE_TIMEOUT_MS
      } or more, the time that one attempt with silent nodes takes`,
    );
  }
  return problems;
}
