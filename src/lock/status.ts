/** What is known of the nodes and of this process's leases, for people who look. */
import type { StockKey } from "../inventory/stock_key.ts";

/**
 * `down`: no connection, or it can't vote; `refused`: it is there, and no log-in comes about; `quarantined`: connected,
 * but it has no vote yet.
 */
export type NodeState = "up" | "down" | "refused" | "quarantined";

/** One node, as this process sees it. */
export interface NodeStatus {
  /** Place in REDIS_URLS, from 1. */
  readonly node: number;
  /** host:port, never a password. */
  readonly address: string;
  readonly state: NodeState;
  /** Why it has no vote, one bounded line; undefined if it has. */
  readonly reason: string | undefined;
  /** Of its last vote. */
  readonly latencyMs: number | undefined;
  /** How long its server has run at least: as last read, and the time since. */
  readonly uptimeMs: number | undefined;
  /** Until it may vote; 0 unless quarantined. */
  readonly quarantineLeftMs: number;
  /** Since this process started: yes; no, somebody has it; none (down, silent, too late, quarantined). */
  readonly votesFor: number;
  readonly votesAgainst: number;
  readonly votesMissing: number;
}

/** A goods whose lease this process has. */
export interface LeaseStatus {
  readonly stockKey: StockKey;
  /** Since it was acquired. */
  readonly ageMs: number;
  /** 0 or less: it may be somebody else's by now. */
  readonly remainingMs: number;
}

/** The lock, as one process sees it. */
export interface LockStatus {
  readonly quorum: number;
  readonly ttlMs: number;
  readonly nodes: readonly NodeStatus[];
  readonly leases: readonly LeaseStatus[];
}
