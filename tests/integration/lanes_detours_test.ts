/** When batches go by row locks although that is not their mode, and what is logged of it. */
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { Failure } from "../../src/lanes/failure.ts";
import { LeaseTakenError, QuorumLostError } from "../../src/lock/lock.ts";
import { FenceLostError } from "../../src/store/errors.ts";
import { sell, set } from "../support/apply.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { grantAllLock } from "../support/unguarded.ts";
import { SILENT } from "../support/silent_log.ts";

Deno.test("an order of several goods that are never free at once goes by row locks after some refusals", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(set("two", 2, 10), NEVER);
  let asked = 0;
  const rowLocked: StockKey[][] = [];
  const logged: Record<string, unknown>[] = [];
  const lanes = on.lanes({
    log: { ...SILENT, info: (fields) => void logged.push(fields) },
    lock: {
      acquire(goodsIds) {
        asked++;
        if (goodsIds.length === 1) return grantAllLock().acquire(goodsIds);
        return Promise.reject(new LeaseTakenError("taken", [1 + asked % 2]));
      },
    },
    store: {
      changeUnderRowLocks(keys, decide, signal) {
        rowLocked.push([...keys.stockKeys]);
        return on.store.changeUnderRowLocks(keys, decide, signal);
      },
    },
  });
  assertEquals((await lanes.apply(sell("both", [1, 1], [2, 1]), NEVER)).ok, true);
  assertEquals([asked, rowLocked], [9, [[1, 2]]]);
  assertEquals((await lanes.apply(sell("one", [1, 1]), NEVER)).ok, true);
  assertEquals([await on.onHand(1), await on.onHand(2), rowLocked.length], [8, 9, 1]);
  assertEquals(logged, [{ severalGoods: 1, failedAttempts: 0 }]);
});

Deno.test("a batch that failed often enough under its lease goes by row locks, and that is logged once", async () => {
  await using on = await lanesBench();
  let failures = 5;
  const logged: Record<string, unknown>[] = [];
  const lanes = on.lanes({
    log: { ...SILENT, info: (fields) => void logged.push(fields) },
    lock: {},
    store: {
      writeChanges: (...args) =>
        failures-- > 0 ? Promise.reject(new FenceLostError("moved")) : on.store.writeChanges(...args),
    },
  });
  assertEquals((await lanes.apply(sell("a", [1, 1]), NEVER)).ok, true);
  assertEquals([await on.onHand(1), logged], [9, [{ severalGoods: 0, failedAttempts: 1 }]]);
});

Deno.test("who stands behind a goods that is never released needs no refusals of its own before it goes by row locks", async () => {
  await using on = await lanesBench();
  const goods = Array.from({ length: 800 }, (_, i) => i + 1);
  await on.lanes().applyAll(goods.map((goodsId) => set(`set-${goodsId}`, goodsId, 100)), NEVER);
  let asked = 0;
  const lanes = on.lanes({
    lock: { acquire: () => (asked++, Promise.reject(new LeaseTakenError("taken", [1]))) },
    limits: { lockWaitMsMax: 20_000, batchesMax: 1 },
  });
  // Two of them fill a batch.
  const orders = Array.from({ length: 20 }, (_, i) => sell(`o-${i}`, ...goods.map((g): [number, number] => [g, 1])));
  for (const result of await lanes.applyAll(orders, NEVER)) {
    assert(result.status === "fulfilled" && result.value.ok, JSON.stringify(result));
  }
  assertLess(asked, 8 + 10 + 3);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("an order of several goods is refused without a quorum, however long it waited", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(set("two", 2, 10), NEVER);
  let asked = 0;
  const lanes = on.lanes({
    lock: { acquire: () => (asked++, Promise.reject(new QuorumLostError("away"))) },
    limits: { lockWaitMsMax: 2000, lockAttemptMsMax: 1 },
  });
  const failure = await assertRejects(() => lanes.apply(sell("both", [1, 1], [2, 1]), NEVER), Failure);
  assert(asked > 9, "it was asked for often enough");
  assertEquals([failure.kind, await on.onHand(1)], ["no_quorum", 10]);
});
