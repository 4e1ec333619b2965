/**
 * Takes what a sale needs, as a stranger would, so that a test has a call under way for as long as it likes and knows
 * when the call has come to wait.
 */
import { Redis } from "ioredis";
import postgres from "postgres";
import { testEnvironment } from "./env.ts";
import { monitorRedis } from "./redis_monitor.ts";
import { eventually } from "./eventually.ts";

/** Where the program has its lease of a goods, on each node. */
const LEASE_KEY_PREFIX = "holdfast:goods:";
/** Longer than any test. */
const LEASE_MS = 120_000;

/** The program waits for a row in a statement for a quarter of a second; after that it looks whether it is free. */
const WAITING_EVERY_MS = 5;

/** What a stranger has. `await using` frees it. */
export interface Taken extends AsyncDisposable {
  /** Frees it; once is enough. */
  release(): Promise<void>;
}

/** A row that a session of the test's has locked. */
export interface LockedRow extends Taken {
  /** Resolves when `count` statements of others wait for a lock in this database. Rejects when they don't in time. */
  waitedFor(count: number, msMax?: number): Promise<void>;
}

/** Locks the row of a goods as `select ... for update` in an open transaction does. */
export async function lockRow(ownerUrl: string, goodsId: number): Promise<LockedRow> {
  const pool = postgres(ownerUrl, { max: 2, onnotice: () => {} });
  const session = await pool.reserve();
  await session`begin`;
  await session`select 1 from levels where goods_id = ${goodsId} for update`;
  // Dialled before anybody waits.
  await pool`select 1`;
  let locked = true;
  const release = async () => {
    if (!locked) return;
    locked = false;
    await session`rollback`;
    session.release();
    await pool.end();
  };
  return {
    release,
    async waitedFor(count, msMax) {
      const what = `${count} statements wait for the row of goods ${goodsId}`;
      await eventually(
        async () => {
          const [row] = await pool<{ waiting: number }[]>`
          select count(*)::int as waiting from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
          return row!.waiting === count;
        },
        what,
        msMax,
        WAITING_EVERY_MS,
      );
    },
    [Symbol.asyncDispose]: release,
  };
}

/** Leases of nobody that would ever release them. */
export interface TakenLeases extends Taken {
  /** Whether somebody has asked for the lease of each of the goods, since they are taken, as far as is known by now. */
  isAskedFor(): boolean;
  /** Resolves when somebody has. */
  askedFor(): Promise<void>;
  /** How many leases of the goods there are, over all nodes, whoever's. */
  count(): Promise<number>;
}

/**
 * Takes the leases of goods on all nodes, each once nobody has it: a server keeps one for some ms behind a call, and
 * who has one does not ask.
 */
export async function takeLeases(...goodsIds: number[]): Promise<TakenLeases> {
  const nodes = testEnvironment().redisUrls.map((url) => new Redis(url));
  const keys = goodsIds.map((goodsId) => `${LEASE_KEY_PREFIX}${goodsId}`);
  const take = (node: Redis, key: string) =>
    eventually(async () => await node.set(key, "a test", "PX", LEASE_MS, "NX") === "OK", `nobody has ${key}`);
  await Promise.all(nodes.flatMap((node) => keys.map((key) => take(node, key))));
  const asked = new Set<string>();
  const monitor = await monitorRedis(testEnvironment().redisUrls[0]!, (name, args) => {
    // Behind the script, the count of keys and the keys stand the holder and, where it asks, the time. Who gives an
    // earlier lease back, some ms after its batch, does not ask.
    if (!/^eval/i.test(name) || args.length < Number(args[1]) + 4) return;
    for (const key of keys) if (args.includes(key)) asked.add(key);
  });
  const isAskedFor = () => asked.size === keys.length;
  const release = async () => {
    await Promise.all(nodes.map((node) => node.del(...keys)));
  };
  return {
    release,
    isAskedFor,
    askedFor: () => eventually(isAskedFor, "the leases are asked for"),
    async count() {
      const counts = await Promise.all(nodes.map((node) => node.exists(...keys)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async [Symbol.asyncDispose]() {
      await release();
      monitor.close();
      for (const node of nodes) node.disconnect();
    },
  };
}
