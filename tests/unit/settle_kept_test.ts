/** Sales without a read: whatever gets past the fence is what a snapshot would have come to, and nobody is refused. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Changes, Level } from "../../src/inventory/model.ts";
import { type Operation, rulesOf } from "../../src/inventory/operations/operation.ts";
import { settle } from "../../src/inventory/settle.ts";
import { mayBeKept, settleKept } from "../../src/inventory/settle_kept.ts";
import { keyOf, type StockKey } from "../../src/inventory/stock_key.ts";
import { decideAll, MemoryStore } from "../support/memory_store.ts";
import { anyBatches, anyOperation, START_MS } from "../support/operations.ts";

const RUNS = 3000;

/** What the write statement compares: levels as they stand, and that orders are new. */
function passesFence({ levels, orders }: MemoryStore, changes: Changes): boolean {
  return changes.levels.every(({ before, after }) => {
    const { version, onHand, reserved, deleted } = levels.get(keyOf(after)) ?? {};
    return before?.version === version && before?.onHand === onHand && before?.reserved === reserved &&
      before?.deleted === deleted;
  }) && changes.orders.every(({ before, after }) => before === undefined && !orders.has(after.orderId));
}

Deno.test("what is decided on kept levels and gets past the fence is what a snapshot would have come to", () => {
  const seen = { made: 0, lost: 0, read: 0 };
  fc.assert(
    fc.property(
      anyBatches,
      fc.nat(),
      fc.array(anyOperation.filter(({ kind }) => kind === "sell"), { minLength: 1, maxLength: 3 }),
      (batches, keptAt, operations) => {
        const store = new MemoryStore();
        const kept = new Map<StockKey, Level>();
        let nowMs = START_MS;
        batches.forEach((batch, i) => {
          decideAll(store, batch.operations, nowMs += batch.afterMs);
          if (i > keptAt % batches.length) return;
          kept.clear();
          for (const [key, level] of store.levels) if (mayBeKept(level)) kept.set(key, level);
        });
        const keys = operations.flatMap((operation) => rulesOf(operation).keysOf(operation, undefined));
        if (!keys.every((key) => kept.has(key))) return;
        const settled = settleKept({ atMs: nowMs, levels: kept }, operations);
        if (settled === undefined) return void seen.read++;
        assert(settled.verdicts.every(({ ok }) => ok), "a refusal on a kept level");
        if (!passesFence(store, settled.changes)) return void seen.lost++;
        seen.made++;
        const { atWrite, ...changes } = settled.changes;
        assertEquals({ ...settled, changes }, settle(store.snapshot(operations, nowMs), operations));
        assertEquals(atWrite, true, "the time of this process is nobody's");
      },
    ),
    { numRuns: RUNS },
  );
  console.log(JSON.stringify(seen));
  for (const [name, times] of Object.entries(seen)) assert(times > RUNS / 100, `${name}: ${times} of ${RUNS}`);
});

const LEVEL: Level = { goodsId: 1, locationId: 0, onHand: 5, reserved: 0, version: 3, deleted: false };
const KEPT = { atMs: START_MS, levels: new Map<StockKey, Level>([[1, LEVEL]]) };

function sale(orderId: string, num: number, more: object = {}): Operation {
  return { kind: "sell", orderId, lines: [{ goodsId: 1, locationId: 0, num }], ...more };
}

Deno.test("only sales that are made, under ids of their own, are decided on kept levels", () => {
  const rows: readonly [what: string, operations: Operation[], isDecided: boolean][] = [
    ["a sale", [sale("a", 5)], true],
    ["a sale of a buyer", [sale("a", 5, { buyerId: "b" })], true],
    ["two that fit together", [sale("a", 2), sale("b", 3)], true],
    ["more than there is", [sale("a", 6)], false],
    ["all that is wanted of what is there", [sale("a", 5, { fill: "available" })], true],
    ["a part of which would be there", [sale("a", 6, { fill: "available" })], false],
    ["two of which the second does not fit", [sale("a", 3), sale("b", 3)], false],
    ["one order twice", [sale("a", 1), sale("a", 1)], false],
    ["a dry run", [sale("a", 1, { dryRun: true })], false],
    ["a sale and a set", [sale("a", 1), { kind: "set", operationId: "s", goodsId: 1, locationId: 0, num: 9 }], false],
    ["a hold", [{ ...sale("a", 1), kind: "reserve" } as Operation], false],
  ];
  for (const [what, operations, isDecided] of rows) {
    assertEquals(settleKept(KEPT, operations) !== undefined, isDecided, what);
  }
});

Deno.test("a level is kept that nothing restricts, that no hold has units of, and that is sold", () => {
  assertEquals(mayBeKept(LEVEL), true);
  assertEquals(mayBeKept({ ...LEVEL, reserved: 1 }), false);
  assertEquals(mayBeKept({ ...LEVEL, deleted: true }), false);
  assertEquals(mayBeKept({ ...LEVEL, policy: { safetyStock: 0, backorderMax: 0 } }), false);
});
