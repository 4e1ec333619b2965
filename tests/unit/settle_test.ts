import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Changes, Level, Order, RecordedOperation, Snapshot } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { changesNothing, settle } from "../../src/inventory/settle.ts";
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { anyOperation } from "../support/operations.ts";
import { Oracle, seenVerdict } from "../support/oracle.ts";

const RUNS = 5000;
const EMPTY: Snapshot = { atMs: 1000, levels: new Map(), orders: new Map(), operations: new Map() };

/** The snapshot after the changes were written, as PostgreSQL would have it. */
function written(snapshot: Snapshot, changes: Changes): Snapshot {
  const levels = new Map<StockKey, Level>(snapshot.levels);
  const orders = new Map<string, Order>(snapshot.orders);
  const operations = new Map<string, RecordedOperation>(snapshot.operations);
  for (const { before, after } of changes.levels) {
    assertEquals(levels.get(after.goodsId), before, "a level is written over what was read");
    levels.set(after.goodsId, after);
  }
  for (const { before, after } of changes.orders) {
    assertEquals(orders.get(after.orderId), before, "an order is written over what was read");
    orders.set(after.orderId, after);
  }
  for (const operation of changes.operations) {
    assert(!operations.has(operation.operationId), "an operation is recorded once");
    operations.set(operation.operationId, operation);
  }
  return { atMs: snapshot.atMs + 1, levels, orders, operations };
}

/** Movements continue each goods' chain from the level that was read to the level that is written. */
function assertChains(snapshot: Snapshot, { movements, levels }: Changes): void {
  const at = new Map<number, { version: number; onHand: number; reserved: number }>();
  for (const movement of movements) {
    const before = at.get(movement.goodsId) ?? snapshot.levels.get(movement.goodsId) ??
      { version: 0, onHand: 0, reserved: 0 };
    assertEquals(movement.version, before.version + 1);
    assertEquals(movement.onHandAfter, before.onHand + movement.onHandDelta);
    assertEquals(movement.reservedAfter, before.reserved + movement.reservedDelta);
    assert(0 <= movement.reservedAfter && movement.reservedAfter <= movement.onHandAfter);
    at.set(movement.goodsId, {
      version: movement.version,
      onHand: movement.onHandAfter,
      reserved: movement.reservedAfter,
    });
  }
  assertEquals(levels.length, at.size);
  for (const { after } of levels) {
    const { version, onHand, reserved } = after;
    assertEquals({ version, onHand, reserved }, at.get(after.goodsId));
  }
}

Deno.test("settle() answers a batch as deciding them one at a time would", () => {
  const batches = fc.array(fc.array(anyOperation, { minLength: 1, maxLength: 10 }), { maxLength: 6, size: "max" });
  fc.assert(
    fc.property(batches, (batches) => {
      const oracle = new Oracle();
      let snapshot = EMPTY;
      for (const batch of batches) {
        for (let rest = batch; rest.length > 0;) {
          const { verdicts, changes } = settle(snapshot, rest);
          assert(verdicts.length > 0, "a batch comes to its end");
          const decided = rest.slice(0, verdicts.length);
          assertEquals(verdicts.map(seenVerdict), decided.map((operation) => oracle.apply(operation)));
          assertChains(snapshot, changes);
          snapshot = written(snapshot, changes);
          rest = rest.slice(verdicts.length);
        }
      }
      for (const level of snapshot.levels.values()) {
        assertEquals(level.onHand, oracle.onHand(level.goodsId));
        assertEquals(level.version, oracle.changes.get(level.goodsId));
      }
    }),
    { numRuns: RUNS },
  );
});

/** The snapshot after all of the operations. */
function after(snapshot: Snapshot, operations: readonly Operation[]): Snapshot {
  let now = snapshot;
  for (let rest = operations; rest.length > 0;) {
    const { verdicts, changes } = settle(now, rest);
    now = written(now, changes);
    rest = rest.slice(verdicts.length);
  }
  return now;
}

Deno.test("settle() writes nothing of an operation that alone, on the same snapshot, would write nothing", () => {
  const some = fc.array(anyOperation, { maxLength: 8 });
  let cut = 0;
  fc.assert(
    fc.property(some, some, (before, batch) => {
      const snapshot = after(EMPTY, before);
      const { verdicts } = settle(snapshot, batch);
      if (verdicts.length < batch.length) cut++;
      verdicts.forEach((_, i) => {
        const without = settle(snapshot, batch.slice(0, i)).changes;
        const withIt = settle(snapshot, batch.slice(0, i + 1)).changes;
        if (JSON.stringify(without) === JSON.stringify(withIt)) return;
        assert(!changesNothing(settle(snapshot, [batch[i]!]).changes), "it leans on what others of its batch changed");
      });
    }),
    { numRuns: RUNS },
  );
  assert(cut > RUNS / 100, `only ${cut} of ${RUNS} batches were cut`);
});

