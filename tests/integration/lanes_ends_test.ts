/**
 * How operations end when others leave, fail or never come to an end: nobody waits for them, nobody carries their
 * fault.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertInstanceOf, assertRejects } from "@std/assert";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { LANES_CLOSE_MS_MAX } from "../../src/lanes/lanes.ts";
import { ConflictError, FenceLostError, OutcomeUnknownError, RowLockedError } from "../../src/store/errors.ts";
import { sell, set } from "../support/apply.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { ownerOf } from "../support/database.ts";
import { NEVER } from "../support/pool_probe.ts";
import { grantAllLock } from "../support/unguarded.ts";

const NO_LINES: [] = [];

function rollback(orderId: string): Operation {
  return { kind: "rollback", rollbackId: undefined, orderId, lines: NO_LINES };
}

inEveryMode("who stood behind a caller that leaves goes at once", async () => {
  await using on = await lanesBench();
  await on.lanes().applyAll([set("a", 1, 100), set("b", 2, 100)], NEVER);
  const latch = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const lanes = on.lanes({
    store: {
      writeChanges: async (changes, signal) => {
        if (changes.movements.some((movement) => movement.goodsId === 1)) {
          reached.resolve();
          await latch.promise;
        }
        await on.store.writeChanges(changes, signal);
      },
    },
  });
  const slow = lanes.apply(sell("slow", [1, 1]), NEVER);
  await reached.promise;
  const caller = new AbortController();
  const wide = lanes.apply(sell("wide", [1, 1], [2, 1]), caller.signal);
  const behind = lanes.apply(sell("behind", [2, 1]), NEVER);
  caller.abort(new Error("gone"));
  await assertRejects(() => wide, Error, "gone");
  // It would wait for the slow batch, which ends only after it.
  assertEquals((await behind).ok, true);
  latch.resolve();
  assertEquals((await slow).ok, true);
});

inEveryMode("rollbacks of unknown orders, however many, do not keep sales from their turn", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(set("a", 1, 1000), NEVER);
  const lanes = on.lanes({ limits: { operationsMax: 10_000, batchesMax: 1 } });
  let done = false;
  let count = 0;
  const flood = Array.from({ length: 3 }, async () => {
    while (!done) await lanes.applyAll(Array.from({ length: 700 }, () => rollback(`unknown-${count++}`)), NEVER);
  });
  for (let i = 0; i < 5; i++) {
    assertEquals((await lanes.apply(sell(`s-${i}`, [1, 1]), NEVER)).ok, true);
  }
  done = true;
  await Promise.all(flood);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode(
  "a look at row locks that loses its connection is done again, and makes nobody believe that he may have sold",
  async () => {
    for (const lostLooks of [1, 100]) {
      await using on = await lanesBench();
      let looks = 0;
      let refused = 0;
      const lanes = on.lanes({
        store: {
          writeChanges: (...args) =>
            refused++ === 0 ? Promise.reject(new RowLockedError("55P03")) : on.store.writeChanges(...args),
          readLocked: (...args) =>
            looks++ < lostLooks ? Promise.reject(new OutcomeUnknownError("gone")) : on.store.readLocked(...args),
        },
      });
      const results = await lanes.applyAll([sell("a", [1, 1]), sell("b", [1, 1])], NEVER);
      const ends = results.map((result) => result.status === "rejected" ? result.reason.kind : "answered");
      assertEquals(ends, Array(2).fill(lostLooks === 1 ? "answered" : "database"));
      assertEquals(await on.onHand(1), lostLooks === 1 ? 8 : 10);
    }
  },
);

inEveryMode("an order that can't be read fails its own rollback only", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes({
    limits: { operationsMax: 5000 },
    store: {
      readSnapshot: (keys, signal) =>
        keys.stockKeys.length === 0 && keys.orderIds.includes("o-1100")
          ? Promise.reject(new TypeError("a fault"))
          : on.store.readSnapshot(keys, signal),
    },
  });
  const rollbacks = Array.from({ length: 1200 }, (_, i) => rollback(`o-${i}`));
  const giveBack: Operation = { kind: "give_back", operationId: "g", lines: [{ goodsId: 1, locationId: 0, num: 1 }] };
  const results = await lanes.applyAll([...rollbacks, giveBack], NEVER);
  const failed = results.flatMap((result, i) => result.status === "rejected" ? [i] : []);
  assert(failed.includes(1100) && failed.length <= 200, `${failed.length} failed`);
  assertEquals([results[0]?.status, results.at(-1)?.status], ["fulfilled", "fulfilled"]);
});

inEveryMode("more faulty orders than there is time for make nobody else faulty", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(set("a", 1, 1000), NEVER);
  const isFaulty = (orderId: string) => Number(orderId.slice(2)) % 5 === 0;
  const lanes = on.lanes({
    limits: { lockWaitMsMax: 400 },
    store: {
      writeChanges: async (changes, signal) => {
        // Slow, so that the time of the batch is over before all of them are found.
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (changes.orders.some(({ after }) => isFaulty(after.orderId))) throw new TypeError("a fault");
        await on.store.writeChanges(changes, signal);
      },
    },
  });
  const orders = Array.from({ length: 100 }, (_, i) => sell(`o-${i}`, [1, 1]));
  const results = await lanes.applyAll(orders, NEVER);
  let sold = 0;
  results.forEach((result, i) => {
    if (result.status === "fulfilled") sold++;
    else if (!isFaulty(`o-${i}`)) {
      assertInstanceOf(result.reason, Failure);
      assertEquals(result.reason.kind, "busy");
    }
  });
  assertEquals(await on.onHand(1), 1000 - sold);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("close waits for every operation under way, refuses new ones, and releases every lease", async () => {
  await using on = await lanesBench();
  await on.lanes().apply(sell("o", [1, 3]), NEVER);
  let owned = 0;
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const lanes = on.lanes({
    lock: {
      acquire: (goodsIds) => {
        owned++;
        return grantAllLock().acquire(goodsIds).then((lease) => ({
          ...lease,
          extend: () => Promise.resolve(),
          release: () => Promise.resolve(void owned--),
        }));
      },
    },
    store: {
      readSnapshot: async (keys, signal) => {
        asked.resolve();
        await answer.promise;
        return await on.store.readSnapshot(keys, signal);
      },
    },
  });
  const rolledBack = lanes.apply(rollback("o"), NEVER);
  await asked.promise;
  let ended = false;
  const closed = lanes.close().then(() => assert(ended, "it closed before the operation had ended"));
  const late = await assertRejects(() => lanes.apply(sell("late", [1, 1]), NEVER), Failure);
  assertEquals(late.kind, "database");
  answer.resolve();
  assertEquals((await rolledBack.finally(() => ended = true)).ok, true);
  await closed;
  assertEquals([owned, await on.onHand(1)], [0, 10]);
});

Deno.test("close waits for a batch for a bounded time, and then releases its leases all the same", async () => {
  await using on = await lanesBench();
  let owned = 0;
  const writing = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const lanes = on.lanes({
    lock: {
      acquire: async (goodsIds) => {
        const lease = await grantAllLock().acquire(goodsIds);
        owned++;
        return { ...lease, release: () => Promise.resolve(void owned--) };
      },
    },
    store: {
      writeChanges: async (...args) => {
        await on.store.writeChanges(...args);
        writing.resolve();
        // The answer comes when nobody waits for it any more.
        await goOn.promise;
      },
    },
  });
  const sold = lanes.apply(sell("slow", [1, 1]), NEVER);
  await writing.promise;
  assertEquals(owned, 1);
  const askedMs = performance.now();
  await lanes.close();
  assertGreaterOrEqual(performance.now() - askedMs, LANES_CLOSE_MS_MAX - 1);
  assertEquals(owned, 0);
  goOn.resolve();
  assertEquals([(await sold).ok, await on.onHand(1)], [true, 9]);
});

inEveryMode("who leaves while a write that failed goes again leaves no trace", async () => {
  await using on = await lanesBench();
  const caller = new AbortController();
  let tries = 0;
  const lanes = on.lanes({
    store: {
      writeChanges: (...args) => {
        if (tries++ > 0) return on.store.writeChanges(...args);
        caller.abort(new Error("gone"));
        return Promise.reject(new ConflictError("40001"));
      },
    },
  });
  const leaves = lanes.apply(sell("leaves", [1, 1]), caller.signal);
  const stays = lanes.apply(sell("stays", [1, 2]), NEVER);
  await assertRejects(() => leaves, Error, "gone");
  assertEquals((await stays).ok, true);
  assertEquals([tries, await on.onHand(1)], [2, 8]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

for (const table of ["orders", "operations"] as const) {
  inEveryMode(
    `a row of ${table} that a foreign session has locked stops its own rollback, and nobody else`,
    async () => {
      await using on = await lanesBench();
      const orders = Array.from({ length: 100 }, (_, i) => `o-${i}`);
      await on.lanes().applyAll([set("s", 1, 1000), ...orders.map((orderId) => sell(orderId, [1, 1]))], NEVER);
      await using owner = ownerOf(on.ownerUrl);
      let writes = 0;
      const lanes = on.lanes({ store: { writeChanges: (...args) => (writes++, on.store.writeChanges(...args)) } });
      const locking = table === "orders"
        // As a forgotten psql does.
        ? owner.sql`select 1 from orders where order_id = 'o-37' for update`
        // As a write of another process whose commit stands still: no look finds it.
        : owner.sql`insert into operations (operation_id, kind, order_id, goods_ids, nums)
                  values ('whole~o-37', 'rollback_whole', 'o-37', '{1}', '{1}')`;
      await owner.sql`begin`;
      await locking;
      const [results, other] = await Promise.all([
        lanes.applyAll(orders.map(rollback), NEVER),
        lanes.apply(set("other", 2, 1), NEVER),
      ]);
      const failed = results.flatMap((result, i) => result.status === "rejected" ? [[i, result.reason.kind]] : []);
      assertEquals(failed, [[37, "busy"]]);
      assertEquals(other.ok, true);
      // A look finds an order: all wait once, and go on without it. What is not committed no look finds: all, its
      // piece, it alone, and the pieces and orders that went by.
      assert(writes <= (table === "orders" ? 3 : 30), `${writes} writes`);
      const writesBefore = writes;
      const again = await lanes.apply(rollback("o-37"), NEVER).catch((error) => error);
      assertEquals(again.kind, "busy");
      // Sent again it is looked at first, and delays nobody: its goods are not locked meanwhile.
      if (table === "orders") assertEquals(writes, writesBefore);
      await owner.sql`rollback`;
      assertEquals((await lanes.apply(rollback("o-37"), NEVER)).ok, true);
      assertEquals(await on.onHand(1), 1000);
      assertEquals(await checkLedger(on.ownerUrl), []);
    },
  );
}

inEveryMode("a fence that is lost again and again to somebody else ends as busy, and nothing was written", async () => {
  await using on = await lanesBench();
  const lanes = on.lanes({ store: { writeChanges: () => Promise.reject(new FenceLostError("always")) } });
  const results = await lanes.applyAll([sell("a", [1, 1]), sell("b", [1, 1])], NEVER);
  for (const result of results) assertEquals(result.status === "rejected" && result.reason.kind, "busy");
  assertEquals(await on.onHand(1), 10);
});
