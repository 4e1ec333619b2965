/** The queue under whatever may happen to it, in any sequence: exclusion, fairness, and that nothing stays behind. */
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Queue } from "../../src/lanes/queue.ts";
import { end, entry, type QueuedEntry } from "../support/queued_entries.ts";

const RUNS = 3000;

/** What may happen to a queue, by number; which entry, batch or lane is meant is drawn as well. */
const step = fc.record({
  what: fc.constantFrom("add", "add", "add", "take", "take", "end", "end", "back", "leave", "park", "unpark"),
  goods: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
  pick: fc.nat(1000),
  entriesMax: fc.integer({ min: 1, max: 4 }),
});

Deno.test("whatever happens: no goods in two batches, nobody overtaken, nobody blocked, nothing left behind", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const queue = new Queue<QueuedEntry>();
      const arrived: QueuedEntry[] = [];
      const waiting = new Set<QueuedEntry>();
      const batches: QueuedEntry[][] = [];
      const parked = new Set<StockKey>();
      /** Who waited in a parked lane since it began to wait. */
      const sidelined = new Set<QueuedEntry>();
      let count = 0;
      const isBehind = (one: QueuedEntry, goodsId: number, batch: readonly QueuedEntry[]) =>
        [...waiting, ...batch].some((other) =>
          other.stockKeys.includes(goodsId) && arrived.indexOf(other) < arrived.indexOf(one)
        );
      const noteSidelined = () => {
        for (const one of waiting) if (one.stockKeys.some((goodsId) => parked.has(goodsId))) sidelined.add(one);
      };
      const take = (entriesMax: number) => {
        const batch = queue.take({ entriesMax, sizeMax: 1000 });
        if (batch.length === 0) return false;
        const busy = new Set(batches.flat().flatMap(({ stockKeys }) => stockKeys));
        for (const one of batch) {
          assert(waiting.delete(one), "only who waits is taken");
          for (const goodsId of one.stockKeys) {
            assert(!busy.has(goodsId), "no goods is in two batches");
            assert(!parked.has(goodsId), "nobody goes through a parked lane");
          }
        }
        const places = batch.map((one) => arrived.indexOf(one));
        assertEquals(places, places.toSorted((a, b) => a - b), "a batch is by arrival");
        for (const one of batch) {
          sidelined.delete(one);
          for (const other of waiting) {
            const earlier = arrived.indexOf(other) < arrived.indexOf(one);
            const shared = one.stockKeys.some((goodsId) => other.stockKeys.includes(goodsId));
            // Others pass only who could not go anyway: a lane of its is parked, or was, and it is not the first there.
            const isSidelined = other.stockKeys.some((goodsId) =>
              parked.has(goodsId) ||
              (sidelined.has(other) && (busy.has(goodsId) || isBehind(other, goodsId as number, batch)))
            );
            assert(!earlier || !shared || isSidelined, `${one.name} overtook ${other.name}`);
          }
        }
        batches.push(batch);
        return true;
      };
      const finish = (batch: QueuedEntry[]) => {
        batches.splice(batches.indexOf(batch), 1);
        end(queue, batch);
      };
      for (const { what, goods, pick, entriesMax } of steps) {
        const batch = batches[pick % Math.max(1, batches.length)];
        if (what === "add") {
          const one = entry(`o${count++}`, ...goods.toSorted());
          arrived.push(one);
          waiting.add(one);
          queue.add(one);
        } else if (what === "take") take(entriesMax);
        else if (what === "end" && batch !== undefined) finish(batch);
        else if (what === "back" && batch !== undefined) {
          batches.splice(batches.indexOf(batch), 1);
          for (const one of batch) {
            queue.requeue(one);
            waiting.add(one);
          }
          queue.free(new Set(batch.flatMap(({ stockKeys }) => stockKeys)));
        } else if (what === "leave" && waiting.size > 0) {
          const one = [...waiting][pick % waiting.size] as QueuedEntry;
          waiting.delete(one);
          queue.remove(one);
        } else if (what === "park" && goods[0] !== undefined) {
          queue.park(goods[0]);
          parked.add(goods[0]);
        } else if (what === "unpark" && goods[0] !== undefined) {
          queue.unpark(goods[0]);
          parked.delete(goods[0]);
        }
        noteSidelined();
        assertEquals(queue.waiting, waiting.size);
      }
      // Whoever can go is found, and at the end everybody has gone.
      while (take(3));
      const busy = new Set(batches.flat().flatMap(({ stockKeys }) => stockKeys));
      for (const one of waiting) {
        const ahead = arrived.filter((other) => waiting.has(other) && arrived.indexOf(other) <= arrived.indexOf(one))
          .flatMap(({ stockKeys }) => stockKeys);
        assert(ahead.some((goodsId) => busy.has(goodsId) || parked.has(goodsId)), `${one.name} waits for nothing`);
      }
      for (const goodsId of parked) queue.unpark(goodsId);
      parked.clear();
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
