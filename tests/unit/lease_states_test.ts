/** The states of a goods in the lease cache: every cell of the table, and that the cache goes by it. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvariantError } from "../../src/base/invariant.ts";
import { LeaseCache, PAUSE_MS_MAX, SHARE_AFTER_MS } from "../../src/lanes/modes/lease_cache.ts";
import { type LeaseEvent, type LeaseState, nextLeaseState } from "../../src/lanes/modes/lease_states.ts";
import type { Lock } from "../../src/lock/lock.ts";
import { grantAllLock } from "../support/unguarded.ts";

const EVENTS: readonly LeaseEvent[] = ["acquired", "taken", "batch_over", "released", "yielded"];
/** What each state comes to by each event, in their sequence; undefined: it must not happen. */
const TABLE: Readonly<Record<LeaseState, readonly (LeaseState | undefined)[]>> = {
  absent: ["in_use", undefined, "absent", "absent", "absent"],
  in_use: [undefined, "in_use", "idle", "released", undefined],
  idle: [undefined, "in_use", "idle", "released", "paused"],
  released: ["in_use", undefined, "released", "released", "released"],
  paused: ["in_use", undefined, "paused", "paused", "paused"],
};

for (const [state, row] of Object.entries(TABLE) as [LeaseState, (LeaseState | undefined)[]][]) {
  Deno.test(`a goods that is ${state} goes where the table leads it, and throws where it leads nowhere`, () => {
    EVENTS.forEach((event, i) => {
      const next = row[i];
      if (next !== undefined) return assertEquals(nextLeaseState(state, event, 7), next, event);
      assertThrows(() => nextLeaseState(state, event, 7), InvariantError, `the lease of goods 7 is ${state}`);
    });
  });
}

Deno.test("the cache takes a goods through all of its states", async () => {
  let nowMs = 0;
  const lock: Lock = { ...grantAllLock(), wantedByOthers: (goodsIds) => Promise.resolve(goodsIds) };
  const leases = new LeaseCache(lock, () => nowMs);
  const states: LeaseState[] = [leases.stateOf(1)];
  const after = async (step: () => unknown) => {
    await step();
    states.push(leases.stateOf(1));
  };
  await after(() => leases.take([1]));
  await after(() => leases.batchOver([1]));
  await after(() => leases.releaseUnwanted([1], () => false));
  await after(() => leases.take([1]));
  await after(() => leases.batchOver([1]));
  nowMs += SHARE_AFTER_MS;
  await after(() => leases.releaseDue([1]));
  await after(() => leases.take([1]));
  nowMs += PAUSE_MS_MAX;
  await after(() => leases.take([1]));
  await after(() => leases.releaseAll());
  assertEquals(states, [
    ...["absent", "in_use", "idle", "released"] as const,
    ...["in_use", "idle", "paused", "paused", "in_use", "released"] as const,
  ]);
});

Deno.test("a lease that two batches acquire at once, or that is left to others under a batch, is a fault that is seen", async () => {
  const taken = Promise.withResolvers<void>();
  const slow: Lock = {
    ...grantAllLock(),
    acquire: async (goodsIds) => {
      await taken.promise;
      return await grantAllLock().acquire(goodsIds);
    },
    wantedByOthers: async (goodsIds) => {
      await leases.take(goodsIds);
      return goodsIds;
    },
  };
  let nowMs = 0;
  const leases = new LeaseCache(slow, () => nowMs);
  const [first, second] = [leases.take([1]), leases.take([1])];
  taken.resolve();
  await first;
  await assertRejects(() => second, InvariantError, "goods 1 is in_use, and can't be acquired");
  leases.batchOver([1]);
  nowMs += SHARE_AFTER_MS;
  await assertRejects(() => leases.releaseDue([1]), InvariantError, "goods 1 is in_use, and can't be yielded");
});
