/**
 * The composition root of the stock without its port: store, lock and lanes are built once and connected, for the app,
 * and for tests and benchmarks that are in the same process.
 */
import {
  type Config,
  DATABASE_CONNECT_TIMEOUT_MS,
  ROW_LOCK_TIMEOUT_MS,
  STATEMENT_TIMEOUT_MS,
} from "./config/config.ts";
import { GoodsNames } from "./goods/goods_names.ts";
import { Reasons } from "./goods/reasons.ts";
import type { settle } from "./inventory/settle.ts";
import type { settleKept } from "./inventory/settle_kept.ts";
import type { KeptClocks } from "./lanes/kept_levels.ts";
import { Lanes } from "./lanes/lanes.ts";
import type { Mode } from "./lanes/modes/mode.ts";
import type { Lock } from "./lock/lock.ts";
import { openNodesAccess } from "./lock/nodes/access.ts";
import { createRedlock } from "./lock/redlock.ts";
import { openDatabaseAccess } from "./store/postgres/access.ts";
import { observedStore } from "./store/observed_store.ts";
import { createStore, type PostgresStore, type Store, type TailStore } from "./store/store.ts";
import type { Log } from "./telemetry/log.ts";
import type { StockObserver } from "./telemetry/observer.ts";
import { shareOf } from "./transport/addresses.ts";
import type { PastReads } from "./watch/catch_up.ts";
import { openWatching } from "./watch/open.ts";
import type { Watching } from "./watch/watching.ts";

/** Batches at a time at the most, as far as the pool has connections. */
const BATCHES_MAX = 4;

/** Parts of the stock that may be given instead of built. */
export interface StockParts {
  readonly log: Log;
  readonly lock?: Lock;
  readonly store?: Store;
  /** Of a store that is given: what its streams of changes are read from. Absent: there are none. */
  readonly tail?: TailStore;
  readonly settle?: typeof settle;
  readonly settleKept?: typeof settleKept;
  /** By which levels are kept and batches age; for tests. */
  readonly clocks?: KeptClocks | undefined;
  /** Longest time between two messages of a stream of changes, in ms; for tests. */
  readonly heartbeatMs?: number;
  /** Absent: nobody looks. */
  readonly observer?: StockObserver | undefined;
}

/** What decides and writes. */
export interface Stock {
  readonly lanes: Lanes;
  readonly store: Store;
  /** The store where it was built here, and not given. */
  readonly own: Pick<PostgresStore, "view" | "checkLedger" | "tail"> | undefined;
  readonly names: GoodsNames;
  readonly reasons: Reasons;
  /** Streams of changes, and what they read for themselves. */
  readonly watching: Watching;
  readonly past: PastReads;
  /** Undefined in the modes without Redis. */
  readonly lock: Lock | undefined;
  /** Waits for statements under way, bounded; leases are released and connections close. */
  close(): Promise<void>;
}

/** Builds what is behind the port. Nothing is connected before it is used, but for the nodes of the lock. */
export function openStock(config: Config, parts: StockParts): Stock {
  const { log, settle, settleKept, observer, clocks } = parts;
  const own = parts.store === undefined ? openStore(config, log) : undefined;
  const opened = own ?? parts.store!;
  const store = observer === undefined ? opened : observedStore(opened, observer);
  const mode = openMode(config, parts);
  const lanes = new Lanes({ store, settle, settleKept, mode, random: Math.random, log, observer, clocks }, {
    operationsMax: config.queueMax,
    // As with all of the queue, a whole batch always fits.
    operationsPerAddressMax: Math.max(shareOf(config.queueMax, config.addressShareMax), config.batchOrdersMax),
    // A line takes more than one byte of a request, so that a whole batch always fits.
    linesMax: config.requestBytesMax,
    batchesMax: Math.min(BATCHES_MAX, config.databasePoolMax),
    lockWaitMsMax: config.lockWaitMsMax,
    lockAttemptMsMax: config.lockNodeTimeoutMs,
    writeMsMax: STATEMENT_TIMEOUT_MS,
  });
  const { watching, past } = openWatching(own?.tail ?? parts.tail, log, {
    ageMsMax: config.watchers.ageMsMax,
    heartbeatMs: parts.heartbeatMs,
  });
  return {
    lanes,
    store,
    own,
    watching,
    past,
    // A sku takes more than one byte of a request, so that those of a whole batch always fit.
    names: new GoodsNames(store, { waitingMax: config.requestBytesMax }),
    reasons: new Reasons(store, { waitingMax: config.queueMax }),
    lock: "lock" in mode ? mode.lock : undefined,
    async close() {
      // From the front to the back: calls whose deadline passed may still be in a statement, under a lease.
      await lanes.close();
      await watching.stop();
      await store.close();
      if ("lock" in mode) await mode.lock.close();
    },
  };
}

function openStore(config: Config, log: Log): PostgresStore {
  const access = openDatabaseAccess(config.database, config.databaseUrlFile, log);
  return createStore({
    ...access.current,
    access,
    max: config.databasePoolMax,
    waitersMax: config.queueMax,
    connectTimeoutMs: connectTimeoutMs(config),
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: ROW_LOCK_TIMEOUT_MS,
    log,
  });
}

/** The address may ask for less than ours. For libpq 0, and less, is without an end. */
function connectTimeoutMs({ database: { connectTimeoutS = 0 } }: Config): number {
  return Math.min(DATABASE_CONNECT_TIMEOUT_MS, connectTimeoutS <= 0 ? Infinity : 1000 * connectTimeoutS);
}

function openMode(config: Config, { log, lock }: StockParts): Mode {
  const { concurrency, quorumLoss } = config;
  return concurrency === "redlock" ? { concurrency, quorumLoss, lock: lock ?? openLock(config, log) } : { concurrency };
}

function openLock(config: Config, log: Log): Lock {
  return createRedlock({
    nodes: config.redisNodes,
    access: openNodesAccess(config.redisNodes, { urls: config.redisUrlsFile, tls: config.redisTls }, log),
    ttlMs: config.lockTtlMs,
    nodeTimeoutMs: config.lockNodeTimeoutMs,
    keyPrefix: `${config.lockKeyPrefix}goods:`,
    random: Math.random,
    log,
  });
}

/** What must answer for the server to be ready. */
export function stockDependencies(
  { store, lock }: Stock,
  { quorumLoss }: Config,
): { readonly name: string; ping(signal: AbortSignal): Promise<void> }[] {
  // Where the loss of the quorum stops nobody, it is no reason to turn callers away.
  const needsQuorum = lock !== undefined && quorumLoss === "refuse";
  return [
    { name: "PostgreSQL", ping: (signal) => store.ping(signal) },
    ...(needsQuorum ? [{ name: "Redis quorum", ping: () => lock.ping() }] : []),
  ];
}
