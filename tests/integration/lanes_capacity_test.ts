/** How much may be under way in the lanes: operations, lines, and what waits to be read; and that it is free again. */
import { assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import type { Level } from "../../src/inventory/model.ts";
import { Failure } from "../../src/lanes/failure.ts";
import type { Lanes } from "../../src/lanes/lanes.ts";
import { sell } from "../support/apply.ts";
import { door } from "../support/door.ts";
import { lanesBench, stock } from "../support/lanes_bench.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { NEVER } from "../support/pool_probe.ts";
import { inEveryMode } from "../support/test_mode.ts";

inEveryMode(
  "what does not fit into the queue is refused at once, and who leaves it frees its place and leaves no trace",
  async () => {
    await using on = await lanesBench();
    await stock(on, 1, 100);
    const latch = door();
    const lanes = on.lanes({
      limits: { operationsMax: 5 },
      store: {
        writeChanges: async (changes, signal) => {
          await latch.pass();
          await on.store.writeChanges(changes, signal);
        },
      },
    });
    latch.shut();
    const first = lanes.apply(sell("first", [1, 1]), NEVER);
    await latch.arrived();
    const caller = new AbortController();
    const waiting = lanes.applyAll([1, 2, 3, 4, 5].map((i) => sell(`waits-${i}`, [1, 1])), caller.signal);
    const error = await assertRejects(() => lanes.apply(sell("too many", [1, 1]), NEVER), Failure);
    assertEquals(error.kind, "queue_full");
    assertEquals(lanes.waiting, 4);
    caller.abort(new Error("the caller has gone"));
    const results = await waiting;
    assertEquals(lanes.waiting, 0);
    const reasons = results.map((result) => result.status === "rejected" && result.reason);
    assertEquals(reasons.slice(0, 4), Array(4).fill(caller.signal.reason));
    assertInstanceOf(reasons[4], Failure);
    const later = lanes.apply(sell("there is a place", [1, 1]), NEVER);
    latch.open();
    assertEquals([(await first).ok, (await later).ok], [true, true]);
    assertEquals(await on.onHand(1), 98);
    assertEquals(await checkLedger(on.ownerUrl), []);
  },
);

inEveryMode("levels asked for together are read by one statement, and never one from before the question", async () => {
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

inEveryMode(
  "what callers wait for to be read is counted for each of them, and lines of orders are counted too",
  async () => {
    await using on = await lanesBench();
    await stock(on, 10, 100);
    const latch = door();
    const lanes = on.lanes({
      limits: { operationsMax: 15, linesMax: 12 },
      store: {
        readLevels: async (...args) => {
          await latch.pass();
          return await on.store.readLevels(...args);
        },
        writeChanges: async (...args) => {
          await latch.pass();
          await on.store.writeChanges(...args);
        },
      },
    });
    const goods = Array.from({ length: 10 }, (_, i) => i + 1);
    const lines = goods.map((goodsId): [number, number] => [goodsId, 1]);
    latch.shut();
    const reading = lanes.levels(goods, NEVER);
    const full = await assertRejects(() => lanes.levels(goods, NEVER), Failure);
    assertEquals(full.kind, "queue_full");
    const first = lanes.apply(sell("ten lines", ...lines), NEVER);
    const second = await assertRejects(() => lanes.apply(sell("ten more", ...lines), NEVER), Failure);
    assertEquals(second.kind, "queue_full");
    latch.open();
    assertEquals([(await reading).size, (await first).ok], [10, true]);
    assertEquals((await lanes.apply(sell("there is a place", ...lines), NEVER)).ok, true);
    assertEquals((await lanes.levels(goods, NEVER)).get(10)?.onHand, 98);
    // An order that nobody is beside goes whatever its lines, so two show whether those of the others were freed.
    latch.shut();
    const beside = [sell("one line", [1, 1]), sell("ten beside it", ...lines)].map((order) =>
      lanes.apply(order, NEVER)
    );
    latch.open();
    assertEquals((await Promise.all(beside)).map(({ ok }) => ok), [true, true]);
  },
);

inEveryMode(
  "whose deadline passes before its turn is refused at once and leaves no trace; whose goods nobody waits for goes on",
  async () => {
    await using on = await lanesBench();
    await stock(on, 2, 10_000);
    const [atThird, latch] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let writes = 0;
    const lanes = on.lanes({
      limits: { operationsMax: 5_000 },
      store: {
        writeChanges: async (changes, signal) => {
          if (++writes === 3) {
            atThird.resolve();
            await latch.promise;
          }
          await on.store.writeChanges(changes, signal);
        },
      },
    });
    // Five whole batches, of which two are over, one is under way, and two wait.
    const many = lanes.applyAll(Array.from({ length: 2_600 }, (_, i) => sell(`many-${i}`, [1, 1])), NEVER);
    await atThird.promise;
    const late = lanes.applyAll([sell("late", [1, 1]), sell("late too", [2, 1], [1, 1])], NEVER, undefined, 0);
    const others = [
      lanes.apply(sell("other goods", [2, 1]), NEVER, undefined, 0),
      lanes.apply(sell("patient", [1, 1]), NEVER, undefined, 60_000),
      lanes.apply(sell("without a deadline", [1, 1]), NEVER),
    ];
    latch.resolve();
    const kinds = (await late).map((end) => end.status === "rejected" && end.reason.kind);
    assertEquals(kinds, ["deadline_too_short", "deadline_too_short"]);
    assertEquals((await Promise.all(others)).map(({ ok }) => ok), [true, true, true]);
    assertEquals((await many).filter(({ status }) => status === "rejected"), []);
    assertEquals(await lanes.order("late", NEVER), undefined);
    assertEquals([await on.onHand(1), await on.onHand(2)], [10_000 - 2_602, 9_999]);
    assertEquals(await checkLedger(on.ownerUrl), []);
  },
);
