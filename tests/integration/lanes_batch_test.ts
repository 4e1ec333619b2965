/** Many operations at once through the lanes, on a real database: who goes with whom, who waits for whom, and who fails. */
import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { Level, Operation, Verdict } from "../../src/inventory/model.ts";
import { Failure } from "../../src/lanes/failure.ts";
import type { Lanes } from "../../src/lanes/lanes.ts";
import { FenceLostError, OutcomeUnknownError, StatementTimeoutError } from "../../src/store/errors.ts";
import { sell, set } from "../support/apply.ts";
import { holdRow } from "../support/holding.ts";
import { type LanesBench, lanesBench } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { anyOperation } from "../support/operations.ts";
import { Oracle, outcomeOf } from "../support/oracle.ts";
import { NEVER } from "../support/pool_probe.ts";
import { grantAllLock } from "../support/unguarded.ts";

const RUNS = 150;

/** Stocks goods 1 to `count` with `num` each. */
async function stock(on: LanesBench, count: number, num: number): Promise<void> {
  const sets = Array.from({ length: count }, (_, i) => set(`stock-${i + 1}`, i + 1, num));
  for (const outcome of await on.lanes().applyAll(sets, NEVER)) assertEquals(outcome.status, "fulfilled");
}

/** A door that what goes through it waits at, once it is shut. */
function door() {
  let shut = Promise.withResolvers<void>();
  shut.resolve();
  let arrived = Promise.withResolvers<void>();
  return {
    shut() {
      shut = Promise.withResolvers<void>();
      arrived = Promise.withResolvers<void>();
    },
    open: () => shut.resolve(),
    /** Resolves when somebody waits at it. */
    arrived: () => arrived.promise,
    async pass() {
      arrived.resolve();
      await shut.promise;
    },
  };
}

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
      readBook: (...args) => (calls.reads++, on.store.readBook(...args)),
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
  assertEquals(verdicts.map((verdict) => verdict.ok), Array.from({ length: 100 }, (_, i) => i < 60), "in their order");
  assertEquals([await on.onHand(1), await on.onHand(2)], [0, 30]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("applyAll answers a batch as one-at-a-time processing in its order would", async () => {
  await using on = await lanesBench();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyOperation, { minLength: 1, maxLength: 12 }), { maxLength: 3 }),
      async (batches) => {
        const oracle = new Oracle();
        // Each run has goods, orders and ids of its own.
        const place = ++run;
        for (const batch of batches.map((batch) => batch.map((operation) => moved(operation, place)))) {
          // Lanes of its own, so that all of it goes at once: goods of the batch before would be busy for a moment.
          const outcomes = await on.lanes().applyAll(batch, NEVER);
          const verdicts = outcomes.map((outcome) => {
            assert(outcome.status === "fulfilled", `${outcome.status === "rejected" && outcome.reason}`);
            return outcomeOf(outcome.value);
          });
          assertEquals(verdicts, batch.map((operation) => oracle.apply(operation)));
        }
      },
    ),
    { numRuns: RUNS },
  );
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("an order waits for nothing it does not need: other goods go by, its own goods' batch is all it waits for", async () => {
  await using on = await lanesBench();
  await stock(on, 3, 100);
  const gate = door();
  const waiting = new Set<number>();
  const lanes = on.lanes({
    store: {
      writeChanges: async (changes, signal) => {
        if (changes.movements.some((movement) => movement.goodsId === 1)) await gate.pass();
        await on.store.writeChanges(changes, signal);
      },
    },
  });
  gate.shut();
  const slow = lanes.apply(sell("slow", [1, 1]), NEVER);
  await gate.arrived();
  const behind = lanes.apply(sell("behind", [1, 1]), NEVER).then(() => waiting.delete(1));
  const across = lanes.apply(sell("across", [1, 1], [2, 1]), NEVER).then(() => waiting.delete(2));
  waiting.add(1).add(2);
  assertEquals((await lanes.apply(sell("by", [3, 1]), NEVER)).ok, true);
  assertEquals([...waiting], [1, 2], "what wants the same goods waits");
  gate.open();
  await Promise.all([slow, behind, across]);
  assertEquals([await on.onHand(1), await on.onHand(2), await on.onHand(3)], [97, 99, 99]);
});

