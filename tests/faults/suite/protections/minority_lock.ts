/**
 * A lock as it is often written: it asks those nodes that are there, and a majority of these is enough. Two processes
 * that see different nodes both get it.
 */
import type { StockKey } from "../../../../src/inventory/stock_key.ts";
import { Redis } from "ioredis";
import { type Lease, LeaseTakenError, type Lock, QuorumLostError } from "../../../../src/lock/lock.ts";
import type { RedlockOptions } from "../../../../src/lock/redlock.ts";
import { errorSummary } from "../../../../src/telemetry/log.ts";

/** Dials the nodes and makes the lock over those that answer. */
export function createMinorityLock({ nodes: addresses, ttlMs, nodeTimeoutMs, keyPrefix, log }: RedlockOptions): Lock {
  const nodes = addresses.map(({ host, port, user, password, database }) => {
    const node = new Redis({
      host,
      port,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      db: database,
      commandTimeout: nodeTimeoutMs,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
    });
    node.on("error", (error: Error) => log.debug({ error: errorSummary(error) }, "Redis node is away"));
    return node;
  });
  const keysOf = (stockKeys: readonly StockKey[]) => stockKeys.map((goodsId) => `${keyPrefix}${goodsId}`);
  const releasing = new Set<Promise<unknown>>();
  const release = async (stockKeys: readonly StockKey[], value: string): Promise<void> => {
    const released = Promise.allSettled(nodes.map(async (node) => {
      for (const key of keysOf(stockKeys)) if (await node.get(key) === value) await node.del(key);
    }));
    releasing.add(released);
    await released;
    releasing.delete(released);
  };
  return {
    async acquire(stockKeys): Promise<Lease> {
      const value = crypto.randomUUID();
      const startedMs = performance.now();
      const votes = await Promise.allSettled(nodes.map(async (node) => {
        for (const key of keysOf(stockKeys)) if (await node.set(key, value, "PX", ttlMs, "NX") === null) return false;
        return true;
      }));
      const answers = votes.flatMap((vote) => vote.status === "fulfilled" ? [vote.value] : []);
      const yes = answers.filter((answer) => answer).length;
      if (answers.length > 0 && yes > answers.length / 2) {
        return {
          remainingMs: () => startedMs + ttlMs - performance.now(),
          extend: async () => {},
          release: (some) => release(some ?? stockKeys, value),
        };
      }
      await release(stockKeys, value);
      if (answers.length === 0) throw new QuorumLostError("no node answers");
      throw new LeaseTakenError("Goods are held by someone else", stockKeys);
    },
    wantedByOthers: () => Promise.resolve([]),
    seemsFree: () => Promise.resolve(false),
    status: () => ({ quorum: 1, ttlMs, nodes: [], leases: [] }),
    async ping() {
      await Promise.any(nodes.map((node) => node.ping()));
    },
    async close() {
      // Each command has its time limit.
      await Promise.all(releasing);
      for (const node of nodes) node.disconnect();
    },
  };
}
