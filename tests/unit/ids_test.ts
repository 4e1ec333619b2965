import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { derivedRollbackId } from "../../src/inventory/ids.ts";
import type { Snapshot } from "../../src/inventory/model.ts";
import { changedOrder, type Operation, rulesOf } from "../../src/inventory/operations/operation.ts";
import { ROLLBACK } from "../../src/inventory/operations/rollback.ts";
import { settle } from "../../src/inventory/settle.ts";
import { anyOperation } from "../support/operations.ts";

const RUNS = 5000;
const EMPTY: Snapshot = { atMs: 1000, levels: new Map(), orders: new Map(), operations: new Map() };

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

/** The snapshot after the operations, one by one. */
function after(operations: readonly Operation[]): Snapshot {
  let snapshot = EMPTY;
  for (const operation of operations) {
    const { changes } = settle(snapshot, [operation]);
    snapshot = {
      atMs: snapshot.atMs + 1,
      levels: new Map([...snapshot.levels, ...changes.levels.map(({ after }) => [after.goodsId, after] as const)]),
      orders: new Map([...snapshot.orders, ...changes.orders.map(({ after }) => [after.orderId, after] as const)]),
      operations: new Map([
        ...snapshot.operations,
        ...changes.operations.map((each) => [each.operationId, each] as const),
      ]),
    };
  }
  return snapshot;
}

Deno.test("whatever a decision looks for was to be read for it: what is not read is taken not to exist", () => {
  const stocked: Operation[] = [1, 2, 3].map((goodsId) => ({
    kind: "set",
    operationId: `s-${goodsId}`,
    goodsId,
    locationId: 0,
    num: 99,
  }));
  let wholes = 0;
  fc.assert(
    fc.property(fc.array(anyOperation, { maxLength: 10 }), anyOperation, fc.boolean(), (before, any, isWhole) => {
      const snapshot = after([...stocked, ...before]);
      const [sold] = [...snapshot.orders.values()].filter(({ state }) => state === "sold");
      let operation = any;
      if (isWhole && sold !== undefined) {
        wholes++;
        operation = { kind: "rollback", rollbackId: undefined, orderId: sold.orderId, lines: sold.lines };
      }
      const order = snapshot.orders.get(changedOrder(operation) ?? "");
      const asked = {
        ...snapshot,
        levels: new AskedMap(snapshot.levels),
        orders: new AskedMap(snapshot.orders),
        operations: new AskedMap(snapshot.operations),
      };
      const rules = rulesOf(operation);
      rules.decide(asked, operation);
      const { orderIds = [], operationIds = [] } = rules.records(operation, order);
      const stockKeys = rules.keysOf(operation, order);
      for (const id of asked.orders.asked) assert(orderIds.includes(id), `order ${id}`);
      for (const id of asked.operations.asked) assert(operationIds.includes(id), `operation ${id}`);
      for (const id of asked.levels.asked) assert(stockKeys.includes(id), `goods ${id}`);
    }),
    { numRuns: RUNS },
  );
  assert(wholes > RUNS / 100, `only ${wholes} rollbacks had exactly the lines that were sold`);
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
