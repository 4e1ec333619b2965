import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { derivedRollbackId } from "../../src/inventory/ids.ts";
import { momentKey, takenKey } from "../../src/inventory/model.ts";
import { changedOrder, type Operation, rulesOf } from "../../src/inventory/operations/operation.ts";
import { ROLLBACK } from "../../src/inventory/operations/rollback.ts";
import { compareKeys, keyOf } from "../../src/inventory/stock_key.ts";
import { decideAll, MemoryStore } from "../support/memory_store.ts";
import { anyBatches, anyOperation, START_MS } from "../support/operations.ts";

const RUNS = 2000;

/** A map that notes what it is asked for. */
class AskedMap<K, V> extends Map<K, V> {
  readonly asked = new Set<K>();

  override get(key: K): V | undefined {
    this.asked.add(key);
    return super.get(key);
  }

  override has(key: K): boolean {
    this.asked.add(key);
    return super.has(key);
  }
}

Deno.test("whatever a decision looks for was to be read for it: what is not read is taken not to exist", () => {
  const stocked: Operation[] = [1, 2, 3].map((goodsId) => ({
    kind: "set",
    operationId: `s-${goodsId}`,
    goodsId,
    locationId: 0,
    num: 99,
  }));
  const found = { wholes: 0, buyers: 0, moments: 0 };
  fc.assert(
    fc.property(anyBatches, anyOperation, fc.boolean(), (before, any, isWhole) => {
      const store = new MemoryStore();
      decideAll(store, stocked, START_MS);
      let nowMs = START_MS;
      for (const { afterMs, operations } of before) decideAll(store, operations, nowMs += afterMs);
      const [sold] = [...store.orders.values()].filter(({ state }) => state === "sold");
      let operation = any;
      if (isWhole && sold !== undefined) {
        found.wholes++;
        const lines = sold.lines.filter(({ num }) => num > 0);
        operation = { kind: "rollback", rollbackId: undefined, orderId: sold.orderId, lines };
      }
      const order = store.orders.get(changedOrder(operation) ?? "");
      // Everything that there is, and not only what would be read for it.
      const read = store.snapshot([operation], nowMs);
      const asked = {
        ...read,
        levels: new AskedMap(store.levels),
        orders: new AskedMap(store.orders),
        operations: new AskedMap(store.operations),
        taken: new AskedMap(read.taken ?? []),
        moments: new AskedMap(read.moments ?? []),
      };
      const rules = rulesOf(operation);
      rules.decide(asked, operation);
      const { orderIds = [], operationIds = [], buyers = [], moments = [] } = rules.records(operation, order);
      const stockKeys = rules.keysOf(operation, order);
      const bought = buyers.map(({ buyerId, ...place }) => takenKey(keyOf(place), buyerId));
      const earlier = moments.map(({ atMs, ...place }) => momentKey(keyOf(place), atMs));
      for (const id of asked.orders.asked) assert(orderIds.includes(id), `order ${id}`);
      for (const id of asked.operations.asked) assert(operationIds.includes(id), `operation ${id}`);
      for (const key of asked.levels.asked) assert(stockKeys.includes(key), `goods ${key}`);
      for (const key of asked.taken.asked) assert(bought.includes(key), `what was taken by ${key}`);
      for (const key of asked.moments.asked) assert(earlier.includes(key), `what there was of ${key}`);
      assertEquals(stockKeys.toSorted(compareKeys), stockKeys, "keys are sorted");
      assertEquals(new Set(stockKeys).size, stockKeys.length, "each key once");
      for (const place of [...buyers, ...moments]) assert(stockKeys.includes(keyOf(place)), "a level is read for it");
      found.buyers += asked.taken.asked.size;
      found.moments += asked.moments.asked.size;
    }),
    { numRuns: RUNS },
  );
  for (const [what, times] of Object.entries(found)) assert(times > 3, `only ${times} ${what}`);
});

Deno.test("a rollback without an id is looked for under both ids that it may have, one with an id under that alone", () => {
  const lines = [{ goodsId: 1, locationId: 0, num: 2 }];
  const rollback = (rollbackId: string | undefined, part: typeof lines) =>
    ROLLBACK.records({ kind: "rollback", rollbackId, orderId: "o", lines: part }, undefined);
  const [whole, part] = [derivedRollbackId("o", []), derivedRollbackId("o", lines)];
  assertEquals(rollback(undefined, lines), { orderIds: ["o"], operationIds: [whole, part] });
  assertEquals(rollback(undefined, []), { orderIds: ["o"], operationIds: [whole] });
  assertEquals(rollback("own", lines), { orderIds: ["o"], operationIds: ["own"] });
});
