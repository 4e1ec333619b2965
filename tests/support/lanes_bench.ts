/** Lanes over a real database, with parts of lock and store exchanged where a test needs it. */
import { assertEquals } from "@std/assert";
import { Lanes } from "../../src/lanes/lanes.ts";
import type { KeptClocks } from "../../src/lanes/kept_levels.ts";
import type { LanesLimits } from "../../src/lanes/lanes_limits.ts";
import type { QuorumLoss } from "../../src/config/mode_names.ts";
import type { Lock } from "../../src/lock/lock.ts";
import { createStore, type PostgresStore, type Store } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { set } from "./apply.ts";
import { isInEveryMode, testMode } from "./test_mode.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { NEVER } from "./pool_probe.ts";
import { grantAllLock } from "./unguarded.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";

/**
 * What the lanes of a bench are bounded by, where nothing else is given. Nobody waits for as long as an operation may:
 * on a busy machine those who contend for a goods do for seconds.
 */
export const LANES_LIMITS: LanesLimits = {
  operationsMax: 1000,
  linesMax: 100_000,
  batchesMax: 3,
  lockWaitMsMax: 20_000,
  lockAttemptMsMax: 50,
  writeMsMax: 1000,
};
const CONNECTIONS = 6;

/** What may be exchanged. */
export interface LanesChanges {
  readonly store?: Partial<Store>;
  /** Of tests in the mode `redlock` alone. */
  readonly lock?: Partial<Lock>;
  readonly quorumLoss?: QuorumLoss;
  readonly limits?: Partial<LanesLimits>;
  readonly log?: Log;
  readonly clocks?: KeptClocks;
}

/** A database with goods 1 at ten units, and lanes over it. */
export interface LanesBench extends AsyncDisposable {
  readonly store: PostgresStore;
  readonly ownerUrl: string;
  /**
   * Lanes as of a process of its own. Without a lock of its own it goes in the mode of the run, or everybody is granted
   * everything.
   */
  lanes(changes?: LanesChanges): Lanes;
  onHand(goodsId: number): Promise<number | undefined>;
}

/** Makes a bench, on a database of its own where none is given; the bench drops it in the end. */
export async function lanesBench(given?: TestDatabase): Promise<LanesBench> {
  const database = given ?? await createTestDatabase();
  const quiet = createLog("error", "pretty");
  const store = createStore({
    address: parsePostgresAddress(database.serverUrl),
    max: CONNECTIONS,
    waitersMax: 100,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 300,
    log: quiet,
  });
  const made: Lanes[] = [];
  const bench: LanesBench = {
    store,
    ownerUrl: database.ownerUrl,
    lanes({ store: changedStore = {}, lock, quorumLoss = "refuse", limits = {}, log = quiet, clocks } = {}) {
      if (lock !== undefined && isInEveryMode()) throw new Error("Lanes with a lock of their own know one mode only");
      const concurrency = testMode();
      const lanes = new Lanes(
        {
          store: inParts({ ...store, ...changedStore }, changedStore),
          mode: concurrency === "redlock"
            ? { concurrency, quorumLoss, lock: { ...grantAllLock(), ...lock } }
            : { concurrency },
          random: () => 0.5,
          log,
          clocks,
        },
        { ...LANES_LIMITS, ...limits },
      );
      made.push(lanes);
      return lanes;
    },
    onHand: async (goodsId) => (await store.readLevels([goodsId], NEVER)).get(goodsId)?.onHand,
    async [Symbol.asyncDispose]() {
      await Promise.all(made.map((lanes) => lanes.close()));
      await store.close();
      await database.drop();
    },
  };
  await bench.lanes().apply(set("stocked", 1, 10), NEVER);
  return bench;
}

/** Stocks goods 1 to `count` with `num` each. */
export async function stock(on: LanesBench, count: number, num: number): Promise<void> {
  const sets = Array.from({ length: count }, (_, i) => set(`stock-${i + 1}`, i + 1, num));
  for (const result of await on.lanes().applyAll(sets, NEVER)) assertEquals(result.status, "fulfilled");
}

/**
 * The store, with a change under row locks that is made of its own read and write where a test has exchanged one of
 * them: what happens to those then happens in every mode. The rows themselves are not locked.
 */
function inParts(store: Store, changed: Partial<Store>): Store {
  if (changed.readSnapshot === undefined && changed.writeChanges === undefined) return store;
  return {
    ...store,
    async changeUnderRowLocks(keys, decide, signal) {
      const changes = await decide(await store.readSnapshot(keys, signal));
      if (changes !== undefined) await store.writeChanges(changes, signal);
    },
  };
}
