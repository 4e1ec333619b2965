/**
 * The store as the rest of the program sees it: the committed snapshot, and whole changes to it.
 */
import type { Changes, Order, Snapshot } from "../inventory/model.ts";
import type { Lists } from "../inventory/lists.ts";
import { keyOf, type Place, type StockKey } from "../inventory/stock_key.ts";
import type {
  AskedResolution,
  HoldFilter,
  RecordedShortfall,
  ResolvedShortfall,
  TimeKey,
} from "../inventory/hold_lists.ts";
import { type DueOrders, listHolds, readDueOrders } from "./statements/list_holds.ts";
import { listShortfalls, resolveShortfall, wouldResolveShortfall } from "./statements/shortfalls.ts";
import type { GoodsLevels, NamedLevel } from "../inventory/levels.ts";
import { addReason, readReasons, type Reason } from "./statements/reasons.ts";
import { changeUnderRowLocks } from "./statements/change_under_row_locks.ts";
import { type CheckedPage, checkLedger } from "./statements/check_ledger.ts";
import { countLevels, estimateLevels } from "./statements/lists/count_levels.ts";
import { endSilentSessions, silentTransactionMsMax } from "./statements/end_silent_sessions.ts";
import { explainPlace } from "./statements/explain_place.ts";
import { FenceWatch } from "./fence_watch.ts";
import { type KeysRead, readKeys } from "./statements/keys.ts";
import { listLevels } from "./statements/lists/levels.ts";
import { listMovements } from "./statements/lists/movements.ts";
import { listOrders } from "./statements/lists/orders.ts";
import { Pool, type PoolOptions } from "./postgres/pool.ts";
import { type NamedGoods, nameGoods, type Naming, readGoods, readSkus } from "./statements/goods.ts";
import { readSnapshot, type SnapshotKeys } from "./statements/read_snapshot.ts";
import { ping } from "./statements/ping.ts";
import { primaryOf } from "./postgres/primary_look.ts";
import { readLevels } from "./statements/read_levels.ts";
import { readLocations } from "./statements/read_locations.ts";
import { readLocked, readLockedOrders } from "./statements/read_locked.ts";
import { Sessions } from "./postgres/sessions.ts";
import type { ConnectionWaits } from "./postgres/connection_waits.ts";
import { readTotals } from "./statements/stats/totals.ts";
import { readTurnover } from "./statements/stats/turnover.ts";
import { writeChanges } from "./statements/write_changes.ts";
import { type NewRead, readTail, type TailQuery } from "./statements/tail.ts";
import type { TailRead } from "./statements/tail_rows.ts";
import { type ScanQuery, scanTail } from "./statements/tail_scan.ts";
import { readVersions, type VersionRange } from "./statements/tail_versions.ts";
import { readWriters, type WritersRead } from "./statements/tail_writers.ts";
import { readXids, type XidsRead } from "./statements/tail_xids.ts";
import { identifyDatabase, isMovementThere, type WrittenMovement } from "./statements/tail_marks.ts";

/** A part of a list: at most so many rows, from behind that one on. */
export interface Page {
  readonly after: TimeKey | undefined;
  readonly limit: number;
}

/**
 * Every method ends with its signal and throws the errors of errors.ts.
 */
