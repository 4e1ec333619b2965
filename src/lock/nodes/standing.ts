/**
 * Where a node stands, from what is known of it: whether it may vote, and why not. Pure. The first line that fits counts:
 *
 *     there is no connection                        down
 *     its server refused what a lease would ask     down
 *     an earlier node is the same server            down
 *     its server is not known yet                   quarantined
 *     its server has not run for a TTL              quarantined
 *     otherwise                                     up
 */
import type { NodeState } from "../status.ts";

/** Where a node stands, and why it has no vote; undefined if it has. */
export interface Standing {
  readonly state: NodeState;
  readonly reason: string | undefined;
}

/** What is known of a node. */
export interface Knowledge {
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
export function standingOf({ lostFor, refusal, twin, isKnown, quarantineLeftMs }: Knowledge): Standing {
  if (lostFor !== undefined) return { state: "down", reason: `down: ${lostFor}` };
  if (refusal !== undefined) return { state: "down", reason: `it can't vote: ${refusal}` };
  if (twin !== undefined) {
    return { state: "down", reason: `it is the same server as node ${twin}: one server has one vote` };
  }
  if (!isKnown) return { state: "quarantined", reason: "its uptime is not known yet" };
  return quarantineLeftMs > 0 ? { state: "quarantined", reason: "in quarantine" } : UP;
}
