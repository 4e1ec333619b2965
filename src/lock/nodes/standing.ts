/**
 * Where a node stands, from what is known of it: whether it may vote, and why not. No I/O. The first line that fits
 * counts:
 *
 *     no log-in comes about with it                 refused
 *     there is no connection                        down
 *     its server refused what a lease would ask     down
 *     an earlier node is the same server            down
 *     its server is not known yet                   quarantined
 *     its server has not run for a TTL              quarantined
 *     otherwise                                     up
 *
 * One server has one vote, though it be reached by several spellings of its address, or by several of its databases.
 *
 * Quarantine: a node that crashed has forgotten which keys it gave away. It has no vote until every lease that it may
 * have voted for before is over, which is a TTL after its server started.
 * https://redis.io/docs/latest/develop/use/patterns/distributed-locks/, "Performance, crash recovery and fsync"
 */
import type { NodeState } from "../status.ts";

/** Where a node stands, and why it has no vote; undefined if it has. */
export interface Standing {
  readonly state: NodeState;
  readonly reason: string | undefined;
}

/** What is known of a node. */
export interface Knowledge {
  /** Why no log-in comes about: it refuses ours, or we its certificate. Undefined if that is not it. */
  readonly noLogInFor: string | undefined;
  /** Why there is no connection; undefined if there is one. */
  readonly lostFor: string | undefined;
  /** Why its server refused the last probe; undefined if it did not. */
  readonly refusal: string | undefined;
  /** An earlier node that is the same server. */
  readonly twin: number | undefined;
  /** It is known which server it is, and for how long that has run. */
  readonly isKnown: boolean;
  readonly quarantineLeftMs: number;
}

const UP: Standing = { state: "up", reason: undefined };

/** Where the node stands. */
export function standingOf(knowledge: Knowledge): Standing {
  const { noLogInFor, lostFor, refusal, twin, isKnown, quarantineLeftMs } = knowledge;
  if (noLogInFor !== undefined) return { state: "refused", reason: noLogInFor };
  if (lostFor !== undefined) return { state: "down", reason: `down: ${lostFor}` };
  if (refusal !== undefined) return { state: "down", reason: `it can't vote: ${refusal}` };
  if (twin !== undefined) {
    return { state: "down", reason: `it is the same server as node ${twin}: one server has one vote` };
  }
  if (!isKnown) return { state: "quarantined", reason: "its uptime is not known yet" };
  return quarantineLeftMs > 0 ? { state: "quarantined", reason: "in quarantine" } : UP;
}

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

/** The servers of one lock, by the `run_id` that each drew when it started. */
export class Servers {
  readonly #runIds = new Map<number, string>();

  /** The node is this server; undefined: that is not known (any more). */
  set(node: number, runId: string | undefined): void {
    if (runId === undefined) this.#runIds.delete(node);
    else this.#runIds.set(node, runId);
  }

  /** The first other node before this one that is the same server; undefined if there is none. */
  twinOf(node: number): number | undefined {
    const runId = this.#runIds.get(node);
    if (runId === undefined) return undefined;
    const twins = [...this.#runIds].filter(([other, otherId]) => other < node && otherId === runId);
    return twins.length === 0 ? undefined : Math.min(...twins.map(([other]) => other));
  }
}

/** The `run_id` in an answer to `INFO server`; undefined if there is none. */
export function runIdOf(info: string): string | undefined {
  return /^run_id:(\S{1,100})\r?$/m.exec(info)?.[1];
}