export interface Store {
  /** The rows of these keys at one moment. */
  readSnapshot(keys: SnapshotKeys, signal: AbortSignal): Promise<Snapshot>;
  /**
   * Commits all changes, or none of them: FenceLostError if a row was changed since the snapshot was read,
   * OffLedgerError if it is found, after some of those, that the goods can't be written at all. Answers the time that
   * they were given, in ms since 1970, or nothing where that is the changes' own.
   */
  writeChanges(changes: Changes, signal: AbortSignal): Promise<number | void>;
  /**
   * Reads the snapshot with the goods' rows locked, and commits what `decide` makes of it before they are unlocked;
   * undefined: nothing. FenceLostError where a row that could not be locked was changed meanwhile; OffLedgerError as
   * above.
   */
  changeUnderRowLocks(
    keys: SnapshotKeys,
    decide: (snapshot: Snapshot) => Promise<Changes | undefined>,
    signal: AbortSignal,
  ): Promise<void>;
  /** The levels of those goods that are sold. */
  readLevels(stockKeys: readonly StockKey[], signal: AbortSignal): Promise<Map<StockKey, NamedLevel>>;
  /** The levels of these goods at all locations where they are sold; undefined for goods that never were anywhere. */
  readLocations(goodsIds: readonly number[], signal: AbortSignal): Promise<Map<number, GoodsLevels>>;
  /** Those of the goods whose rows other sessions have locked, as far as the database can say. */
  readLocked(stockKeys: readonly StockKey[], signal: AbortSignal): Promise<StockKey[]>;
  /** The same of orders. */
  readLockedOrders(orderIds: readonly string[], signal: AbortSignal): Promise<string[]>;
  /** Live holds, those that end first before others; see HoldFilter. */
  listHolds(filter: HoldFilter, page: Page, signal: AbortSignal): Promise<Order[]>;
  /** Open shortfalls, the oldest first. */
  listShortfalls(page: Page, signal: AbortSignal): Promise<RecordedShortfall[]>;
  /** Resolves the shortfall of an order, unless it is, or another one is open now; undefined: there is none. */
  resolveShortfall(
    asked: AskedResolution,
    signal: AbortSignal,
    dryRun?: boolean,
  ): Promise<ResolvedShortfall | undefined>;
  /** Orders that are on record as held although their time is up, those that ended first before others. */
  readDueOrders(after: TimeKey, limit: number, signal: AbortSignal): Promise<DueOrders>;
  /** The goods of those of these skus that belong to one. */
  readSkus(skus: readonly string[], signal: AbortSignal): Promise<Map<string, NamedGoods>>;
  /** Those of the goods that have a sku, or have, or had, stock. */
  readGoods(goodsIds: readonly number[], signal: AbortSignal): Promise<Map<number, NamedGoods>>;
  /** Gives a sku to a goods, and answers what has either name then; none: to be tried again. */
  nameGoods(naming: Naming, signal: AbortSignal): Promise<NamedGoods[]>;
  /** All reasons, up to so many, by code. */
  readReasons(max: number, signal: AbortSignal): Promise<Reason[]>;
  /** Adds a reason, and answers the one that has its code then; none: there are `max`, or it is to be tried again. */
  addReason(reason: Reason, max: number, signal: AbortSignal): Promise<Reason | undefined>;
  /** The keys of callers, unless they are as they were when their digest was `known`. */
  readKeys(known: string | undefined, signal: AbortSignal): Promise<KeysRead>;
  /** Pages of what there is. */
  readonly lists: Lists;
  /**
   * Resolves if PostgreSQL answers, takes writes, and has the schema and the settings that it must have. Also ends
   * sessions whose process vanished in the middle of a transaction, so that they keep no rows locked for longer than
   * that: whoever uses a store has to call it often.
   */
  ping(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** How the connections of one pool stand. */
export interface PoolView {
  /** What it is for. */
  readonly name: "work" | "health";
  readonly lent: number;
  readonly free: number;
  readonly max: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  readonly waits: ConnectionWaits;
}

/** What a store on PostgreSQL shows of itself. */
export interface StoreView {
  readonly pools: readonly PoolView[];
}

/** A store on PostgreSQL. */
export interface PostgresStore extends Store {
  /** Compares so many levels behind that place with the ledger. */
  checkLedger(after: Place | undefined, limit: number, signal: AbortSignal): Promise<CheckedPage>;
  /** Movements as they are committed, on a connection of its own. */
  readonly tail: TailStore;
  readonly view: StoreView;
}

/** What is read of changes; all of it ends with its signal, and throws the errors of errors.ts. */
export interface TailStore {
  /** Names the database: another one has another id. */
  identify(signal: AbortSignal): Promise<string>;
  /** Which transactions from one on have movements of lately. */
  xids(
    query: { readonly from: number; readonly limit: number },
    signal: AbortSignal,
  ): Promise<XidsRead>;
  /** Which transactions under way may have written movements. */
  writers(signal: AbortSignal): Promise<WritersRead>;
  read(query: TailQuery, signal: AbortSignal): Promise<NewRead>;
  scan(query: ScanQuery, signal: AbortSignal): Promise<TailRead>;
  readonly versions: (ranges: readonly VersionRange[], limit: number, signal: AbortSignal) => Promise<TailRead>;
  /** Whether this movement is there, as that transaction wrote it. */
  isThere(movement: WrittenMovement, signal: AbortSignal): Promise<boolean>;
  /** The same on the connections of sales, for streams that read for themselves. */
  readonly past: Pick<TailStore, "scan" | "versions" | "isThere">;
  /** Whom to call after every write of this store that was committed; undefined: nobody any more. */
  onCommitted(listener: (() => void) | undefined): void;
}

/** What a store is made of: a pool that knows, or finds, the host that takes writes. */
export interface StoreOptions extends Omit<PoolOptions, "primary"> {
  /** Instead of DECISION_AGE_MS_MAX: for tests of what is kept right without it. */
  readonly decisionAgeMsMax?: number;
}

/** Reads of the past on the connections of a pool. */
function pastOf(pool: Pool): TailStore["past"] {
  return {
    scan: (query, signal) => scanTail(pool, query, signal),
    versions: (ranges, limit, signal) => readVersions(pool, ranges, limit, signal),
    isThere: (movement, signal) => isMovementThere(pool, movement, signal),
  };
}

/** The store on PostgreSQL. Connects on first use. */
export function createStore(given: StoreOptions): PostgresStore {
  const sessions = new Sessions(given.log);
  const options = { ...given, primary: primaryOf(given, sessions) };
  const pool = new Pool(options, sessions);
  // Of its own, so that a queue of work is not taken for a database that is away.
  const pings = new Pool({ ...options, max: 1, waitersMax: 1 }, sessions);
  // And who may call is known whatever calls there are.
  const keys = new Pool({ ...options, max: 1, waitersMax: 1 }, sessions);
  // And changes are read however many sales there are.
  const tail = new Pool({ ...options, max: 1, waitersMax: 1 }, sessions);
  const fences = new FenceWatch(pool, options.log);
  let committed: (() => void) | undefined;
  const silentMsMax = silentTransactionMsMax(options.statementTimeoutMs);
  return {
    get view(): StoreView {
      return {
        pools: [
          { name: "work", max: options.max, ...pool.counts, waits: pool.waits },
          { name: "health", max: 1, ...pings.counts, waits: pings.waits },
        ],
      };
    },
    checkLedger: (after, limit, signal) => checkLedger(pool, after, limit, signal),
    tail: {
      identify: (signal) => identifyDatabase(tail, signal),
      xids: (query, signal) => readXids(tail, query, signal),
      writers: (signal) => readWriters(tail, signal),
      read: (query, signal) => readTail(tail, query, signal),
      ...pastOf(tail),
      past: pastOf(pool),
      onCommitted: (listener) => void (committed = listener),
    },
    readSnapshot: (keys, signal) => readSnapshot(pool, keys, signal),
    writeChanges: async (changes, signal) => {
      const stockKeys = changes.levels.map(({ after }) => keyOf(after));
      const write = () => writeChanges(pool, changes, signal, given.decisionAgeMsMax);
      const atMs = await fences.watch(stockKeys, write, signal);
      committed?.();
      return atMs;
    },
    changeUnderRowLocks: async (keys, decide, signal) => {
      await fences.watch(keys.stockKeys, () => changeUnderRowLocks(pool, keys, decide, signal), signal);
      committed?.();
    },
    readLevels: (stockKeys, signal) => readLevels(pool, stockKeys, signal),
    readLocations: (goodsIds, signal) => readLocations(pool, goodsIds, signal),
    readLocked: (stockKeys, signal) => readLocked(pool, stockKeys, options.log, signal),
    readLockedOrders: (orderIds, signal) => readLockedOrders(pool, orderIds, options.log, signal),
    listHolds: (filter, page, signal) => listHolds(pool, filter, page, signal),
    listShortfalls: (page, signal) => listShortfalls(pool, page, signal),
    resolveShortfall: (asked, signal, dryRun = false) =>
      dryRun ? wouldResolveShortfall(pool, asked, signal) : resolveShortfall(pool, asked, signal),
    readDueOrders: (after, limit, signal) => readDueOrders(pool, after, limit, signal),
    readSkus: (skus, signal) => readSkus(pool, skus, signal),
    readGoods: (goodsIds, signal) => readGoods(pool, goodsIds, signal),
    nameGoods: (naming, signal) => nameGoods(pool, naming, signal),
    readReasons: (max, signal) => readReasons(pool, max, signal),
    addReason: (reason, max, signal) => addReason(pool, reason, max, signal),
    readKeys: (known, signal) => readKeys(keys, known, signal),
    lists: {
      levels: (query, page, signal) => listLevels(pool, query, page, signal),
      countLevels: (query, isExact, signal) => (isExact ? countLevels : estimateLevels)(pool, query, signal),
      movements: (query, page, signal) => listMovements(pool, query, page, signal),
      orders: (query, page, signal) => listOrders(pool, query, page, signal),
      turnover: (query, page, signal) => readTurnover(pool, query, page, signal),
      totals: (query, signal) => readTotals(pool, query, signal),
      explain: (place, limits, signal) => explainPlace(pool, place, limits, signal),
    },
    ping: async (signal) => {
      await ping(pings, sessions, options, signal);
      const ended = await endSilentSessions(pings, silentMsMax, signal);
      if (ended.length > 0) options.log.warn({ pids: ended, silentMsMax }, "ended sessions whose client fell silent");
    },
    close: async () => {
      await Promise.all([pool.close(), pings.close(), keys.close(), tail.close()]);
    },
  };
}
