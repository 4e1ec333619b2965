/**
 * Many operations at once through the lanes, on a real database: who goes with whom, in which sequence, and who waits
 * for whom.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Verdict } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { rollback, sell, set } from "../support/apply.ts";
import { door } from "../support/door.ts";
import { lanesBench, stock } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { anyTimelessOperation } from "../support/operations.ts";
import { Oracle } from "../support/oracle.ts";
import { type SeenVerdict, seenVerdict } from "../support/seen_verdict.ts";
import { NEVER } from "../support/pool_probe.ts";
import { grantAllLock } from "../support/unguarded.ts";
import { inEveryMode } from "../support/test_mode.ts";
import { eventually } from "../support/eventually.ts";

const RUNS = 150;

function ok(verdicts: readonly Verdict[]): number {
  return verdicts.filter((verdict) => verdict.ok).length;
}

Deno.test("operations that come together cost one lease, one read and one write, and get a verdict each", async () => {
  await using on = await lanesBench();
  await stock(on, 2, 60);
  const calls = { leases: 0, reads: 0, writes: 0 };
  const lanes = on.lanes({
    lock: { acquire: (goodsIds) => (calls.leases++, grantAllLock().acquire(goodsIds)) },
    store: {
      readSnapshot: (...args) => (calls.reads++, on.store.readSnapshot(...args)),
      writeChanges: (...args) => (calls.writes++, on.store.writeChanges(...args)),
    },
  });
  const verdicts = await Promise.all(
    Array.from(
      { length: 100 },
      (_, i) => lanes.apply(i % 2 ? sell(`o-${i}`, [1, 1], [2, 1]) : sell(`o-${i}`, [1, 1]), NEVER),
    ),
  );
  assertEquals(calls, { leases: 1, reads: 1, writes: 1 });
  assertEquals(ok(verdicts), 60);
  assertEquals(
    verdicts.map((verdict) => verdict.ok),
    Array.from({ length: 100 }, (_, i) => i < 60),
    "in their sequence",
  );
  assertEquals([await on.onHand(1), await on.onHand(2)], [0, 30]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("who comes while two batches are young goes with the next, and at once where they are old", async () => {
  await using on = await lanesBench();
  await stock(on, 5, 10);
  let nowMs = 0;
  const gate = door();
  const reads: (readonly StockKey[])[] = [];
  const lanes = on.lanes({
    clocks: { monotonicMs: () => nowMs, timeMs: Date.now },
    store: {
      readSnapshot: async (keys, signal) => {
        reads.push(keys.stockKeys);
        await gate.pass();
        return await on.store.readSnapshot(keys, signal);
      },
    },
  });
  gate.shut();
  const sales: Promise<Verdict>[] = [];
  /** Each comes in a turn of its own. */
  const come = async (goodsId: number) => {
    sales.push(lanes.apply(sell(`o-${goodsId}`, [goodsId, 1]), NEVER));
    await nextTurn();
  };
  for (const goodsId of [1, 2, 3, 4]) await come(goodsId);
  await eventually(() => Promise.resolve(reads.length === 2), "two batches are under way");
  assertEquals(lanes.waiting, 2);
  nowMs = 49;
  await come(5);
  assertEquals(lanes.batches, 2);
  // Their time is looked at by itself: nobody else comes.
  nowMs = 50;
  await eventually(() => Promise.resolve(reads.length === 3), "another batch goes beside those that are old");
  assertEquals(reads, [[1], [2], [3, 4, 5]]);
  gate.open();
  assertEquals(ok(await Promise.all(sales)), 5);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("applyAll answers a batch as one-at-a-time processing in its sequence would", async () => {
  await using on = await lanesBench();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyTimelessOperation, { minLength: 1, maxLength: 12 }), { maxLength: 3 }),
      async (batches) => {
        const oracle = new Oracle();
        // Each run has goods, orders and ids of its own.
        const place = ++run;
        for (const batch of batches.map((batch) => batch.map((operation) => moved(operation, place)))) {
          // Lanes of its own, so that all of it goes at once: goods of the batch before would be busy for a moment.
          const results = await on.lanes().applyAll(batch, NEVER);
          const verdicts = results.map((result) => {
            assert(result.status === "fulfilled", `${result.status === "rejected" && result.reason}`);
            return untimed(seenVerdict(result.value));
          });
          assertEquals(verdicts, batch.map((operation) => untimed(oracle.apply(operation, 0))));
        }
      },
    ),
    { numRuns: RUNS },
  );
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("who stands behind an operation whose goods are learnt late is decided behind it", async () => {
  await using on = await lanesBench();
  const operations = [
    sell("x", [1, 10]),
    set("new", 9, 5),
    // Leans on the set, and is the end of the first batch: only then is it known what the rollback moves.
    sell("z", [9, 5]),
    rollback("x", undefined),
    sell("y", [1, 10]),
  ];
  const results = await on.lanes().applyAll(operations, NEVER);
  assertEquals(results.map((result) => result.status === "fulfilled" && result.value.ok), Array(5).fill(true));
  assertEquals([await on.onHand(1), await on.onHand(9)], [0, 0]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode(
  "an order waits for nothing it does not need: other goods go by, its own goods' batch is all it waits for",
  async () => {
    await using on = await lanesBench();
    await stock(on, 3, 100);
    const latch = door();
    const waiting = new Set<number>();
    const lanes = on.lanes({
      store: {
        writeChanges: async (changes, signal) => {
          if (changes.movements.some((movement) => movement.goodsId === 1)) await latch.pass();
          await on.store.writeChanges(changes, signal);
        },
      },
    });
    latch.shut();
    const slow = lanes.apply(sell("slow", [1, 1]), NEVER);
    await latch.arrived();
    const behind = lanes.apply(sell("behind", [1, 1]), NEVER).then(() => waiting.delete(1));
    const across = lanes.apply(sell("across", [1, 1], [2, 1]), NEVER).then(() => waiting.delete(2));
    waiting.add(1).add(2);
    assertEquals((await lanes.apply(sell("by", [3, 1]), NEVER)).ok, true);
    assertEquals([...waiting], [1, 2], "what wants the same goods waits");
    latch.open();
    await Promise.all([slow, behind, across]);
    assertEquals([await on.onHand(1), await on.onHand(2), await on.onHand(3)], [97, 99, 99]);
  },
);

inEveryMode("a 10-line order among 500 callers of its goods gets its turn within a few batches", async () => {
  await using on = await lanesBench();
  const goods = 10;
  await stock(on, goods, 1_000_000);
  let writes = 0;
  const lanes = on.lanes({
    store: { writeChanges: (...args) => (writes++, on.store.writeChanges(...args)) },
  });
  let done = false;
  let sold = 0;
  const callers = Array.from({ length: 500 }, async (_, caller) => {
    for (let i = 0; !done; i++) {
      const verdict = await lanes.apply(sell(`c-${caller}-${i}`, [1 + caller % goods, 1]), NEVER);
      assert(verdict.ok);
      sold++;
    }
  });
  const all = Array.from({ length: goods }, (_, i): [number, number] => [i + 1, 1]);
  const batches: number[] = [];
  for (let i = 0; i < 10; i++) {
    const before = writes;
    assertEquals((await lanes.apply(sell(`wide-${i}`, ...all), NEVER)).ok, true);
    batches.push(writes - before);
  }
  done = true;
  await Promise.all(callers);
  // Those under way when it comes, as many again on the goods that were free first, and its own.
  for (const count of batches) assert(count <= 10, `it waited for ${batches} batches`);
  assert(sold > 0, "the others got on as well");
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("orders of several goods, crossing each other in every manner, all get through", async () => {
  await using on = await lanesBench();
  await stock(on, 5, 1_000_000);
  const lanes = on.lanes();
  const callers = Array.from({ length: 60 }, async (_, caller) => {
    for (let i = 0; i < 20; i++) {
      const goods = [1, 2, 3, 4, 5].filter((goodsId) => (caller * 7 + i * 3 + goodsId * goodsId) % 3 !== 0);
      const verdict = await lanes.apply(sell(`x-${caller}-${i}`, ...goods.map((g): [number, number] => [g, 1])), NEVER);
      assert(verdict.ok);
    }
  });
  await Promise.all(callers);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

/** The verdict without a hold's end, which the database's clock decides. */
function untimed({ until: _, ...seen }: SeenVerdict): SeenVerdict {
  return seen;
}

/** The operation on goods, orders and ids of a run of its own. */
function moved(operation: Operation, run: number): Operation {
  const own = <T extends object>(of: T): T => {
    const its = { ...of } as Record<string, unknown>;
    for (const name of ["orderId", "operationId", "rollbackId"]) if (its[name]) its[name] = `${run}.${its[name]}`;
    if (typeof its.goodsId === "number") its.goodsId += run * 10;
    if (Array.isArray(its.lines)) its.lines = its.lines.map(own);
    return its as T;
  };
  return own(operation);
}
