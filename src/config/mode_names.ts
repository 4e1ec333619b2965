/**
 * The names of the modes, which keep writers of the same goods apart, and of what happens when the first can't go on.
 */

/**
 * - `redlock`: a lease over most of the Redis nodes, from before the read until after the commit.
 * - `row`: the rows of stock are locked in PostgreSQL from before the read until the commit. No Redis.
 * - `optimistic`: nobody is kept apart; who finds that the rows have moved does it again. No Redis.
 */
export const MODES = ["redlock", "row", "optimistic"] as const;
export type ModeName = typeof MODES[number];

/** While too few nodes can vote, orders are refused, or go by row locks. */
export const QUORUM_LOSSES = ["refuse", "row"] as const;
export type QuorumLoss = typeof QUORUM_LOSSES[number];
