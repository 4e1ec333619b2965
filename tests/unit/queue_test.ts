/** The queue in front of the batches: order, exclusion, fairness, and that nothing stays behind. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { BatchLimits } from "../../src/lanes/draft.ts";
import { Queue } from "../../src/lanes/queue.ts";

interface Order {
  readonly name: string;
  readonly goodsIds: readonly number[];
  readonly size: number;
}

const LIMITS: BatchLimits = { ordersMax: 100, sizeMax: 1000 };
const RUNS = 3000;

function order(name: string, ...goodsIds: number[]): Order {
  return { name, goodsIds, size: Math.max(1, goodsIds.length) };
}

function names(orders: readonly Order[]): string {
  return orders.map(({ name }) => name).join(" ");
}

/** A queue with these orders waiting. */
function queueOf(...orders: Order[]): Queue<Order> {
  const queue = new Queue<Order>();
  for (const one of orders) queue.add(one);
  return queue;
}

function end(queue: Queue<Order>, batch: readonly Order[]): void {
  for (const one of batch) queue.remove(one);
  queue.free(batch.flatMap(({ goodsIds }) => goodsIds));
}

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

/** 2,000 orders of 500 lines each, all of the same goods. */
function wideOrders(): Order[] {
  const goodsIds = Array.from({ length: 500 }, (_, i) => i + 1);
  return Array.from({ length: 2000 }, (_, i) => order(`wide${i}`, ...goodsIds));
}

/** Steps of the queue while `work` is done. */
function steps(queue: Queue<Order>, work: () => void): number {
  const before = queue.steps;
  work();
  return queue.steps - before;
}

Deno.test("what waits behind closed lanes costs nothing while they open and close: only what is tried does", () => {
  const limits = { ordersMax: 512, sizeMax: 2048 };
  const batchSteps = limits.sizeMax * 8;
  for (const held of [[1], [500], [1, 250], [1, 2, 3, 499, 500]]) {
    const orders = wideOrders();
    const queue = queueOf(...orders);
    const lines = orders.length * 500;
    /** As when the lease of a goods is refused to a batch. */
    const refuse = (batch: readonly Order[], goodsIds: readonly number[]) => {
      for (const goodsId of goodsIds) queue.close(goodsId);
      for (const one of batch) queue.putBack(one);
      queue.free(batch.flatMap((one) => one.goodsIds));
      assertEquals(queue.take(limits), []);
    };
    // Once, each of those who wait steps aside.
    assert(steps(queue, () => refuse(queue.take(limits), held)) < 5 * lines);
    let tried = 0;
    for (let cycle = 0; cycle < 1000; cycle++) {
      const count = steps(queue, () => {
        for (const goodsId of held) queue.open(goodsId);
        const batch = queue.take(limits);
        tried += batch.length;
        refuse(batch, held);
      });
      assert(count < batchSteps, `cycle ${cycle}: ${count} steps, with ${lines} lines behind ${held}`);
    }
    assert(tried >= 1000 * 4, "each time some were tried");
    const late = order("late", 300);
    queue.add(late);
    assertEquals(names(queue.take(limits)), "late", "others of their goods go by");
    end(queue, [late]);
    // Lanes that open and close by turns let nobody go, and who waits goes from one to the other.
    for (let cycle = 0; held.length === 2 && cycle < 200; cycle++) {
      const count = steps(queue, () => {
        queue.open(held[cycle % 2]!);
        assertEquals(queue.take(limits), []);
        queue.close(held[cycle % 2]!);
      });
      if (cycle > 1) assert(count < orders.length * 8, `cycle ${cycle}: ${count} steps`);
    }
    for (const goodsId of held) queue.open(goodsId);
    assertEquals(names(queue.take(limits)), "wide0 wide1 wide2 wide3", "in the order of arrival");
  }
});

Deno.test("an order that is first in many lanes and can't go is looked at once, not in each of them", () => {
  const [wide] = wideOrders();
  const queue = queueOf(order("a", 500));
  const first = queue.take(LIMITS);
  queue.add(wide!);
  const count = steps(queue, () => assertEquals(queue.take(LIMITS), []));
  assert(count < 3 * 500, `${count} steps`);
  end(queue, first);
  assertEquals(names(queue.take(LIMITS)), "wide0");
});

Deno.test("all who wait leave at a cost of their own goods each, and leave nothing behind", () => {
  const orders = wideOrders();
  const queue = queueOf(...orders);
  const first = queue.take({ ordersMax: 1, sizeMax: 1 });
  const count = steps(queue, () => {
    // From the end, where nothing has come to the head of a lane yet.
    for (const one of orders.toReversed()) if (one !== first[0]) queue.remove(one);
  });
  assert(count < 3 * orders.length * 500, `${count} steps`);
  end(queue, first);
  assertEquals([queue.waiting, queue.lanes], [0, 0]);
});

