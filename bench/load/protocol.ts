/**
 * What the run and its processes say to each other: one JSON value a line, a question on standard input and its answer
 * on standard output. Types and constants only.
 */
import type { ModeName } from "../../src/config/mode_names.ts";
import type { Workload } from "../workload.ts";

/**
 * How to reach what is measured. Settings are environment variables of the server by name, as `task start` reads them.
 */
export interface Targets {
  /** Settings of the stock over each database, by the database's name in the run. */
  readonly stocks: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Address of the article's own table. */
  readonly articleUrl: string;
  readonly redisUrls: readonly string[];
  /** Addresses of the running Holdfast servers, `http://127.0.0.1:port`, and of those that are unlike them. */
  readonly serverUrls: readonly string[];
  readonly variantUrls: Readonly<Partial<Record<Variant, string>>>;
  /** Addresses of the balancers in front of the servers, in a run that has them; of `one` one for each server. */
  readonly fleetUrls?: Readonly<Record<Fleet, readonly string[]>>;
  /** What callers of the variant `keyed` bring. */
  readonly key: string;
}

/**
 * Servers beside the others, one of each. What is compared has had as many calls as what it is compared with: a server
 * that had twice as many runs code that was compiled better.
 *
 * - `plain`: like the others; those by turns are compared with it
 * - `adapter`: connect-node's adapter instead of Holdfast's listener
 * - `traced`: a trace of every call
 * - `sampled`: a trace of one call in a hundred
 * - `keyed`: asks for a key, and writes down whose it is
 * - `unmeasured`: nothing is measured for metrics (`ADMIN_PORT=off`)
 * - `watched`: 500 streams of changes are open there, of 20 goods each
 * - `unwatched`: like `plain`; that one is compared with it
 */
export const VARIANTS = [
  "adapter",
  "plain",
  "traced",
  "sampled",
  "keyed",
  "unmeasured",
  "watched",
  "unwatched",
] as const;
/** One of {@link VARIANTS}. */
export type Variant = typeof VARIANTS[number];

/**
 * Servers behind a balancer: one of them, all with each goods at one of them, and all in turn.
 */
export const FLEETS = ["one", "by_goods", "round_robin"] as const;
/** One of {@link FLEETS}. */
export type Fleet = typeof FLEETS[number];

/**
 * What callers in the process itself ask for: an order is sold; an order is reserved, then confirmed; a unit goes for a
 * reason that is no order.
 */
export type StockOperation = "sell" | "reserve_confirm" | "adjust";

/** One kind of call. */
export interface Work {
  /**
   * - `stock`: `operation` in the process itself
   * - `article`: lease and transaction around every Sell; `commits` counts to COMMIT, else the call is over at unlock
   * - `redis`: a script on one node
   * - `grpc`: `method` of the servers, or of one variant
   */
  readonly kind: "stock" | "article" | "redis" | "grpc";
  readonly method?: "Sell" | "SellBatch" | "InvDetail" | "Noop";
  readonly variant?: Variant;
  /** For `grpc`: calls go to this balancer. */
  readonly fleet?: Fleet;
  /** For `grpc`: each call names its goods in the header `x-holdfast-goods`. */
  readonly namesGoods?: boolean;
  /** For `stock`: `sell` where it is not given. */
  readonly operation?: StockOperation;
  /** For `stock`: holds end meanwhile, which the service's sweeper writes down. */
  readonly endsHolds?: boolean;
  /** Orders in one call of SellBatch. */
  readonly orders?: number;
  readonly database: string;
  /** For `stock`: what keeps its writers apart; the service's default where it is not given. */
  readonly concurrency?: ModeName;
  readonly workload: Workload;
}

/** A run of one process: warm-up, then the measured window, both from a moment that several processes share. */
export interface LoadRun {
  readonly work: Work;
  /** In ms since 1970. */
  readonly startAtMs: number;
  readonly warmupMs: number;
  readonly windowMs: number;
  /** Callers of this process: each has one call in progress, or with a rate, at most this many are in progress. */
  readonly callers: number;
  /** Servers that the callers are spread over. */
  readonly servers: number;
  /** Which of them is the first, counted round; the first one where it is not given. */
  readonly firstServer?: number;
  /** Open loop: calls begun in a second, whatever becomes of the ones before. Without it: closed loop. */
  readonly ratePerS?: number | undefined;
}

/** What a run came to. */
export interface Tally {
  /** Orders sold (calls answered, where nothing is sold) whose answer came within the window. */
  readonly done: number;
  /** The same over the whole run, warm-up and stragglers included. */
  readonly answered: number;
  /** Over the whole run, for the stock to be compared with. */
  readonly orders: number;
  readonly units: number;
  /** Units of holds that were reserved and not confirmed. */
  readonly reserved: number;
  /** What has a record of its own beside orders. */
  readonly operations: number;
  /** Answers that are no sale, by their reason. Nothing was changed by them. */
  readonly refused: Readonly<Record<string, number>>;
  /** Orders of which nobody knows whether they were sold, by the reason. */
  readonly unknown: Readonly<Record<string, number>>;
  /** Calls begun within the window, in microseconds; of very many an even share. From the intended start on. */
  readonly latenciesUs: readonly number[];
  /** The same to a later point, where the kind of work has one: the article's unlock. */
  readonly laterUs: readonly number[];
  /** Longest call of the whole run, whatever its answer. */
  readonly longestMs: number;
  /** Open loop: half of the calls were begun later than this after their intended start, in microseconds. */
  readonly lateUs: number;
  /** First error that was not expected, in its own words; the run has failed then. */
  readonly fault?: string | undefined;
}

/** A question to a process. */
export type Question =
  | { readonly open: Targets }
  | { readonly run: LoadRun }
  | { readonly memory: "as it is" | "collected" };

/**
 * Memory of a process: what it has in RAM, and what of that are objects, with their garbage where that was not
 * collected before.
 */
export interface Memory {
  readonly residentMiB: number;
  readonly heapMiB: number;
}

/** Its answer; `open` of a server answers the address that it listens on. */
export type Answer =
  | { readonly ok: unknown }
  | { readonly error: string };
