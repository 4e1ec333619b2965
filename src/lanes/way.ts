/**
 * The three ways in which writers of the same goods are kept apart, and what becomes of the first when it can't be gone.
 * Whatever the way, every write is fenced by the ledger, so processes in different ways may work side by side.
 */
import type { Lock } from "../lock/lock.ts";

/**
 * - `redlock`: a lease over most of the Redis nodes, from before the read until after the commit.
 * - `row`: the rows of stock are locked in PostgreSQL from before the read until the commit. No Redis.
 * - `optimistic`: nobody is kept apart; who finds that the rows have moved does it again. No Redis.
 */
export const CONCURRENCIES = ["redlock", "row", "optimistic"] as const;
export type Concurrency = typeof CONCURRENCIES[number];

/** While too few nodes can vote, orders are refused, or go by row locks. */
export const QUORUM_LOSSES = ["refuse", "row"] as const;
export type QuorumLoss = typeof QUORUM_LOSSES[number];

/** A way, with what it needs. */
export type Way =
  | { readonly concurrency: "redlock"; readonly lock: Lock; readonly quorumLoss: QuorumLoss }
  | { readonly concurrency: "row" | "optimistic" };
