/** What a scenario is: plain data, so that the whole run can be counted up before anything is started. */
import type { ModeName } from "../../src/config/mode_names.ts";
import type { Fleet, Variant, Work } from "../load/protocol.ts";
import type { Workload } from "../workload.ts";

/** One arm of the run. It is measured in rounds, or has its turns. */
export interface Scenario {
  /** Unique; the key in the record. */
  readonly id: string;
  readonly title: string;
  readonly group:
    | "baselines"
    | "in-process"
    | "gRPC"
    | "SellBatch"
    | "latency"
    | "growth"
    | "modes"
    | "holds"
    | "in turns"
    | "several hosts";
  readonly kind: Work["kind"] | "pgbench";
  readonly method?: Work["method"];
  /** The server that is unlike the others, where it is called instead of them. */
  readonly variant?: Variant;
  /** The balancer that is called instead of the servers. */
  readonly fleet?: Fleet;
  /** Calls say which goods they are of, for a balancer. */
  readonly namesGoods?: boolean;
  /** Orders in one call of SellBatch. */
  readonly orders?: number;
  /** Name of the database that it sells from; see databases.ts. */
  readonly database: string;
  /** Of the stock in its processes; the service's default where it is not given. */
  readonly concurrency?: ModeName;
  /** Of callers in its processes; they sell where it is not given. */
  readonly operation?: Work["operation"];
  /** So many holds of the workload's goods, of a unit each, end in each second. */
  readonly endingPerS?: number;
  readonly workload: Workload;
  /** Processes that sell: those with the stock in them, or servers. */
  readonly processes: number;
  /** Callers of all processes together; with a rate, most calls in progress. */
  readonly callers: number;
  /** Open loop: calls begun in a second. */
  readonly ratePerS?: number;
  readonly unit: "orders/s" | "calls/s";
  readonly warmupMs: number;
  readonly windowMs: number;
}

/** Callers of the closed loops: as many as hot goods see at once. */
export const CALLERS = 256;

/** Goods of the databases that are not about growth. */
export const GOODS = 10_000;

/**
 * Windows in ms: of scenarios that are measured side by side, so of a ratio's comparisons, of which many short ones say
 * more than few long ones; of others that a ratio stands on; and of those that only complete the picture.
 */
export const SIDE_TIMES = { warmupMs: 100, windowMs: 500 } as const;
export const RATIO_TIMES = { warmupMs: 200, windowMs: 1_000 } as const;
export const PICTURE_TIMES = { warmupMs: 50, windowMs: 160 } as const;

/** Where sales go, by name. */
export const WORKLOADS = {
  one_goods: { goods: 1, stride: 1, spread: "uniform", lines: 1 },
  uniform: { goods: GOODS, stride: 1, spread: "uniform", lines: 1 },
  zipf: { goods: GOODS, stride: 1, spread: "zipf", lines: 1 },
  three_lines: { goods: GOODS, stride: 1, spread: "uniform", lines: 3 },
} as const satisfies Record<string, Workload>;

/** The same in words. */
export const WORKLOAD_TITLES: Readonly<Record<keyof typeof WORKLOADS, string>> = {
  one_goods: "one goods",
  uniform: "10,000 goods, uniform",
  zipf: "10,000 goods, zipf 1.0",
  three_lines: "3-line orders",
};

/** Names of {@link WORKLOADS}. */
export const WORKLOAD_NAMES = Object.keys(WORKLOADS) as (keyof typeof WORKLOADS)[];

/** How many processes sell side by side. */
export const PROCESSES = [1, 2, 4] as const;
