/**
 * The modes of concurrency: what a batch goes under, what becomes of it when the quorum is lost, and what a process
 * says and does whose lease ran out.
 */
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { Failure } from "../../src/lanes/failure.ts";
import { Lanes } from "../../src/lanes/lanes.ts";
import { ASK_AGAIN_AFTER_MS } from "../../src/lanes/modes/quorum_fallback.ts";
import type { Mode } from "../../src/lanes/modes/mode.ts";
import { type Lease, LeaseLostError, LeaseTakenError, QuorumLostError } from "../../src/lock/lock.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { sell, set } from "../support/apply.ts";
import { LANES_LIMITS, type LanesBench, lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { grantAllLock } from "../support/unguarded.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

Deno.test("without a quorum orders go by row locks, nobody is refused, and the nodes are asked again now and then", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(set("many", 1, 1000), NEVER);
  let quorum = false;
  let asked = 0;
  const rowLocked: StockKey[] = [];
  const lanes = on.lanes({
    quorumLoss: "row",
    lock: {
      acquire(goodsIds) {
        asked++;
        return quorum ? grantAllLock().acquire(goodsIds) : Promise.reject(new QuorumLostError("away"));
      },
    },
    store: {
      changeUnderRowLocks(keys, decide, signal) {
        rowLocked.push(...keys.stockKeys);
        return on.store.changeUnderRowLocks(keys, decide, signal);
      },
    },
  });
  const beganMs = performance.now();
  for (const id of ["a", "b", "c"]) assertEquals((await lanes.apply(sell(id, [1, 1]), NEVER)).ok, true);
  // As often as the time that it took here makes it due.
  const dueMax = 1 + Math.floor((performance.now() - beganMs) / ASK_AGAIN_AFTER_MS);
  assert(asked >= 1 && asked <= dueMax, `asked ${asked} times: each vain question costs a node's time limit`);
  assertEquals(rowLocked, [1, 1, 1]);
  const since = lanes.fallback.sinceMs;
  assert(since !== undefined && Math.abs(Date.now() - since) < 60_000);
  assertEquals(lanes.fallback.batches, 3);

  quorum = true;
  const before = asked;
  await eventually(async () => {
    assertEquals((await lanes.apply(sell(crypto.randomUUID(), [1, 1]), NEVER)).ok, true);
    return lanes.fallback.sinceMs === undefined;
  }, `after ${ASK_AGAIN_AFTER_MS} ms the nodes are asked, and leases are used again`);
  assertEquals(asked, before + 1);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("without a quorum orders are refused where that is asked for, and nothing is written", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes({
    lock: { acquire: () => Promise.reject(new QuorumLostError("away")) },
    limits: { lockWaitMsMax: 1000, lockAttemptMsMax: 1 },
  });
  const failure = await assertRejects(() => lanes.apply(sell("a", [1, 1]), NEVER), Failure);
  assertEquals(failure.kind, "no_quorum");
  assertEquals(lanes.fallback, { sinceMs: undefined, batches: 0 });
  assertEquals(await on.onHand(1), 10);
});

Deno.test("one goods that another process has is asked for again once it seems to be free; several, and none by chance, are not looked at", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(set("many", 1, 1000), NEVER);
  await on.lanes().apply(set("more", 2, 1000), NEVER);
  const rows: readonly (readonly [error: Error, times: number, looks: number])[] = [
    [new LeaseTakenError("taken", [1]), 1, 1],
    // Somebody else saw it free as well: behind such an attempt nobody looks, or they would meet again and again.
    [new LeaseTakenError("taken", [1]), 2, 1],
    [new LeaseTakenError("taken", [1]), 3, 2],
    [new LeaseTakenError("taken", [1, 2]), 1, 0],
    [new QuorumLostError("away"), 1, 0],
  ];
  for (const [error, times, expected] of rows) {
    const seen = { asked: 0, looks: 0 };
    const lanes = on.lanes({
      lock: {
        acquire: (goodsIds) => seen.asked++ < times ? Promise.reject(error) : grantAllLock().acquire(goodsIds),
        seemsFree: () => Promise.resolve(++seen.looks > 0),
      },
    });
    const verdict = await lanes.apply(sell(crypto.randomUUID(), [1, 1], [2, 1]), NEVER);
    assertEquals([verdict.ok, seen], [true, { asked: times + 1, looks: expected }], error.message);
  }
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("goods that others have are waited for also where the loss of the quorum stops nobody", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes({
    quorumLoss: "row",
    lock: { acquire: (goodsIds) => Promise.reject(new LeaseTakenError("taken", goodsIds)) },
    limits: { lockWaitMsMax: 1000, lockAttemptMsMax: 1 },
  });
  const failure = await assertRejects(() => lanes.apply(sell("a", [1, 1]), NEVER), Failure);
  assertEquals(failure.kind, "busy");
  assertEquals(lanes.fallback.batches, 0);
  assertEquals(await on.onHand(1), 10);
});

Deno.test("no caller waits longer than the lock wait: an attempt that could not end within it is not begun", async () => {
  await using on = await lanesBench();
  const askedMs: number[] = [];
  const lanes = on.lanes({
    lock: {
      acquire(goodsIds) {
        askedMs.push(performance.now());
        return Promise.reject(new LeaseTakenError("taken", goodsIds));
      },
    },
    limits: { lockWaitMsMax: 2000, lockAttemptMsMax: 1700 },
  });
  await assertRejects(() => lanes.apply(sell("a", [1, 1]), NEVER), Failure);
  // 300 ms by the rule, the rest is for a machine that is busy.
  assertLess(askedMs.at(-1)! - askedMs[0]!, 1200);
});

Deno.test("who stands behind goods whose wait is over ends with them, not one batch after the other", async () => {
  await using on = await lanesBench();
  let asked = 0;
  let askedBeforeEnd: number | undefined;
  const lanes = on.lanes({
    lock: { acquire: (goodsIds) => (asked++, Promise.reject(new LeaseTakenError("taken", goodsIds))) },
    limits: { operationsMax: 10_000, lockWaitMsMax: 300, lockAttemptMsMax: 1 },
  });
  const orders = Array.from({ length: 8000 }, (_, i) => lanes.apply(sell(`o-${i}`, [1, 1]), NEVER));
  const kinds = await Promise.all(orders.map(async (order) => {
    const failure = await assertRejects(() => order, Failure);
    askedBeforeEnd ??= asked;
    return failure.kind;
  }));
  assertEquals(kinds.filter((kind) => kind === "busy").length, orders.length);
  assertLess(asked - (askedBeforeEnd ?? 0), 3);
  assertEquals([lanes.waiting, await on.onHand(1)], [0, 10]);
});

Deno.test("the time in lanes of our own is no part of the lock wait", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(set("two", 2, 10), NEVER);
  const reached = Promise.withResolvers<void>();
  const latch = Promise.withResolvers<void>();
  let refusals = 3;
  const lockWaitMsMax = 1500;
  const lanes = on.lanes({
    lock: {
      acquire(goodsIds) {
        if (!goodsIds.includes(2) || refusals-- <= 0) return grantAllLock().acquire(goodsIds);
        return Promise.reject(new LeaseTakenError("taken", [2]));
      },
    },
    store: {
      async writeChanges(changes, signal) {
        reached.resolve();
        await latch.promise;
        await on.store.writeChanges(changes, signal);
      },
    },
    limits: { lockWaitMsMax, lockAttemptMsMax: 1 },
  });
  const slow = lanes.apply(sell("slow", [1, 1]), NEVER);
  await reached.promise;
  const behind = lanes.apply(sell("behind", [1, 1], [2, 1]), NEVER);
  setTimeout(() => latch.resolve(), lockWaitMsMax + 50);
  assertEquals([(await slow).ok, (await behind).ok], [true, true]);
  assertEquals([refusals < 0, await on.onHand(1), await on.onHand(2)], [true, 8, 9]);
});

