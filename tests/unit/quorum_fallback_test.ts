/** When batches go by row locks for want of a quorum, by clocks that the test moves; and what ends that. */
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { RedlockGuards } from "../../src/lanes/modes/redlock.ts";
import { SHARE_AFTER_MS } from "../../src/lanes/modes/lease_cache.ts";
import { ASK_AGAIN_AFTER_MS, QuorumFallback } from "../../src/lanes/modes/quorum_fallback.ts";
import { type Lock, QuorumLostError } from "../../src/lock/lock.ts";
import type { Log } from "../../src/telemetry/log.ts";

function recordingLog(): { readonly said: string[]; readonly log: Log } {
  const said: string[] = [];
  const log: Log = {
    debug() {},
    info: (_, message) => void said.push(message),
    warn: (_, message) => void said.push(message),
    error() {},
  };
  return { said, log };
}

const LOST = "no quorum of Redis nodes: going on with row locks";
const REGAINED = "a quorum of Redis nodes votes again: going on with leases";

Deno.test("the nodes are asked again after a while each time, since when is counted from the first loss, and each end once", () => {
  const { said, log } = recordingLog();
  const now = { monotonicMs: 1000, timeMs: 500_000 };
  const fallback = new QuorumFallback({ monotonicMs: () => now.monotonicMs, timeMs: () => now.timeMs }, log);
  const pass = (ms: number) => {
    now.monotonicMs += ms;
    now.timeMs += ms;
  };
  assertEquals([fallback.isOn, fallback.view], [false, { sinceMs: undefined, batches: 0 }]);
  fallback.regained();
  assertEquals(said, []);
  for (let round = 0; round < 3; round++) {
    fallback.lost(new Error("away"));
    fallback.count();
    assertEquals(fallback.isOn, true);
    pass(ASK_AGAIN_AFTER_MS - 1);
    assertEquals(fallback.isOn, true);
    pass(1);
    assertEquals(fallback.isOn, false);
    assertEquals(fallback.view, { sinceMs: 500_000, batches: round + 1 });
  }
  assertEquals(said, [LOST]);
  fallback.regained();
  fallback.regained();
  assertEquals([fallback.isOn, fallback.view, said], [false, { sinceMs: undefined, batches: 3 }, [LOST, REGAINED]]);
  fallback.lost(new Error("away"));
  assertEquals([fallback.isOn, fallback.view.sinceMs, said.length], [true, now.timeMs, 3]);
});

Deno.test("only what nodes have answered ends it: neither leases that are there, nor goods that are left to others", async () => {
  const { said, log } = recordingLog();
  let isAway = false;
  const lock: Lock = {
    acquire() {
      if (isAway) return Promise.reject(new QuorumLostError("away"));
      return Promise.resolve({
        remainingMs: () => 60_000,
        extend: () => Promise.resolve(),
        release: () => Promise.resolve(),
      });
    },
    wantedByOthers: (goodsIds) => Promise.resolve(goodsIds),
    seemsFree: () => Promise.resolve(false),
    status: () => ({ quorum: 3, ttlMs: 5000, nodes: [], leases: [] }),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const guards = new RedlockGuards({ concurrency: "redlock", quorumLoss: "row", lock }, log);
  const isOn = () => guards.fallback.sinceMs !== undefined;
  assertEquals((await guards.take([1])).is, "guarded");
  isAway = true;
  assertEquals((await guards.take([2])).is, "guarded");
  assertEquals(isOn(), true);
  await delay(Math.max(ASK_AGAIN_AFTER_MS, SHARE_AFTER_MS) + 5);

  const cached = await guards.take([1]);
  assertEquals(cached.is === "guarded" && cached.guard.rowLocks, false);
  assertEquals(isOn(), true, "a lease that is there says nothing of the nodes");
  guards.batchOver([1]);
  await guards.releaseDue([1]);
  const left = await guards.take([1]);
  assert(left.is === "refused" && left.refused.afterMs !== undefined, "it is the turn of others");
  assertEquals(isOn(), true, "nor do goods that are left to others");
  assertEquals(said, [LOST]);

  isAway = false;
  assertEquals((await guards.take([2])).is, "guarded");
  assertEquals([isOn(), said], [false, [LOST, REGAINED]]);
});
