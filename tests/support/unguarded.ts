/** A lock that locks nothing, for tests that must show what is kept right without it. */
import type { Lock } from "../../src/lock/lock.ts";

/** A lock that grants everything to everybody. */
export function grantAllLock(): Lock {
  return {
    acquire: () =>
      Promise.resolve({
        remainingMs: () => Number.MAX_SAFE_INTEGER,
        extend: () => Promise.resolve(),
        release: () => Promise.resolve(),
      }),
    wantedByOthers: () => Promise.resolve([]),
    seemsFree: () => Promise.resolve(false),
    status: () => ({ quorum: 0, ttlMs: 0, nodes: [], leases: [] }),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
