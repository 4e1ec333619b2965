/** Batches that fail: only those whom the failure is about feel it, and everybody gets the truth. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { FenceLostError, OutcomeUnknownError, StatementTimeoutError } from "../../src/store/errors.ts";
import { sell, set } from "../support/apply.ts";
import { lockRow } from "../support/contention.ts";
import { lanesBench, stock } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { seenAnswer } from "../support/seen_verdict.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";

/** Time for every attempt, however busy the machine is: at the end of it those of the same group fail together. */
const PATIENT = { lockWaitMsMax: 60_000 };

inEveryMode("a batch that fails for one order's sake goes on without it", async () => {
  await using on = await lanesBench();
  await stock(on, 1, 1000);
  for (
    const [fault, expected] of [
      [new FenceLostError("always"), Failure],
      [new TypeError("a fault of the program"), TypeError],
    ] as const
  ) {
    const lanes = on.lanes({
      limits: PATIENT,
      store: {
        writeChanges: (changes, signal) =>
          changes.orders.some(({ after }) => after.orderId.includes("poison"))
            ? Promise.reject(fault)
            : on.store.writeChanges(changes, signal),
      },
    });
    const orders = Array.from({ length: 40 }, (_, i) => sell(`${expected.name}-${i === 23 ? "poison" : i}`, [1, 1]));
    const before = await on.onHand(1) ?? 0;
    const results = await lanes.applyAll(orders, NEVER);
    const failed = results.flatMap((result, i) => result.status === "rejected" ? [[i, result.reason]] : []);
    assertEquals(failed.map(([i]) => i), [23]);
    assertInstanceOf(failed[0]?.[1], expected);
    assertEquals(await on.onHand(1), before - 39);
  }
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("a batch that takes too long for one statement goes on in halves", async () => {
  await using on = await lanesBench();
  await stock(on, 1, 100);
  let refused = 0;
  const lanes = on.lanes({
    limits: PATIENT,
    store: {
      writeChanges: (changes, signal) => {
        if (changes.movements.length <= 10) return on.store.writeChanges(changes, signal);
        refused++;
        return Promise.reject(new StatementTimeoutError("57014"));
      },
    },
  });
  const results = await lanes.applyAll(Array.from({ length: 40 }, (_, i) => sell(`o-${i}`, [1, 1])), NEVER);
  assertEquals(results.filter(({ status }) => status === "fulfilled").length, 40);
  assertEquals([refused, await on.onHand(1)], [3, 60]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("a row that a foreign session has locked stops those who need it, and nobody else", async () => {
  await using on = await lanesBench();
  await stock(on, 20, 100);
  const tried = { looks: 0, writes: 0 };
  const enough = Promise.withResolvers<void>();
  const lanes = on.lanes({
    limits: PATIENT,
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
    await using row = await lockRow(on.ownerUrl, 7);
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
    await using _row = await lockRow(on.ownerUrl, 7);
    const impatient = on.lanes({ limits: { lockWaitMsMax: 3000 } });
    const [locked, free] = await impatient.applyAll([sell("third", [7, 1]), sell("fourth", [8, 1])], NEVER);
    assertEquals(free?.status, "fulfilled");
    assert(locked?.status === "rejected" && locked.reason instanceof Failure);
    assertEquals(locked.reason.kind, "busy");
  }
  assertEquals([await on.onHand(7), await on.onHand(8)], [99, 97]);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

inEveryMode("an order that waits for a locked goods leaves its other goods to those who come", async () => {
  await using on = await lanesBench();
  await stock(on, 2, 10_000);
  // What is done: "look" at the locked goods, "sale" of the other one.
  const done: ("look" | "sale")[] = [];
  const lanes = on.lanes({
    // However slow the machine is, the order that waits is not given up.
    limits: { lockWaitMsMax: 60_000 },
    store: {
      writeChanges: async (changes, signal) => {
        await on.store.writeChanges(changes, signal);
        if (changes.movements.every((movement) => movement.goodsId === 2)) done.push("sale");
      },
      readLocked: (...args) => (done.push("look"), on.store.readLocked(...args)),
    },
  });
  const looks = () => done.filter((one) => one === "look").length;
  await using row = await lockRow(on.ownerUrl, 1);
  const waiting = lanes.apply(sell("both", [1, 1], [2, 1]), NEVER);
  while (looks() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  for (let i = 0; looks() < 12; i++) assertEquals((await lanes.apply(sell(`s-${i}`, [2, 1]), NEVER)).ok, true);
  await row.release();
  assertEquals((await waiting).ok, true);
  // The lane of goods 2 was never closed: sales went on between the looks, and not only in their batches.
  const between = done.filter((one, i) => one === "sale" && done[i - 1] === "sale").length;
  assert(between >= 4, `${done}`);
  assertEquals(await checkLedger(on.ownerUrl), []);
});

for (const committed of [true, false]) {
  inEveryMode(
    `a batch whose connection is lost ${committed ? "after" : "before"} its commit is answered with the truth`,
    async () => {
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
      const results = await lanes.applyAll(batch, NEVER);
      const verdicts = results.map((result) =>
        result.status === "fulfilled" ? seenAnswer(result.value) : result.reason
      );
      assertEquals(verdicts.slice(0, 10), Array(10).fill({ ok: "sell", took: { 1: 1 } }));
      assertEquals(verdicts.slice(10, 12), Array(2).fill({ no: "short_stock", lines: [["1", 1, 0]] }));
      assertEquals(verdicts.slice(12), [
        { ok: "set", place: "2", available: 5, version: 2 },
        { ok: "sell", took: { 1: 1 } },
        { no: "content_differs", id: "o-3" },
      ]);
      assertEquals([await on.onHand(1), await on.onHand(2)], [0, 5]);
      assertEquals(await checkLedger(on.ownerUrl), []);
    },
  );
}
