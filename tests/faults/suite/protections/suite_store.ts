/** The store with points, and with what keeps its writes right taken out as asked. */
import postgres from "postgres";
import {
  type Config,
  DATABASE_CONNECT_TIMEOUT_MS,
  ROW_LOCK_TIMEOUT_MS,
  STATEMENT_TIMEOUT_MS,
} from "../../../../src/config/config.ts";
import type { Changes, Snapshot } from "../../../../src/inventory/model.ts";
import type { Operation } from "../../../../src/inventory/operations/operation.ts";
import { keyOf } from "../../../../src/inventory/stock_key.ts";
import { arrayLiteral } from "../../../../src/store/postgres/arrays.ts";
import {
  ConflictError,
  DatabaseUnavailableError,
  OutcomeUnknownError,
  storeError,
} from "../../../../src/store/errors.ts";
import { createStore, type PostgresStore, type Store } from "../../../../src/store/store.ts";
import { errorFields, type Log } from "../../../../src/telemetry/log.ts";
import { looseWrite } from "./loose_write.ts";
import type { Protection } from "./names.ts";
import type { Points } from "./points.ts";
import { driverAddress } from "../../../../src/store/postgres/client.ts";

/** What the store works with. */
export interface SuiteStoreParts {
  readonly config: Config;
  readonly without: ReadonlySet<Protection>;
  readonly points: Points;
  /** Called with the goods of a write before it begins. */
  readonly beforeWrite: (goodsIds: readonly number[]) => Promise<void>;
  readonly log: Log;
}

type Read = Store["readSnapshot"];
type Write = Store["writeChanges"];
type Change = Store["changeUnderRowLocks"];

/** The store on PostgreSQL that `without` leaves of it. */
export function createSuiteStore(parts: SuiteStoreParts): Store & Pick<PostgresStore, "tail"> {
  const { config, without, points, log } = parts;
  const session = without.has("durable_commit") ? { synchronous_commit: "off" } : {};
  const store = createStore({
    address: config.database,
    session,
    max: config.databasePoolMax,
    waitersMax: config.queueMax,
    connectTimeoutMs: DATABASE_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: ROW_LOCK_TIMEOUT_MS,
    ...(without.has("decision_age") ? { decisionAgeMsMax: Infinity } : {}),
    log,
  });
  const loose = (["fence", "order_ids", "one_statement"] as const).some((name) => without.has(name));
  const sql = loose ? connect(config, session) : undefined;

  const readSnapshot: Read = async (keys, signal) => {
    const snapshot = await store.readSnapshot(keys, signal);
    await points.reach("after_read");
    if (without.has("order_ids")) return { ...snapshot, orders: new Map(), operations: new Map() };
    if (without.has("expiry")) return { ...snapshot, due: [], moreDue: false };
    if (!without.has("buyer_count") && !without.has("fenced_expectation")) return snapshot;
    const later = await store.readSnapshot(keys, signal);
    if (without.has("buyer_count")) return { ...later, taken: snapshot.taken ?? new Map() };
    expectedOn.set(later, snapshot);
    return later;
  };
  const write = answered(parts, sql === undefined ? plainWrite(parts, store) : severalWrites(parts, sql));
  const changeUnderRowLocks: Change = async (keys, decide, signal) => {
    let written = false;
    const decideAtPoint = async (snapshot: Snapshot) => {
      await points.reach("after_read");
      const changes = await decide(snapshot);
      written = changes !== undefined;
      return changes;
    };
    if (without.has("lease")) {
      const changes = await decide(await readSnapshot(keys, signal));
      if (changes !== undefined) await write(changes, signal);
      return;
    }
    if (sql !== undefined) {
      await sql.begin(async (block) => {
        await block`select 1 from levels where goods_id = any (${arrayLiteral(keys.stockKeys)}::text::int[])
                     order by goods_id for update`;
        const changes = await decideAtPoint(await store.readSnapshot(keys, signal));
        if (changes !== undefined) {
          await looseWrite(block, changes, fences(without), () => points.reach("before_commit"));
        }
      }).catch((error) => Promise.reject(storeError(error)));
    } else {
      await store.changeUnderRowLocks(keys, async (snapshot) => {
        const changes = await decideAtPoint(snapshot);
        if (changes !== undefined) await points.reach("before_commit");
        return changes;
      }, signal);
    }
    if (written) await points.reach("after_commit");
  };
  return {
    ...store,
    readSnapshot,
    writeChanges: write,
    changeUnderRowLocks,
    // Readiness would say that the commits are not durable, and nobody would call.
    ping: without.has("durable_commit")
      ? async (signal) => void await store.readLevels([], signal)
      : (signal) => store.ping(signal),
    close: async () => {
      await store.close();
      await sql?.end({ timeout: 1 });
    },
  };
}

