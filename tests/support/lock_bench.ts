/** Locks under test, and what the nodes themselves say about their keys. */
import { assert } from "@std/assert";
import { Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import { type Lease, LeaseTakenError, type Lock, QuorumLostError } from "../../src/lock/lock.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { retryDelayMs } from "../../src/lanes/modes/retry_delay.ts";
import { createRedlock, type RedlockOptions } from "../../src/lock/redlock.ts";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { eventually } from "./eventually.ts";
import { SILENT } from "./silent_log.ts";

/** Long enough that no lease expires in a test that does not want it. */
export const LONG_TTL_MS = 60_000;
/** No test uses this goods. Locks may try for it side by side. */
const PROBED_GOODS = 999_999;
/** How long the last votes may be behind the first ones. */
const LATE_VOTE_MS_MAX = 200;

/** Locks over one set of nodes, and a direct connection to those nodes. `await using` closes all of it. */
export interface LockBench extends AsyncDisposable {
  /** A lock instance of its own, as another process would have; by default returned when all nodes vote for it. */
  lock(options?: Partial<RedlockOptions>, isReady?: (lock: Lock) => Promise<void>): Promise<Lock>;
  /** Straight to each node. */
  readonly nodes: readonly Redis[];
  /** The key of a goods. */
  key(goodsId: number): string;
  /** The keys of these locks, node by node, as `goods id=value of its lease`; of `nodes` only, where given. */
  keys(nodes?: readonly Redis[]): Promise<string[][]>;
  /** The same, once there are `count` of them: a lease is had as soon as most of the votes are in. */
  keysOnce(count: number): Promise<string[][]>;
  /** Asserts that no node keeps a key, nor comes to keep one. */
  assertNoKeys(nodes?: readonly Redis[]): Promise<void>;
}

/** Makes a bench over nodes that run, with keys of its own. */
export function lockBench(urls: readonly string[]): LockBench {
  const keyPrefix = `test:${crypto.randomUUID()}:`;
  const nodes = urls.map((url) => {
    const node = new Redis(url);
    node.on("error", () => {});
    return node;
  });
  const locks: Lock[] = [];
  const keys = (asked: readonly Redis[] = nodes) =>
    Promise.all(asked.map(async (node) => {
      // Of goods: what nodes are probed with comes and goes.
      const names = await node.keys(`${keyPrefix}[0-9]*`);
      return await Promise.all(
        names.sort().map(async (name) => `${name.slice(keyPrefix.length)}=${await node.get(name)}`),
      );
    }));
  const keysOnce = async (count: number) => {
    let found: string[][] = [];
    const complete = async () => (found = await keys()).flat().length === count;
    await eventually(complete, `${count} keys are there`);
    return found;
  };
  const allVote = async (lock: Lock) => {
    const key = `${keyPrefix}${PROBED_GOODS}`;
    const voted = async () => (await Promise.all(nodes.map((node) => node.exists(key)))).every((count) => count === 1);
    await eventually(async () => {
      const lease = await lock.acquire([PROBED_GOODS]).catch(isNotHad);
      if (!lease) return false;
      const all = await until(voted, LATE_VOTE_MS_MAX);
      await lease.release();
      return all;
    }, "all nodes vote");
    await eventually(
      async () => (await Promise.all(nodes.map((node) => node.exists(key)))).every((n) => n === 0),
      "it is released",
    );
  };
  return {
    nodes,
    keys,
    keysOnce,
    key: (goodsId) => `${keyPrefix}${goodsId}`,
    async lock(options = {}, isReady = allVote) {
      const lock = createRedlock({
        nodes: urls.map(parseRedisAddress),
        ttlMs: LONG_TTL_MS,
        nodeTimeoutMs: 1000,
        // Nodes of a test have often just started.
        quarantineMs: 0,
        keyPrefix,
        log: SILENT,
        random: Math.random,
        ...options,
      });
      locks.push(lock);
      await isReady(lock);
      return lock;
    },
    async assertNoKeys(asked = nodes) {
      await eventually(async () => (await keys(asked)).flat().length === 0, "no key is left on any node");
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(locks.map((lock) => lock.close()));
      for (const node of nodes) node.disconnect();
    },
  };
}

/** For a lease that is to be had: on a busy machine a node may answer too late again and again. */
export const HAD_MS_MAX = 10_000;

/** The lease of the goods, asked for again and again for up to `waitMs`. Throws the last refusal. */
export async function acquired(lock: Lock, goodsIds: readonly number[], waitMs: number): Promise<Lease> {
  const startedMs = performance.now();
  for (let attempt = 1;; attempt++) {
    try {
      return await lock.acquire(goodsIds);
    } catch (error) {
      const delayMs = retryDelayMs(attempt, Math.random());
      if (performance.now() - startedMs + delayMs > waitMs) throw error;
      await delay(delayMs);
    }
  }
}

/** Waits until a quorum of the nodes answers the lock. */
export async function ready(lock: Lock): Promise<void> {
  await eventually(() => lock.ping().then(() => true, isNotHad), "a quorum answers");
}

/** Counts how often two were inside at the same time, over the goods that both had leases of. */
export class CriticalSections {
  overlaps = 0;
  entered = 0;
  readonly #inside = new Set<number>();

  async visit(goodsIds: readonly number[]): Promise<void> {
    for (const goodsId of goodsIds) {
      if (this.#inside.has(goodsId)) this.overlaps++;
      this.#inside.add(goodsId);
    }
    this.entered++;
    await new Promise((resolve) => setTimeout(resolve));
    for (const goodsId of goodsIds) this.#inside.delete(goodsId);
  }
}

function isNotHad(error: unknown): false {
  assert(error instanceof QuorumLostError || error instanceof LeaseTakenError, `${error}`);
  return false;
}