Deno.test("who came and went behind one who waits for long takes no place any more", () => {
  const waits = order("waits", 1);
  const queue = queueOf(waits);
  queue.close(1);
  const visits = 10_000;
  const coming = steps(queue, () => {
    for (let i = 0; i < visits; i++) {
      const visitor = order(`v${i}`, 1);
      queue.add(visitor);
      queue.remove(visitor);
    }
  });
  assert(coming < 10 * visits, `${coming} steps`);
  queue.remove(waits);
  const left = steps(queue, () => assert(!queue.isWanted(1)));
  assert(left < 200, `${left} dead places`);
  queue.open(1);
  assertEquals([queue.waiting, queue.lanes], [0, 0]);
});

/** What may happen to a queue, by number; which order, batch or lane is meant is drawn as well. */
const step = fc.record({
  what: fc.constantFrom("add", "add", "add", "take", "take", "end", "end", "back", "leave", "close", "open"),
  goods: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
  pick: fc.nat(1000),
  ordersMax: fc.integer({ min: 1, max: 4 }),
});

Deno.test("whatever happens: no goods in two batches, nobody overtaken, nobody stuck, nothing left behind", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const queue = new Queue<Order>();
      const arrived: Order[] = [];
      const waiting = new Set<Order>();
      const batches: Order[][] = [];
      const closed = new Set<number>();
      /** Who waited in a closed lane since it began to wait. */
      const steppedAside = new Set<Order>();
      let count = 0;
      const isBehind = (order: Order, goodsId: number, batch: readonly Order[]) =>
        [...waiting, ...batch].some((other) =>
          other.goodsIds.includes(goodsId) && arrived.indexOf(other) < arrived.indexOf(order)
        );
      const noteAside = () => {
        for (const one of waiting) if (one.goodsIds.some((goodsId) => closed.has(goodsId))) steppedAside.add(one);
      };
      const take = (ordersMax: number) => {
        const batch = queue.take({ ordersMax, sizeMax: 1000 });
        if (batch.length === 0) return false;
        const busy = new Set(batches.flat().flatMap(({ goodsIds }) => goodsIds));
        for (const one of batch) {
          assert(waiting.delete(one), "only who waits is taken");
          for (const goodsId of one.goodsIds) {
            assert(!busy.has(goodsId), "no goods is in two batches");
            assert(!closed.has(goodsId), "nobody goes through a closed lane");
          }
        }
        const places = batch.map((one) => arrived.indexOf(one));
        assertEquals(places, places.toSorted((a, b) => a - b), "a batch is in the order of arrival");
        for (const one of batch) {
          steppedAside.delete(one);
          for (const other of waiting) {
            const earlier = arrived.indexOf(other) < arrived.indexOf(one);
            const shared = one.goodsIds.some((goodsId) => other.goodsIds.includes(goodsId));
            // Others pass only who could not go anyway: a lane of its is closed, or was, and it is not the first there.
            const aside = other.goodsIds.some((goodsId) =>
              closed.has(goodsId) || (steppedAside.has(other) && (busy.has(goodsId) || isBehind(other, goodsId, batch)))
            );
            assert(!earlier || !shared || aside, `${one.name} overtook ${other.name}`);
          }
        }
        batches.push(batch);
        return true;
      };
      const finish = (batch: Order[]) => {
        batches.splice(batches.indexOf(batch), 1);
        end(queue, batch);
      };
      for (const { what, goods, pick, ordersMax } of steps) {
        const batch = batches[pick % Math.max(1, batches.length)];
        if (what === "add") {
          const one = order(`o${count++}`, ...goods.toSorted());
          arrived.push(one);
          waiting.add(one);
          queue.add(one);
        } else if (what === "take") take(ordersMax);
        else if (what === "end" && batch !== undefined) finish(batch);
        else if (what === "back" && batch !== undefined) {
          batches.splice(batches.indexOf(batch), 1);
          for (const one of batch) {
            queue.putBack(one);
            waiting.add(one);
          }
          queue.free(batch.flatMap(({ goodsIds }) => goodsIds));
        } else if (what === "leave" && waiting.size > 0) {
          const one = [...waiting][pick % waiting.size] as Order;
          waiting.delete(one);
          queue.remove(one);
        } else if (what === "close" && goods[0] !== undefined) {
          queue.close(goods[0]);
          closed.add(goods[0]);
        } else if (what === "open" && goods[0] !== undefined) {
          queue.open(goods[0]);
          closed.delete(goods[0]);
        }
        noteAside();
        assertEquals(queue.waiting, waiting.size);
      }
      // Whoever can go is found, and at the end everybody has gone.
      while (take(3));
      const busy = new Set(batches.flat().flatMap(({ goodsIds }) => goodsIds));
      for (const one of waiting) {
        const stopped = arrived.filter((other) => waiting.has(other) && arrived.indexOf(other) <= arrived.indexOf(one))
          .flatMap(({ goodsIds }) => goodsIds);
        assert(stopped.some((goodsId) => busy.has(goodsId) || closed.has(goodsId)), `${one.name} waits for nothing`);
      }
      for (const goodsId of closed) queue.open(goodsId);
      closed.clear();
      for (let rounds = 0; waiting.size + batches.length > 0; rounds++) {
        assert(rounds <= arrived.length, "everybody gets a turn");
        for (const batch of [...batches]) finish(batch);
        while (take(3));
      }
      assertEquals([queue.waiting, queue.lanes], [0, 0]);
    }),
    { numRuns: RUNS },
  );
});