Deno.test("a lease with too little left is extended before the write", async () => {
  await using on = await lanesBench();
  let leftMs = LANES_LIMITS.writeMsMax - 1;
  let extended = 0;
  const lease: Partial<Lease> = {
    remainingMs: () => leftMs,
    extend() {
      extended++;
      leftMs = 5000;
      return Promise.resolve();
    },
  };
  const lanes = lanesWith(on, lease);
  assertEquals((await lanes.apply(sell("a", [1, 1]), NEVER)).ok, true);
  assertEquals(extended, 1);
});

Deno.test("a lease that can't be extended is released, nothing is written under it, and the order goes on under the next", async () => {
  await using on = await lanesBench();
  let leases = 0;
  let released = 0;
  const lanes = lanesWith(on, {}, () => {
    const isFirst = leases++ === 0;
    return {
      remainingMs: () => isFirst ? 1 : 5000,
      extend: () => Promise.reject(new LeaseLostError("somebody else's")),
      release: () => Promise.resolve(void (isFirst && released++)),
    };
  });
  assertEquals((await lanes.apply(sell("a", [1, 1]), NEVER)).ok, true);
  assertEquals([leases, released], [2, 1]);
  assertEquals(await on.onHand(1), 9);
});

Deno.test("who finds out after its write that the lease had run out says so", async () => {
  await using on = await lanesBench();
  const said: string[] = [];
  const log: Log = { ...SILENT, warn: (_fields, message) => void said.push(message) };
  let leftMs = 5000;
  const store = {
    ...on.store,
    async writeChanges(...args: Parameters<typeof on.store.writeChanges>) {
      // As if the process had stood still for longer than that.
      leftMs = -1;
      await on.store.writeChanges(...args);
    },
  };
  const lock = {
    ...grantAllLock(),
    acquire: async () => ({ ...await grantAllLock().acquire([]), remainingMs: () => leftMs }),
  };
  const mode: Mode = { concurrency: "redlock", quorumLoss: "refuse", lock };
  const lanes = new Lanes({ store, mode, random: () => 0.5, log }, LANES_LIMITS);
  assertEquals((await lanes.apply(sell("a", [1, 1]), NEVER)).ok, true);
  assertEquals(said, ["a lease ran out under its write; the ledger's fence has decided"]);
  await lanes.close();
});

