/** What the queue does for each entry: in proportion to its goods, however many others wait. Counted, not timed. */
import { assert, assertEquals } from "@std/assert";
import type { Queue } from "../../src/lanes/queue.ts";
import { end, entry, LIMITS, names, type QueuedEntry, queueOf } from "../support/queued_entries.ts";

/** Each of them is bounded by itself. */
const CYCLES = 100;

/** 2,000 entries of 500 lines each, all of the same goods. */
function wideEntries(): QueuedEntry[] {
  const stockKeys = Array.from({ length: 500 }, (_, i) => i + 1);
  return Array.from({ length: 2000 }, (_, i) => entry(`wide${i}`, ...stockKeys));
}

/** Steps of the queue while `work` is done. */
function steps(queue: Queue<QueuedEntry>, work: () => void): number {
  const before = queue.steps;
  work();
  return queue.steps - before;
}

Deno.test("what waits behind parked lanes costs nothing while they are parked and unparked: only what is tried does", () => {
  const limits = { entriesMax: 512, sizeMax: 2048 };
  const batchSteps = limits.sizeMax * 8;
  for (const parked of [[1], [500], [1, 250], [1, 2, 3, 499, 500]]) {
    const entries = wideEntries();
    const queue = queueOf(...entries);
    const lines = entries.length * 500;
    /** As when the lease of a goods is refused to a batch. */
    const refuse = (batch: readonly QueuedEntry[], stockKeys: readonly number[]) => {
      for (const goodsId of stockKeys) queue.park(goodsId);
      for (const one of batch) queue.requeue(one);
      queue.free(new Set(batch.flatMap((one) => one.stockKeys)));
      assertEquals(queue.take(limits), []);
    };
    // Once, each of those who wait is sidelined.
    assert(steps(queue, () => refuse(queue.take(limits), parked)) < 5 * lines);
    let tried = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const count = steps(queue, () => {
        for (const goodsId of parked) queue.unpark(goodsId);
        const batch = queue.take(limits);
        tried += batch.length;
        refuse(batch, parked);
      });
      assert(count < batchSteps, `cycle ${cycle}: ${count} steps, with ${lines} lines behind ${parked}`);
    }
    assert(tried >= CYCLES * 4, "each time some were tried");
    const late = entry("late", 300);
    queue.add(late);
    assertEquals(names(queue.take(limits)), "late", "others of their goods go by");
    end(queue, [late]);
    // Lanes that are parked by turns let nobody go, and who waits goes from one to the other.
    for (let cycle = 0; parked.length === 2 && cycle < 200; cycle++) {
      const count = steps(queue, () => {
        queue.unpark(parked[cycle % 2]!);
        assertEquals(queue.take(limits), []);
        queue.park(parked[cycle % 2]!);
      });
      if (cycle > 1) assert(count < entries.length * 8, `cycle ${cycle}: ${count} steps`);
    }
    for (const goodsId of parked) queue.unpark(goodsId);
    assertEquals(names(queue.take(limits)), "wide0 wide1 wide2 wide3", "by arrival");
  }
});

Deno.test("an entry that is first in many lanes and can't go is looked at once, not in each of them", () => {
  const [wide] = wideEntries();
  const queue = queueOf(entry("a", 500));
  const first = queue.take(LIMITS);
  queue.add(wide!);
  const count = steps(queue, () => assertEquals(queue.take(LIMITS), []));
  assert(count < 3 * 500, `${count} steps`);
  end(queue, first);
  assertEquals(names(queue.take(LIMITS)), "wide0");
});

Deno.test("all who wait leave at a cost of their own goods each, and leave nothing behind", () => {
  const entries = wideEntries();
  const queue = queueOf(...entries);
  const first = queue.take({ entriesMax: 1, sizeMax: 1 });
  const count = steps(queue, () => {
    // From the end, where nothing has come to the head of a lane yet.
    for (const one of entries.toReversed()) if (one !== first[0]) queue.remove(one);
  });
  assert(count < 3 * entries.length * 500, `${count} steps`);
  end(queue, first);
  assertEquals([queue.waiting, queue.lanes], [0, 0]);
});

Deno.test("who came and went behind one who waits for long takes no place any more", () => {
  const waits = entry("waits", 1);
  const queue = queueOf(waits);
  queue.park(1);
  const visits = 10_000;
  const coming = steps(queue, () => {
    for (let i = 0; i < visits; i++) {
      const visitor = entry(`v${i}`, 1);
      queue.add(visitor);
      queue.remove(visitor);
    }
  });
  assert(coming < 10 * visits, `${coming} steps`);
  queue.remove(waits);
  const left = steps(queue, () => assert(!queue.isWanted(1)));
  assert(left < 200, `${left} dead places`);
  queue.unpark(1);
  assertEquals([queue.waiting, queue.lanes], [0, 0]);
});
