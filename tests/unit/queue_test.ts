/** The queue in front of the batches: order, exclusion, fairness, and that nothing stays behind. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type BatchLimits, Queue } from "../../src/lanes/queue.ts";

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
      let count = 0;
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
          for (const other of waiting) {
            const earlier = arrived.indexOf(other) < arrived.indexOf(one);
            const shared = one.goodsIds.some((goodsId) => other.goodsIds.includes(goodsId));
            const aside = other.goodsIds.some((goodsId) => closed.has(goodsId));
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