Deno.test("processes in different modes beside each other sell what there is, once", async () => {
  await using on = await lanesBench();
  const modes: Mode[] = [
    { concurrency: "row" },
    { concurrency: "optimistic" },
    { concurrency: "redlock", quorumLoss: "refuse", lock: grantAllLock() },
  ];
  const parts = { store: on.store, random: Math.random, log: SILENT };
  const processes = modes.map((mode) => new Lanes({ ...parts, mode }, { ...LANES_LIMITS, batchesMax: 1 }));
  const orders = Array.from({ length: 60 }, (_, i) => sell(`o-${i}`, [1, 1]));
  const verdicts = await Promise.all(orders.map((order, i) => processes[i % modes.length]!.apply(order, NEVER)));
  assertEquals(verdicts.filter(({ ok }) => ok).length, 10);
  assertEquals(await on.onHand(1), 0);
  assertEquals(await checkLedger(on.ownerUrl), []);
  await Promise.all(processes.map((lanes) => lanes.close()));
});

/** Lanes whose lock hands out leases that are changed so. */
function lanesWith(on: LanesBench, changes: Partial<Lease>, next: () => Partial<Lease> = () => changes): Lanes {
  return on.lanes({
    lock: { acquire: async (goodsIds) => ({ ...await grantAllLock().acquire(goodsIds), ...next() }) },
  });
}
