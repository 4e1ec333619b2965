/** The queue in front of the batches: sequence, exclusion and fairness. */
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../src/base/invariant.ts";
import { Queue } from "../../src/lanes/queue.ts";
import { end, entry, LIMITS, names, type QueuedEntry, queueOf } from "../support/queued_entries.ts";

Deno.test("an entry whose goods are learnt late stands in their lanes at the place of its arrival", () => {
  const late: { name: string; stockKeys: readonly StockKey[]; size: number } = entry("late");
  const queue = queueOf(entry("a", 1), late, entry("c", 1));
  const batch = queue.take(LIMITS);
  late.stockKeys = [1];
  for (const one of batch) if (one.name !== "late") queue.requeue(one);
  queue.move(late);
  queue.free([1]);
  assertEquals(names(queue.take(LIMITS)), "a late c");
  assertThrows(() => queue.move(entry("never seen", 1)), InvariantError, "unknown");
});

Deno.test("entries of the same goods go together, by arrival", () => {
  const queue = queueOf(entry("a", 1), entry("b", 2), entry("c", 1), entry("d", 1, 2));
  assertEquals(names(queue.take(LIMITS)), "a b c d");
});

Deno.test("goods that a batch has are nobody else's until it is over", () => {
  const queue = queueOf(entry("a", 1));
  const first = queue.take(LIMITS);
  queue.add(entry("b", 1));
  queue.add(entry("c", 2));
  const second = queue.take(LIMITS);
  assertEquals(names(second), "c");
  assertEquals(queue.take(LIMITS), []);
  end(queue, first);
  assertEquals(names(queue.take(LIMITS)), "b");
});

Deno.test("an entry of several goods waits for the batches on them, and nobody overtakes it meanwhile", () => {
  const queue = queueOf(entry("a", 1));
  const first = queue.take(LIMITS);
  for (const one of [entry("wide", 1, 2), entry("late", 2), entry("other", 3)]) queue.add(one);
  const second = queue.take(LIMITS);
  assertEquals(names(second), "other");
  end(queue, first);
  assertEquals(names(queue.take(LIMITS)), "wide late");
});

Deno.test("a batch is bounded by its entries and by their size; what is too large goes alone", () => {
  const queue = queueOf(entry("a", 1), entry("b", 1), entry("c", 1));
  const pair = queue.take({ entriesMax: 2, sizeMax: 100 });
  assertEquals(names(pair), "a b");
  end(queue, pair);
  queue.add(entry("wide", 1, 2, 3));
  const small = queue.take({ entriesMax: 100, sizeMax: 2 });
  assertEquals(names(small), "c");
  end(queue, small);
  assertEquals(names(queue.take({ entriesMax: 100, sizeMax: 2 })), "wide");
});

Deno.test("a parked lane keeps its entries back; one of several goods is sidelined and goes back to its place", () => {
  const queue = queueOf(entry("first", 1), entry("wide", 1, 2), entry("free", 2), entry("later", 2));
  queue.park(1);
  const first = queue.take({ entriesMax: 1, sizeMax: 100 });
  assertEquals(names(first), "free");
  assert(queue.isWanted(2));
  end(queue, first);
  queue.unpark(1);
  assertEquals(names(queue.take(LIMITS)), "first wide later");
});

Deno.test("a lane that is parked lets those go who waited behind an entry of several goods", () => {
  const queue = queueOf(entry("a", 1));
  const first = queue.take(LIMITS);
  queue.add(entry("wide", 1, 2));
  queue.add(entry("behind", 2));
  assertEquals(queue.take(LIMITS), []);
  // The lease was somebody else's.
  queue.requeue(first[0]!);
  queue.park(1);
  queue.free([1]);
  assertEquals(names(queue.take(LIMITS)), "behind");
  queue.unpark(1);
  assertEquals(names(queue.take(LIMITS)), "a");
});

Deno.test("what was requeued stands where it stood, in front of those who came later", () => {
  const queue = queueOf(entry("a", 1), entry("b", 1));
  const batch = queue.take(LIMITS);
  queue.add(entry("c", 1));
  for (const one of batch) queue.requeue(one);
  queue.free([1]);
  assertEquals(names(queue.take(LIMITS)), "a b c");
  assertThrows(() => queue.requeue(entry("never seen", 1)), InvariantError, "unknown");
});

Deno.test("who leaves is in nobody's path at once, in its lane and for those behind it", () => {
  const wide = entry("wide", 1, 2);
  const queue = queueOf(entry("a", 1));
  const first = queue.take(LIMITS);
  queue.add(wide);
  queue.add(entry("b", 2));
  assertEquals(queue.take(LIMITS), []);
  queue.remove(wide);
  assertEquals(names(queue.take(LIMITS)), "b");
  end(queue, first);
});

Deno.test("an entry without goods waits for nobody", () => {
  const queue = queueOf(entry("a", 1));
  queue.take(LIMITS);
  queue.add(entry("bar"));
  assertEquals(names(queue.take(LIMITS)), "bar");
});

Deno.test("neither entries without goods nor those in lanes starve while ever more of the others come", () => {
  const limits = { entriesMax: 8, sizeMax: 16 };
  for (const flood of ["bars", "sales"] as const) {
    const queue = new Queue<QueuedEntry>();
    let count = 0;
    const pour = () => {
      while (queue.waiting < 40) {
        queue.add(flood === "bars" ? entry(`f${count++}`) : entry(`f${count++}`, 1 + count % 20));
      }
    };
    pour();
    const [few, large] = flood === "bars"
      ? [entry("few", 1), { name: "large", stockKeys: [2, 3], size: 99 }]
      : [entry("few"), entry("large")];
    queue.add(few);
    queue.add(large);
    const left = new Set([few, large]);
    for (let round = 0; left.size > 0; round++) {
      assert(round < 10, `${names([...left])} starve behind ${flood}`);
      const batch = queue.take(limits);
      for (const one of batch) left.delete(one);
      end(queue, batch);
      pour();
    }
  }
});

Deno.test("what can't happen to an entry or a lane throws, and names the state", () => {
  const one = entry("one", 1);
  const queue = queueOf(one);
  assertThrows(() => queue.add(one), InvariantError, "an entry is waiting, and can't be added");
  assertThrows(() => queue.requeue(one), InvariantError, "an entry is waiting, and can't be requeued");
  assertThrows(() => queue.move(one), InvariantError, "an entry is waiting, and can't be moved");
  assertThrows(() => queue.free([1]), InvariantError, "the lane of goods 1 is free, and can't be freed");
  queue.take(LIMITS);
  assertThrows(() => queue.add(one), InvariantError, "an entry is taken, and can't be added");
  queue.remove(one);
  assertThrows(() => queue.requeue(one), InvariantError, "an entry is unknown, and can't be requeued");
  // It ended while its batch went on, and the batch removes it once more.
  queue.remove(one);
  queue.free([1]);
  assertThrows(() => queue.free([1]), InvariantError, "the lane of goods 1 is free, and can't be freed");
});

Deno.test("a lane that is parked twice is open again at the first unpark", () => {
  const queue = queueOf(entry("a", 1));
  queue.park(1, 5);
  queue.park(1, 6);
  assertEquals([queue.take(LIMITS), queue.refusal(1)], [[], { sinceMs: 5, times: 2 }]);
  queue.unpark(1);
  assertEquals(names(queue.take(LIMITS)), "a");
  queue.unpark(1);
});
