/** The queue in front of the batches: order, exclusion and fairness. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Queue } from "../../src/lanes/queue.ts";
import { end, LIMITS, names, type Order, order, queueOf } from "../support/queued_orders.ts";

Deno.test("an order whose goods are learnt late stands in their lanes at the place of its arrival", () => {
  const late: { name: string; goodsIds: readonly number[]; size: number } = order("late");
  const queue = queueOf(order("a", 1), late, order("c", 1));
  const batch = queue.take(LIMITS);
  late.goodsIds = [1];
  for (const one of batch) if (one.name !== "late") queue.putBack(one);
  queue.move(late);
  queue.free([1]);
  assertEquals(names(queue.take(LIMITS)), "a late c");
  assertThrows(() => queue.move(order("never seen", 1)), Error, "taken");
});

Deno.test("orders of the same goods go together, in the order of their arrival", () => {
  const queue = queueOf(order("a", 1), order("b", 2), order("c", 1), order("d", 1, 2));
  assertEquals(names(queue.take(LIMITS)), "a b c d");
});

Deno.test("goods that a batch has are nobody else's until it is over", () => {
  const queue = queueOf(order("a", 1));
  const first = queue.take(LIMITS);
  queue.add(order("b", 1));
  queue.add(order("c", 2));
  const second = queue.take(LIMITS);
  assertEquals(names(second), "c");
  assertEquals(queue.take(LIMITS), []);
  end(queue, first);
  assertEquals(names(queue.take(LIMITS)), "b");
});

Deno.test("an order of several goods waits for the batches on them, and nobody overtakes it meanwhile", () => {
  const queue = queueOf(order("a", 1));
  const first = queue.take(LIMITS);
  for (const one of [order("wide", 1, 2), order("late", 2), order("other", 3)]) queue.add(one);
  const second = queue.take(LIMITS);
  assertEquals(names(second), "other");
  end(queue, first);
  assertEquals(names(queue.take(LIMITS)), "wide late");
});

Deno.test("a batch is bounded by its orders and by their size; what is too large goes alone", () => {
  const queue = queueOf(order("a", 1), order("b", 1), order("c", 1));
  const pair = queue.take({ ordersMax: 2, sizeMax: 100 });
  assertEquals(names(pair), "a b");
  end(queue, pair);
  queue.add(order("wide", 1, 2, 3));
  const small = queue.take({ ordersMax: 100, sizeMax: 2 });
  assertEquals(names(small), "c");
  end(queue, small);
  assertEquals(names(queue.take({ ordersMax: 100, sizeMax: 2 })), "wide");
});

Deno.test("a closed lane holds back its orders; one of several goods steps aside and comes back to its place", () => {
  const queue = queueOf(order("held", 1), order("wide", 1, 2), order("free", 2), order("later", 2));
  queue.close(1);
  const first = queue.take({ ordersMax: 1, sizeMax: 100 });
  assertEquals(names(first), "free");
  assert(queue.isWanted(2));
  end(queue, first);
  queue.open(1);
  assertEquals(names(queue.take(LIMITS)), "held wide later");
});

Deno.test("a lane that closes lets those go who waited behind an order of several goods", () => {
  const queue = queueOf(order("a", 1));
  const first = queue.take(LIMITS);
  queue.add(order("wide", 1, 2));
  queue.add(order("behind", 2));
  assertEquals(queue.take(LIMITS), []);
  // The lease was somebody else's.
  queue.putBack(first[0]!);
  queue.close(1);
  queue.free([1]);
  assertEquals(names(queue.take(LIMITS)), "behind");
  queue.open(1);
  assertEquals(names(queue.take(LIMITS)), "a");
});

Deno.test("what was put back stands where it stood, in front of those who came later", () => {
  const queue = queueOf(order("a", 1), order("b", 1));
  const batch = queue.take(LIMITS);
  queue.add(order("c", 1));
  for (const one of batch) queue.putBack(one);
  queue.free([1]);
  assertEquals(names(queue.take(LIMITS)), "a b c");
  assertThrows(() => queue.putBack(order("never seen", 1)), Error, "taken");
});

Deno.test("who leaves makes room at once, in its lane and for those behind it", () => {
  const wide = order("wide", 1, 2);
  const queue = queueOf(order("a", 1));
  const first = queue.take(LIMITS);
  queue.add(wide);
  queue.add(order("b", 2));
  assertEquals(queue.take(LIMITS), []);
  queue.remove(wide);
  assertEquals(names(queue.take(LIMITS)), "b");
  end(queue, first);
});

Deno.test("an order without goods waits for nobody", () => {
  const queue = queueOf(order("a", 1));
  queue.take(LIMITS);
  queue.add(order("bar"));
  assertEquals(names(queue.take(LIMITS)), "bar");
});

Deno.test("neither orders without goods nor those in lanes starve while ever more of the others come", () => {
  const limits = { ordersMax: 8, sizeMax: 16 };
  for (const flood of ["bars", "sales"] as const) {
    const queue = new Queue<Order>();
    let count = 0;
    const pour = () => {
      while (queue.waiting < 40) {
        queue.add(flood === "bars" ? order(`f${count++}`) : order(`f${count++}`, 1 + count % 20));
      }
    };
    pour();
    const [few, large] = flood === "bars"
      ? [order("few", 1), { name: "large", goodsIds: [2, 3], size: 99 }]
      : [order("few"), order("large")];
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
