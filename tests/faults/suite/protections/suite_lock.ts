/** The lock with points, and with what makes its leases exclusive taken out as asked. */
import type { Config } from "../../../../src/config/config.ts";
import type { Lease, Lock } from "../../../../src/lock/lock.ts";
import { createRedlock, type RedlockOptions } from "../../../../src/lock/redlock.ts";
import type { Log } from "../../../../src/telemetry/log.ts";
import { grantAllLock } from "../../../support/unguarded.ts";
import { createMinorityLock } from "./minority_lock.ts";
import type { Protection } from "./names.ts";
import type { Points } from "./points.ts";

/** The lock, and a means to release leases without its owner's knowledge. */
export interface SuiteLock {
  readonly lock: Lock;
  /** Releases what this process has of the goods; the owner goes on in the belief that it has them. */
  release(goodsIds: readonly number[]): Promise<void>;
}

/** The lock that `without` leaves of it. */
export function createSuiteLock(config: Config, without: ReadonlySet<Protection>, points: Points, log: Log): SuiteLock {
  const lock = lockWithout(config, without, log);
  const leases = new Map<number, Lease>();
  const acquire = async (goodsIds: readonly number[]): Promise<Lease> => {
    const lease = await lock.acquire(goodsIds);
    for (const goodsId of goodsIds) leases.set(goodsId, lease);
    await points.reach("after_lease");
    return without.has("recheck") ? { ...lease, remainingMs: () => config.lockTtlMs, extend: async () => {} } : lease;
  };
  return {
    lock: {
      acquire,
      wantedByOthers: (goodsIds) => lock.wantedByOthers(goodsIds),
      seemsFree: (goodsId) => lock.seemsFree(goodsId),
      ping: () => lock.ping(),
      status: () => lock.status(),
      close: () => lock.close(),
    },
    async release(goodsIds) {
      for (const [lease, together] of Map.groupBy(goodsIds, (goodsId) => leases.get(goodsId))) {
        await lease?.release(together);
      }
    },
  };
}

function lockWithout(config: Config, without: ReadonlySet<Protection>, log: Log): Lock {
  if (without.has("lease")) return grantAllLock();
  const options: RedlockOptions = {
    nodes: config.redisNodes,
    ttlMs: config.lockTtlMs,
    nodeTimeoutMs: config.lockNodeTimeoutMs,
    ...(without.has("quarantine") ? { quarantineMs: 0 } : {}),
    keyPrefix: `${config.lockKeyPrefix}goods:`,
    random: Math.random,
    log,
  };
  return without.has("majority") ? createMinorityLock(options) : createRedlock(options);
}
