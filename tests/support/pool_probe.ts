/** A pool under test, and what PostgreSQL itself says about its connections. */
import { assert } from "@std/assert";
import postgres from "postgres";
import { Pool, type PoolOptions } from "../../src/store/postgres/pool.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { eventually, HANG_MS } from "./eventually.ts";

/** The advisory lock behind every {@link Latch}. */
const LATCH_KEY = 7_340_033;

/** Limits for tests: short where a test waits for them to pass, else long enough not to matter. */
export const TEST_LIMITS = {
  max: 2,
  waitersMax: 100,
  connectTimeoutMs: 10_000,
  statementTimeoutMs: 10_000,
  lockTimeoutMs: 10_000,
  log: createLog("error", "pretty"),
} as const satisfies Omit<PoolOptions, "address">;

/** No abort. */
export const NEVER: AbortSignal = new AbortController().signal;

/** A pool, and the owner's view of its database. `await using` closes both. */
export interface PoolProbe extends AsyncDisposable {
  readonly pool: Pool;
  readonly owner: postgres.Sql;
  /** Process ids of the pool's connections, as PostgreSQL has them. */
  backends(): Promise<number[]>;
  /** Statements of the pool that stand at a closed latch. */
  atLatch(): Promise<number>;
  /** Makes every {@link passLatch} wait until it is opened. */
  closeLatch(): Promise<Latch>;
  /** Ends every connection of the pool, as an operator's pg_terminate_backend does. */
  terminateAll(): Promise<void>;
  /** Asserts that the pool can run `max` statements at once, and has no connection beyond them. */
  assertFullSize(max: number): Promise<void>;
}

/** See {@link PoolProbe.closeLatch}. */
export interface Latch {
  open(): Promise<void>;
}

/** Makes a pool on `url`, watched through `ownerUrl`. */
export function probePool(url: string, ownerUrl: string, limits: Partial<PoolOptions> = {}): PoolProbe {
  const pool = new Pool({ ...TEST_LIMITS, address: parsePostgresAddress(url), ...limits });
  const owner = postgres(ownerUrl, { max: 3, onnotice: () => {}, connection: { application_name: "probe" } });
  const backends = async () => {
    const rows = await owner<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = 'holdfast' and datname = current_database()`;
    return rows.map((row) => row.pid);
  };
  const atLatch = async () => {
    const [row] = await owner<{ count: number }[]>`
      select count(*)::int as count from pg_stat_activity
       where application_name = 'holdfast' and datname = current_database() and wait_event = 'advisory'`;
    return row?.count ?? 0;
  };
  const closeLatch = async () => {
    const session = await owner.reserve();
    await session`select pg_advisory_lock(${LATCH_KEY}::bigint)`;
    return {
      async open() {
        await session`select pg_advisory_unlock(${LATCH_KEY}::bigint)`;
        session.release();
      },
    };
  };
  return {
    pool,
    owner,
    backends,
    atLatch,
    closeLatch,
    async terminateAll() {
      await owner`
        select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'holdfast' and datname = current_database()`;
    },
    async assertFullSize(max) {
      const latch = await closeLatch();
      const running = Array.from({ length: max + 1 }, () => passLatch(pool));
      try {
        await eventually(async () => await atLatch() === max, `${max} statements of the pool run at once`);
        await eventually(async () => (await backends()).length === max, `the pool has ${max} connections and no more`);
      } finally {
        await latch.open();
      }
      await Promise.all(running);
    },
    async [Symbol.asyncDispose]() {
      await pool.close();
      await owner.end({ timeout: 1 });
    },
  };
}

/** A statement that waits while the latch is closed. Answers the process id of its connection. */
export async function passLatch(pool: Pool, signal: AbortSignal = NEVER): Promise<number> {
  const [row] = await pool.run<{ pid: number }[]>(
    (sql) => sql`select pg_backend_pid() as pid, pg_advisory_xact_lock_shared(${LATCH_KEY}::bigint)`,
    signal,
  );
  assert(row !== undefined);
  return row.pid;
}

/** Fails instead of hanging. `promise` must settle by its own limits long before. */
export async function within<T>(promise: Promise<T>, what: string, msMax: number = HANG_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} hung for ${msMax} ms`)), msMax);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Collects what would have ended the process from now on, until it is disposed of. */
export function watchUncaught(): { readonly errors: unknown[] } & Disposable {
  const errors: unknown[] = [];
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    errors.push(event.reason);
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    errors.push(event.error);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return {
    errors,
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onError);
    },
  };
}
