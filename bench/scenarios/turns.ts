/** What a part of a server costs its sales: servers with it and without, which are measured by turns. */
import { type Scenario, WORKLOADS } from "./scenario.ts";

/**
 * Of one turn of one of them. In a shorter window there are so few batches that one more or less of them is more than
 * what is to be seen: of 160 ms, 35 batches, or 3 %.
 */
const TURN_TIMES = { warmupMs: 40, windowMs: 260 } as const;

/** Few, as they are answered together: of many a short window would have a few batches, and one more or less. */
const TURN_CALLERS = 64;

const TURN = {
  ...TURN_TIMES,
  group: "in turns",
  kind: "grpc",
  method: "Sell",
  database: "wire",
  callers: TURN_CALLERS,
  workload: WORKLOADS.one_goods,
  processes: 1,
  unit: "orders/s",
} as const;

/** The one with which the others are compared. */
export const PLAIN = "turns/sell/plain";

/** The one with which that beside watchers is compared: of many goods, as one that all watch would be another story. */
export const UNWATCHED = "turns/sell/unwatched";

/** All of them sell over gRPC, most of them one goods, so that the server, and nothing behind it, is compared. */
export const TURNS: readonly Scenario[] = [
  { ...TURN, id: PLAIN, title: "gRPC Sell, one goods, by turns with", variant: "plain" },
  { ...TURN, id: "turns/sell/keyed", title: "gRPC Sell, one goods, by a key", variant: "keyed" },
  { ...TURN, id: "turns/sell/unmeasured", title: "gRPC Sell, one goods, without metrics", variant: "unmeasured" },
  { ...TURN, id: "turns/sell/sampled", title: "gRPC Sell, one goods, 1 % of the calls traced", variant: "sampled" },
  {
    ...TURN,
    id: UNWATCHED,
    title: "gRPC Sell, 10,000 goods, by turns with",
    variant: "unwatched",
    workload: WORKLOADS.uniform,
  },
  {
    ...TURN,
    id: "turns/sell/watched",
    title: "gRPC Sell, 10,000 goods, watched by 500 streams",
    variant: "watched",
    workload: WORKLOADS.uniform,
  },
  { ...TURN, id: "turns/sell/traced", title: "gRPC Sell, one goods, every call traced", variant: "traced" },
];
