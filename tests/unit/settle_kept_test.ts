/** Sales without a read: whatever gets past the fence is what a snapshot would have come to, and nobody is refused. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Changes, Level } from "../../src/inventory/model.ts";
import { type Operation, rulesOf } from "../../src/inventory/operations/operation.ts";
import { settle } from "../../src/inventory/settle.ts";
import { mayBeKept, settleKept } from "../../src/inventory/settle_kept.ts";
import { keyOf, type StockKey } from "../../src/inventory/stock_key.ts";
import { decideAll, MemoryStore } from "../support/memory_store.ts";
import { reserve } from "../support/holds.ts";
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

/** Of the changes, what is said of them whatever holds end beside them. */
function saidOfSales({ movements, orders, levels, ...rest }: Changes) {
  const { endedLines: _, ...others } = rest;
  return {
    ...others,
    orders,
    sold: movements.filter(({ kind }) => kind !== "expire").map((movement) => ({
      ...movement,
      version: undefined,
      reservedAfter: undefined,
    })),
    onHand: levels.map(({ after: { goodsId, locationId, onHand } }) => ({ goodsId, locationId, onHand })),
  };
}

Deno.test("what is decided on kept levels and gets past the fence is what a snapshot would have come to, but for ends of holds", () => {
  const seen = { made: 0, besideEnds: 0, lost: 0, read: 0 };
  fc.assert(
    fc.property(
      anyBatches,
      fc.nat(),
      fc.constantFrom(0, 0, 1000),
      fc.array(anyOperation.filter(({ kind }) => kind === "sell"), { minLength: 1, maxLength: 3 }),
      (batches, keptAt, pauseMs, operations) => {
        const store = new MemoryStore();
        const kept = new Map<StockKey, Level>();
        let nowMs = START_MS;
        batches.forEach((batch, i) => {
          decideAll(store, batch.operations, nowMs += batch.afterMs);
          if (i > keptAt % batches.length) return;
          // Of most goods somebody has a unit on hold, which is over by the next batch, or after the pause.
          const holds = [1, 2, 3].map((goodsId) => reserve(`held-${i}-${goodsId}`, [[goodsId, 1]], { ttlMs: 1 }));
          decideAll(store, holds, nowMs);
          kept.clear();
          for (const [key, level] of store.levels) if (mayBeKept(level)) kept.set(key, level);
        });
        nowMs += pauseMs;
        const keys = operations.flatMap((operation) => rulesOf(operation).keysOf(operation, undefined));
        if (!keys.every((key) => kept.has(key))) return;
        const settled = settleKept({ atMs: nowMs, levels: kept }, operations);
        if (settled === undefined) return void seen.read++;
        assert(settled.verdicts.every(({ ok }) => ok), "a refusal on a kept level");
        if (!passesFence(store, settled.changes)) return void seen.lost++;
        const { atWrite, ...changes } = settled.changes;
        assertEquals(atWrite, true, "the time of this process is nobody's");
        const snapshot = store.snapshot(operations, nowMs);
        const read = settle(snapshot, operations);
        if (snapshot.due === undefined) {
          seen.made++;
          assertEquals({ ...settled, changes }, read);
        } else {
          seen.besideEnds++;
          assertEquals(settled.verdicts, read.verdicts);
          assertEquals(saidOfSales(changes), saidOfSales(read.changes));
        }
        // Whoever reads next finds what has ended all the same.
        store.write(changes);
        store.assertHolds();
        const [next] = operations;
        if (next === undefined) return;
        decideAll(store, [{ ...next, orderId: "next" } as Operation], nowMs);
        for (const key of rulesOf(next).keysOf(next, undefined)) {
          const over = [...store.holds.values()].filter((line) => keyOf(line) === key && line.expiresAtMs <= nowMs);
          assertEquals(over, []);
        }
        store.assertHolds();
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
  const held = { ...KEPT, levels: new Map([[1, { ...LEVEL, onHand: 8, reserved: 3 }]]) };
  for (const [what, operations, isDecided] of rows) {
    assertEquals(settleKept(held, operations) !== undefined, isDecided, `${what}, beside units on hold`);
  }
});

Deno.test("a level is kept that no policy restricts, and that is sold", () => {
  assertEquals(mayBeKept(LEVEL), true);
  assertEquals(mayBeKept({ ...LEVEL, reserved: 1 }), true);
  assertEquals(mayBeKept({ ...LEVEL, deleted: true }), false);
  assertEquals(mayBeKept({ ...LEVEL, policy: { safetyStock: 0, backorderMax: 0 } }), false);
});