Deno.test("settle() ends a batch before the sale of units that come back in it", () => {
  const set: Operation = { kind: "set", operationId: "s", goodsId: 1, locationId: 0, num: 5 };
  const sell: Operation = { kind: "sell", orderId: "o", lines: [{ goodsId: 1, locationId: 0, num: 5 }] };
  const { verdicts, changes } = settle(EMPTY, [set, sell]);
  assertEquals(verdicts.map(seenVerdict), [{ ok: "set", goods: 1, available: 5 }]);
  assertEquals(changes.orders, []);
  assertEquals(settle(written(EMPTY, changes), [sell]).verdicts.map(({ ok }) => ok), [true]);
});

Deno.test("settle() answers an applied operation the same again, whatever came in between", () => {
  const some = fc.array(anyOperation, { maxLength: 8 });
  fc.assert(
    fc.property(some, anyOperation, some, (before, operation, between) => {
      let snapshot = after(EMPTY, before);
      const first = settle(snapshot, [operation]);
      snapshot = written(snapshot, first.changes);
      snapshot = after(snapshot, between);
      const again = settle(snapshot, [operation]);
      const [was, is] = [first.verdicts[0]!, again.verdicts[0]!];
      // Only what is on record under an id of the caller's or the order's can be a retry.
      const onRecord = first.changes.orders.length + first.changes.operations.length > 0;
      if (!was.ok || !onRecord || operation.kind === "set") return;
      // A sale that was rolled back since is answered as such.
      if (!is.ok && is.refusal.reason === "order_state") return assertEquals(operation.kind, "sell");
      if (is.ok && is.kind === "sell" && was.kind === "sell") {
        assertEquals([is.order.lines, is.order.atMs], [was.order.lines, was.order.atMs]);
      } else assertEquals(is, { ...was, replayed: true });
      assert(changesNothing(again.changes));
    }),
    { numRuns: RUNS },
  );
});

Deno.test("settle() opens a goods that is no longer sold by a set, and by nothing that comes back", () => {
  const closed: Level = { goodsId: 1, locationId: 0, onHand: 5, reserved: 0, version: 3, deleted: true };
  const order: Order = {
    orderId: "o",
    state: "sold",
    lines: [{ goodsId: 1, locationId: 0, num: 2 }],
    returned: [0],
    atMs: 1,
  };
  const snapshot: Snapshot = { ...EMPTY, levels: new Map([[1, closed]]), orders: new Map([["o", order]]) };
  const rollback: Operation = { kind: "rollback", rollbackId: undefined, orderId: "o", lines: [] };
  const set: Operation = { kind: "set", operationId: "s", goodsId: 1, locationId: 0, num: 9 };
  const levels = (...batch: Operation[]) => settle(snapshot, batch).changes.levels.map(({ after }) => after);
  assertEquals(levels(rollback), [{ ...closed, onHand: 7, version: 4 }]);
  assertEquals(levels(set), [{ ...closed, onHand: 9, version: 4, deleted: false }]);
  assertEquals(levels(rollback, set), [{ ...closed, onHand: 9, version: 5, deleted: false }]);
  assertEquals(levels(set, rollback), [{ ...closed, onHand: 11, version: 5, deleted: false }]);
});

Deno.test("settle() leaves no trace of a refused order", () => {
  const set: Operation = { kind: "set", operationId: "s", goodsId: 1, locationId: 0, num: 5 };
  const snapshot = written(EMPTY, settle(EMPTY, [set]).changes);
  const sell: Operation = { kind: "sell", orderId: "o", lines: [{ goodsId: 1, locationId: 0, num: 6 }] };
  const { verdicts, changes } = settle(snapshot, [sell]);
  assertEquals(verdicts.map(seenVerdict), [{ no: "short_stock", lines: [[1, 6, 5]] }]);
  assert(changesNothing(changes));
});

Deno.test("settle() refuses to roll back an order whose goods were not read", () => {
  const order: Order = {
    orderId: "o",
    state: "sold",
    lines: [{ goodsId: 7, locationId: 0, num: 1 }],
    returned: [0],
    atMs: 1,
  };
  const snapshot: Snapshot = { ...EMPTY, orders: new Map([["o", order]]) };
  assertThrows(
    () => settle(snapshot, [{ kind: "rollback", rollbackId: undefined, orderId: "o", lines: [] }]),
    Error,
    "goods 7 is not in the snapshot",
  );
});
