/** What is measured side by side because a ratio compares it. */

/**
 * Pairs of ids. The second is measured behind the first, in each round, and compared with it round by round. Pairs of
 * the same first one stand behind it one by one.
 */
export const PAIRS = [
  ["pgbench/one_row", "in_process/one_goods/1"],
  ["in_process/one_goods/1", "in_process/one_goods/2"],
  ["in_process/one_goods/1", "holds/ending/one_goods"],
  ["in_process/one_goods/1", "holds/live/one_goods"],
  ["pgbench/10000_rows", "in_process/uniform/1"],
  ["in_process/uniform/1", "holds/ending/uniform"],
  ["in_process/uniform/1", "holds/live/uniform"],
  ["grpc/noop_adapter", "grpc/noop"],
  ["grpc/noop", "grpc/inv_detail"],
  ["grpc/noop", "grpc/sell/one_goods/1"],
] as const;

/** A pair of what is measured side by side. */
export type Pair = typeof PAIRS[number];
