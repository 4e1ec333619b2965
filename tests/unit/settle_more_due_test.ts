/**
 * More holds have ended than a snapshot contains: what is decided before the others are off is decided as it would be
 * without them.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { DueHold, Level, Snapshot } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { settle } from "../../src/inventory/settle.ts";
import { keyOf } from "../../src/inventory/stock_key.ts";

const AT_MS = 1_000_000;

/** Of so many holds that ended, the snapshot has the first `read`; each had one unit of goods 1. */
function snapshotOf(onHand: number, ended: number, read: number): Snapshot {
  const level: Level = { goodsId: 1, locationId: 0, onHand, reserved: ended, version: 7, deleted: false };
  const due = Array.from({ length: ended }, (_, i): DueHold => (
    { goodsId: 1, locationId: 0, num: 1, orderId: `held-${i}`, expiresAtMs: 500_000 + i }
  ));
  return {
    atMs: AT_MS,
    levels: new Map([[keyOf(level), level]]),
    orders: new Map(),
    operations: new Map(),
    due: due.slice(0, read),
    moreDue: read < ended,
  };
}

function sell(orderId: string, num: number, fill?: "available"): Operation {
  const lines = [{ goodsId: 1, locationId: 0, num }];
  return { kind: "sell", orderId, lines, ...(fill === undefined ? {} : { fill }) };
}

Deno.test("sales that get all that they ask for are decided, up to the first that would not", () => {
  const { verdicts, changes } = settle(snapshotOf(10, 8, 3), [sell("a", 2), sell("b", 2), sell("c", 2), sell("d", 1)]);
  // 10 on hand less 5 that are reserved still; the third would be refused, although it fits.
  assertEquals(verdicts.map(({ ok }) => ok), [true, true]);
  assertEquals(changes.movements.map(({ kind }) => kind), ["expire", "expire", "expire", "sell", "sell"]);
  assertEquals(changes.holdsFromMs, 500_002);
  assertEquals(changes.endedLines?.length, 3);
});

Deno.test("a sale of what is there waits, and so does whatever is no sale", () => {
  const available = settle(snapshotOf(10, 8, 3), [sell("a", 7, "available")]);
  assertEquals(available.verdicts, []);
  const set: Operation = { kind: "set", operationId: "s", goodsId: 1, locationId: 0, num: 5 } as Operation;
  for (const other of [set, { kind: "expire", orderId: "held-0" }, { kind: "reserve", orderId: "h", lines: [] }]) {
    const { verdicts, changes } = settle(snapshotOf(10, 8, 3), [other as Operation, sell("a", 1)]);
    assertEquals(verdicts, []);
    assertEquals(changes.movements.map(({ kind }) => kind), ["expire", "expire", "expire"]);
  }
});

Deno.test("what is decided is what would be decided if all of them were off", () => {
  fc.assert(fc.property(
    fc.nat(30).chain((ended) => fc.record({ ended: fc.constant(ended), read: fc.nat(ended), spare: fc.nat(20) })),
    fc.array(
      fc.record({ num: fc.integer({ min: 1, max: 6 }), fill: fc.constantFrom(undefined, "available" as const) }),
    ),
    ({ ended, read, spare }, asked) => {
      const operations = asked.map(({ num, fill }, i) => sell(`o${i}`, num, fill));
      const whole = settle(snapshotOf(ended + spare, ended, ended), operations);
      const part = settle(snapshotOf(ended + spare, ended, read), operations);
      assertEquals(part.verdicts, whole.verdicts.slice(0, part.verdicts.length));
      if (read === ended) assertEquals(part.verdicts.length, operations.length);
    },
  ));
});
