/** The queue under whatever may happen to it, in any order: exclusion, fairness, and that nothing stays behind. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Queue } from "../../src/lanes/queue.ts";
import { end, type Order, order } from "../support/queued_orders.ts";

const RUNS = 3000;

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