function fences(without: ReadonlySet<Protection>) {
  return { versions: !without.has("fence"), ids: !without.has("order_ids") };
}

/** For a snapshot, the one before it on which expectations were compared. */
const expectedOn = new WeakMap<Snapshot, Snapshot>();

/** The operations without the expectations that were met by the read before the snapshot. */
export function withoutMetExpectations(snapshot: Snapshot, operations: readonly Operation[]): readonly Operation[] {
  const before = expectedOn.get(snapshot);
  if (before === undefined) return operations;
  return operations.map((operation) => {
    if (operation.kind !== "set" || operation.expectedVersion === undefined) return operation;
    const { expectedVersion, ...set } = operation;
    return before.levels.get(keyOf(operation))?.version === expectedVersion ? set : operation;
  });
}

/** Only what leaves a location. */
function halfTransfers(changes: Changes): Changes {
  const arrives = new Set(
    changes.movements.filter(({ kind, onHandDelta }) => kind === "transfer" && onHandDelta > 0).map(keyOf),
  );
  return {
    ...changes,
    movements: changes.movements.filter((movement) => !arrives.has(keyOf(movement))),
    levels: changes.levels.filter(({ after }) => !arrives.has(keyOf(after))),
  };
}

/** As the program writes. */
function plainWrite({ without, points, beforeWrite }: SuiteStoreParts, store: Store): Write {
  return async (all, signal) => {
    const changes = without.has("whole_transfer") ? halfTransfers(all) : all;
    await beforeWrite(goodsOf(changes));
    await points.reach("before_commit");
    return await store.writeChanges(changes, signal);
  };
}

/** In several statements, in a transaction unless that is taken out too. */
function severalWrites({ without, points, beforeWrite }: SuiteStoreParts, sql: postgres.Sql): Write {
  return async (changes) => {
    await beforeWrite(goodsOf(changes));
    const atPoint = () => points.reach("before_commit");
    const inParts = without.has("one_statement");
    // In a transaction rows would be locked by then.
    if (!inParts) await atPoint();
    const write = (session: postgres.ISql) =>
      looseWrite(session, changes, fences(without), inParts ? atPoint : () => Promise.resolve());
    try {
      await (inParts ? write(sql) : sql.begin(write));
    } catch (error) {
      throw storeError(error);
    }
  };
}

/** What the caller hears of a write, and when. */
function answered({ without, points, log }: SuiteStoreParts, write: Write): Write {
  const answered: Write = async (changes, signal) => {
    let atMs: number | void;
    try {
      atMs = await write(changes, signal);
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error;
      if (without.has("lost_write")) throw new ConflictError("reported as undone", { cause: error });
      if (!without.has("outcome_lookup")) throw error;
      throw new DatabaseUnavailableError("reported as not written", { cause: error });
    }
    await points.reach("after_commit");
    return atMs;
  };
  if (!without.has("commit_before_answer")) return answered;
  return (changes, signal) => {
    answered(changes, signal).catch((error) => log.error({ error: errorFields(error) }, "an answered write failed"));
    return Promise.resolve();
  };
}

function goodsOf(changes: Changes): number[] {
  return changes.levels.map(({ after }) => after.goodsId);
}

function connect({ database, databasePoolMax }: Config, session: Readonly<Record<string, string>>): postgres.Sql {
  return postgres({
    ...driverAddress(database),
    max: databasePoolMax,
    connect_timeout: DATABASE_CONNECT_TIMEOUT_MS / 1000,
    onnotice: () => {},
    connection: {
      application_name: "holdfast",
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: ROW_LOCK_TIMEOUT_MS,
      ...session,
    },
  });
}