Deno.test("a 10-line order among 500 callers of its goods gets its turn within a few batches", async () => {
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

Deno.test("orders of several goods, crossing each other in all ways, all get through", async () => {
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

Deno.test("a batch that fails for one order's sake goes on without it", async () => {
  await using on = await lanesBench();
  await stock(on, 1, 1000);
  for (
    const [fault, expected] of [
      [new FenceLostError("always"), Failure],
      [new TypeError("a fault of the program"), TypeError],
    ] as const
  ) {
    const lanes = on.lanes({
      store: {
        writeChanges: (changes, signal) =>
          changes.orders.some(({ after }) => after.orderId.includes("poison"))
            ? Promise.reject(fault)
            : on.store.writeChanges(changes, signal),
      },
    });
    const orders = Array.from({ length: 40 }, (_, i) => sell(`${expected.name}-${i === 23 ? "poison" : i}`, [1, 1]));
    const before = await on.onHand(1) ?? 0;
    const outcomes = await lanes.applyAll(orders, NEVER);
    const failed = outcomes.flatMap((outcome, i) => outcome.status === "rejected" ? [[i, outcome.reason]] : []);
    assertEquals(failed.map(([i]) => i), [23]);
    assertInstanceOf(failed[0]?.[1], expected);
    assertEquals(await on.onHand(1), before - 39);
  }
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("a batch that takes too long for one statement goes on in halves", async () => {
  await using on = await lanesBench();
  await stock(on, 1, 100);
  let refused = 0;
  const lanes = on.lanes({
    store: {
      writeChanges: (changes, signal) => {
        if (changes.movements.length <= 10) return on.store.writeChanges(changes, signal);
        refused++;
        return Promise.reject(new StatementTimeoutError("57014"));
      },
    },
  });
  const outcomes = await lanes.applyAll(Array.from({ length: 40 }, (_, i) => sell(`o-${i}`, [1, 1])), NEVER);
  assertEquals(outcomes.filter(({ status }) => status === "fulfilled").length, 40);
  assertEquals([refused, await on.onHand(1)], [3, 60]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("a row that a foreign session has locked stops those who need it, and nobody else", async () => {
  await using on = await lanesBench();
  await stock(on, 20, 100);
  const tried = { looks: 0, writes: 0 };
  const enough = Promise.withResolvers<void>();
  const lanes = on.lanes({
    store: {
      writeChanges: (changes, signal) => {
        if (changes.movements.some((movement) => movement.goodsId === 7)) tried.writes++;
        return on.store.writeChanges(changes, signal);
      },
      readLocked: (...args) => {
        if (++tried.looks === 5) enough.resolve();
        return on.store.readLocked(...args);
      },
    },
  });
  const orders = Array.from({ length: 20 }, (_, i) => sell(`first-${i + 1}`, [i + 1, 1]));
  {
    await using row = await holdRow(on.ownerUrl, 7);
    const waiting = new Set(orders.map((_, i) => i + 1));
    const sold = orders.map((order, i) => lanes.apply(order, NEVER).then(() => void waiting.delete(i + 1)));
    await Promise.all(sold.filter((_, i) => i !== 6));
    assertEquals([...waiting], [7]);
    // From now on it is only looked at, so nobody waits on a connection, and whoever comes now is as quick as ever.
    await enough.promise;
    assertEquals(tried.writes, 1);
    assertEquals((await lanes.apply(sell("second", [8, 1]), NEVER)).ok, true);
    await row.release();
    await Promise.all(sold);
  }
  {
    await using _row = await holdRow(on.ownerUrl, 7);
    const impatient = on.lanes({ limits: { lockWaitMsMax: 600 } });
    const [locked, free] = await impatient.applyAll([sell("third", [7, 1]), sell("fourth", [8, 1])], NEVER);
    assertEquals(free?.status, "fulfilled");
    assert(locked?.status === "rejected" && locked.reason instanceof Failure);
    assertEquals(locked.reason.kind, "busy");
  }
  assertEquals([await on.onHand(7), await on.onHand(8)], [99, 97]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

for (const committed of [true, false]) {
  Deno.test(`a batch whose connection is lost ${committed ? "after" : "before"} its commit is answered with the truth`, async () => {
    await using on = await lanesBench();
    await stock(on, 2, 10);
    let losses = 0;
    const lanes = on.lanes({
      store: {
        writeChanges: async (changes, signal) => {
          if (losses++ > 0) return await on.store.writeChanges(changes, signal);
          if (committed) await on.store.writeChanges(changes, signal);
          throw new OutcomeUnknownError("the connection is gone");
        },
      },
    });
    const batch: Operation[] = [
      ...Array.from({ length: 12 }, (_, i) => sell(`o-${i}`, [1, 1])),
      set("to five", 2, 5),
      sell("o-3", [1, 1]),
      sell("o-3", [2, 1]),
    ];
    const outcomes = await lanes.applyAll(batch, NEVER);
    const verdicts = outcomes.map((outcome) =>
      outcome.status === "fulfilled" ? outcomeOf(outcome.value) : outcome.reason
    );
    assertEquals(verdicts.slice(0, 10), Array(10).fill({ ok: "sell", took: { 1: 1 } }));
    assertEquals(verdicts.slice(10, 12), Array(2).fill({ no: "short_stock", lines: [[1, 1, 0]] }));
    assertEquals(verdicts.slice(12), [
      { ok: "set", goods: 2, available: 5 },
      { ok: "sell", took: { 1: 1 } },
      { no: "content_differs", id: "o-3" },
    ]);
    assertEquals([await on.onHand(1), await on.onHand(2)], [0, 5]);
    assertEquals(await checkLedger(on.ownerUrl), []);
  });
}

Deno.test("what does not fit into the queue is refused at once, and who leaves it makes room and leaves no trace", async () => {
  await using on = await lanesBench();
  await stock(on, 1, 100);
  const gate = door();
  const lanes = on.lanes({
    limits: { operationsMax: 5 },
    store: {
      writeChanges: async (changes, signal) => {
        await gate.pass();
        await on.store.writeChanges(changes, signal);
      },
    },
  });
  gate.shut();
  const first = lanes.apply(sell("first", [1, 1]), NEVER);
  await gate.arrived();
  const caller = new AbortController();
  const waiting = lanes.applyAll([1, 2, 3, 4, 5].map((i) => sell(`waits-${i}`, [1, 1])), caller.signal);
  const error = await assertRejects(() => lanes.apply(sell("too many", [1, 1]), NEVER), Failure);
  assertEquals(error.kind, "queue_full");
  assertEquals(lanes.waiting, 4);
  caller.abort(new Error("the caller has gone"));
  const outcomes = await waiting;
  assertEquals(lanes.waiting, 0);
  const reasons = outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason);
  assertEquals(reasons.slice(0, 4), Array(4).fill(caller.signal.reason));
  assertInstanceOf(reasons[4], Failure);
  const later = lanes.apply(sell("there is room", [1, 1]), NEVER);
  gate.open();
  assertEquals([(await first).ok, (await later).ok], [true, true]);
  assertEquals(await on.onHand(1), 98);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

Deno.test("levels asked for together are read by one statement, and never one from before the question", async () => {
  await using on = await lanesBench();
  await stock(on, 100, 5);
  let reads = 0;
  const lanes: Lanes = on.lanes({
    store: { readLevels: (...args) => (reads++, on.store.readLevels(...args)) },
  });
  const levels = await Promise.all(Array.from({ length: 300 }, (_, i) => levelOf(lanes, 1 + i % 101)));
  assertEquals(
    levels.map((level) => level?.onHand),
    Array.from({ length: 300 }, (_, i) => i % 101 < 100 ? 5 : undefined),
  );
  assertEquals(reads, 1);
  const [seen] = await Promise.all([
    Promise.all(Array.from({ length: 50 }, async (_, i) => {
      await lanes.apply(sell(`s-${i}`, [1 + i, 1]), NEVER);
      return (await levelOf(lanes, 1 + i))?.onHand;
    })),
    Promise.all(Array.from({ length: 50 }, (_, i) => levelOf(lanes, 1 + i))),
  ]);
  assertEquals(seen, Array(50).fill(4));
  assertLess(reads, 60);
});

async function levelOf(lanes: Lanes, goodsId: number): Promise<Level | undefined> {
  return (await lanes.levels([goodsId], NEVER)).get(goodsId);
}

Deno.test("what callers wait for to be read is counted for each of them, and lines of orders are counted too", async () => {
  await using on = await lanesBench();
  await stock(on, 10, 100);
  const gate = door();
  const lanes = on.lanes({
    limits: { operationsMax: 15, linesMax: 12 },
    store: {
      readLevels: async (...args) => {
        await gate.pass();
        return await on.store.readLevels(...args);
      },
      writeChanges: async (...args) => {
        await gate.pass();
        await on.store.writeChanges(...args);
      },
    },
  });
  const goods = Array.from({ length: 10 }, (_, i) => i + 1);
  const lines = goods.map((goodsId): [number, number] => [goodsId, 1]);
  gate.shut();
  const reading = lanes.levels(goods, NEVER);
  const full = await assertRejects(() => lanes.levels(goods, NEVER), Failure);
  assertEquals(full.kind, "queue_full");
  const first = lanes.apply(sell("ten lines", ...lines), NEVER);
  const second = await assertRejects(() => lanes.apply(sell("ten more", ...lines), NEVER), Failure);
  assertEquals(second.kind, "queue_full");
  gate.open();
  assertEquals([(await reading).size, (await first).ok], [10, true]);
  assertEquals((await lanes.apply(sell("there is room", ...lines), NEVER)).ok, true);
  assertEquals((await lanes.levels(goods, NEVER)).get(10)?.onHand, 98);
  // An order that nobody is beside goes whatever its lines, so two tell whether those of the others were given back.
  gate.shut();
  const beside = [sell("one line", [1, 1]), sell("ten beside it", ...lines)].map((order) => lanes.apply(order, NEVER));
  gate.open();
  assertEquals((await Promise.all(beside)).map(({ ok }) => ok), [true, true]);
});

/** The operation on goods, orders and ids of a run of its own. */
function moved(operation: Operation, run: number): Operation {
  const goods = (goodsId: number) => goodsId + run * 10;
  switch (operation.kind) {
    case "set":
      return { ...operation, operationId: `${run}.${operation.operationId}`, goodsId: goods(operation.goodsId) };
    case "sell":
      return { ...operation, orderId: `${run}.${operation.orderId}`, lines: linesOf(operation, goods) };
    case "give_back":
      return { ...operation, operationId: `${run}.${operation.operationId}`, lines: linesOf(operation, goods) };
    case "rollback": {
      const rollbackId = operation.rollbackId === undefined ? undefined : `${run}.${operation.rollbackId}`;
      return { ...operation, rollbackId, orderId: `${run}.${operation.orderId}`, lines: linesOf(operation, goods) };
    }
  }
}

function linesOf(
  { lines }: { readonly lines: readonly { goodsId: number; num: number }[] },
  goods: (id: number) => number,
) {
  return lines.map(({ goodsId, num }) => ({ goodsId: goods(goodsId), num }));
}
