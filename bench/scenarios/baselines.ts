/** What Holdfast is measured against. */
import { CALLERS, PICTURE_TIMES, RATIO_TIMES, type Scenario, SIDE_TIMES, WORKLOADS } from "./scenario.ts";

const ARTICLE = {
  group: "baselines",
  kind: "article",
  database: "baselines",
  workload: WORKLOADS.one_goods,
  processes: 1,
  unit: "orders/s",
  ...RATIO_TIMES,
} as const;

/** pgbench counts whole seconds, and its rate leaves the time to connect out. */
const PGBENCH = {
  group: "baselines",
  kind: "pgbench",
  database: "baselines",
  processes: 1,
  callers: 16,
  unit: "orders/s",
  warmupMs: 0,
  windowMs: 1_000,
} as const;

const NOOP = {
  group: "baselines",
  kind: "grpc",
  method: "Noop",
  database: "wire",
  workload: WORKLOADS.one_goods,
  processes: 1,
  callers: CALLERS,
  unit: "calls/s",
  ...SIDE_TIMES,
} as const;

/** In the order in which they run, next to what they are compared with. */
export const BASELINES: readonly Scenario[] = [
  // Its callers block each other, so the ratio takes whichever count of them does best.
  { ...ARTICLE, id: "article/one_goods/256", title: "article's approach, one goods, 256 callers", callers: CALLERS },
  { ...ARTICLE, id: "article/one_goods/16", title: "article's approach, one goods, 16 callers", callers: 16 },
  {
    ...ARTICLE,
    ...SIDE_TIMES,
    id: "article/one_goods/lone",
    title: "article's approach, one goods, 1 caller",
    callers: 1,
  },
  { ...PGBENCH, id: "pgbench/one_row", title: "pgbench, one row", workload: WORKLOADS.one_goods },
  { ...PGBENCH, id: "pgbench/10000_rows", title: "pgbench, 10,000 rows", workload: WORKLOADS.uniform },
  {
    ...ARTICLE,
    ...PICTURE_TIMES,
    id: "redis/one_key",
    kind: "redis",
    title: "Redis script on one node, not durable",
    callers: CALLERS,
  },
  { ...NOOP, id: "grpc/noop", title: "no-op, Holdfast's listener" },
  { ...NOOP, id: "grpc/noop_adapter", title: "no-op, connect-node's adapter", variant: "adapter" },
];
