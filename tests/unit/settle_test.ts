import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Changes, Level, Movement, Order, Snapshot } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { changesNothing, settle } from "../../src/inventory/settle.ts";
import { keyOf, type Place } from "../../src/inventory/stock_key.ts";
import { decideAll, MemoryStore, storeAfter } from "../support/memory_store.ts";
import { anyBatches, anyOperation, START_MS } from "../support/operations.ts";
import { Oracle } from "../support/oracle.ts";
import { placeText, seenVerdict } from "../support/seen_verdict.ts";

const RUNS = 2000;
const EMPTY: Snapshot = { atMs: 1000, levels: new Map(), orders: new Map(), operations: new Map() };
const AT_0 = { locationId: 0 };

/**
 * What is written of expired holds: each line once, at its true time, and nothing else is said to have happened then.
 */
function assertExpiries({ atMs, movements, endedLines = [] }: Changes): void {
  const text = ({ expiresAtMs, orderId, ...line }: { expiresAtMs: number; orderId: string; num: number } & Place) =>
    `${keyOf(line)} ${orderId} ${line.num} ${expiresAtMs}`;
  const over = endedLines.filter(({ expiresAtMs }) => expiresAtMs <= atMs).map(text);
  const expired = movements.filter(({ kind }) => kind === "expire").map((movement) => {
    assertEquals(movement.onHandDelta, 0);
    const { orderId, occurredAtMs, reservedDelta, goodsId, locationId } = movement;
    return text({ goodsId, locationId, orderId: orderId!, expiresAtMs: occurredAtMs!, num: -reservedDelta });
  });
  assertEquals(expired.sort(), over.sort());
}

Deno.test("a movement says what its operation says of itself, and nothing else", () => {
  const place = { goodsId: 1, ...AT_0 };
  const level: Level = { ...place, onHand: 9, reserved: 0, version: 1, deleted: false };
  const snapshot: Snapshot = { ...EMPTY, levels: new Map([[keyOf(place), level]]) };
  const all = [
    {},
    { actor: "till" },
    { reason: "damage" },
    { reason: "damage", actor: "till" },
    { documentUri: "urn:1", actor: "till" },
    { reason: "damage", documentUri: "urn:1", actor: "till" },
  ];
  for (const attribution of all) {
    const operation: Operation = { kind: "sell", orderId: "a", lines: [{ ...place, num: 1 }], attribution };
    const [{ goodsId, locationId, version, kind, orderId, operationId, ...more } = {} as Movement] =
      settle(snapshot, [operation]).changes.movements;
    assertEquals([goodsId, locationId, version, kind, orderId, operationId], [1, 0, 2, "sell", "a", undefined]);
    assertEquals(more, { onHandDelta: -1, reservedDelta: 0, onHandAfter: 8, reservedAfter: 0, ...attribution });
  }
});

Deno.test("settle() answers a batch as deciding them one at a time would", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(anyBatches, fc.constantFrom(1, 2, 500), (batches, dueMax) => {
      const oracle = new Oracle();
      const store = new MemoryStore(dueMax);
      let nowMs = START_MS;
      for (const { afterMs, operations } of batches) {
        nowMs += afterMs;
        const verdicts = decideAll(store, operations, nowMs, assertExpiries);
        verdicts.forEach((verdict, i) => {
          const operation = operations[i]!;
          const expected = oracle.apply(operation, nowMs);
          assertEquals(seenVerdict(verdict), expected, JSON.stringify(operation));
          const of = expected.of === undefined ? "" : ` of ${expected.of}`;
          const ending = `${operation.kind} ${expected.ok === undefined ? expected.no : "ok"}${of}`;
          seen.set(ending, (seen.get(ending) ?? 0) + 1);
        });
        store.assertHolds();
      }
      for (const [key, level] of store.levels) {
        const due = [...store.holds.values()].filter((line) => keyOf(line) === key && line.expiresAtMs <= nowMs);
        const { onHand, version, deleted } = level;
        const reserved = level.reserved - due.reduce((sum, { num }) => sum + num, 0);
        assertEquals(
          { units: onHand, reserved, changes: version + due.length, closed: deleted },
          oracle.world.shelf(placeText(level)),
        );
      }
      assertEquals(store.levels.size, oracle.world.places.length);
      assertEquals(new Set(store.shortfalls.keys()), oracle.world.shortfalls);
    }),
    { numRuns: RUNS },
  );
  assertEquals(EVERY_ENDING.filter((ending) => !seen.has(ending)), [], "what never happened here was not tried");
});

/** What each operation can come to, without what is rare: decide_stock_test.ts has that. */
const EVERY_ENDING = [
  ...["ok", "not_as_expected", "short_stock"].map((end) => `set ${end}`),
  ...["sell", "reserve"].flatMap((kind) =>
    ["ok", "unknown_goods", "short_stock", "order_state", "over_limit", "buyer_required"].map((end) => `${kind} ${end}`)
  ),
  "sell content_differs",
  ...["ok", "order_state", "exceeds_sold", "content_differs"].map((end) => `rollback ${end}`),
  ...["ok", "unknown_goods", "content_differs"].map((end) => `give_back ${end}`),
  ...["ok", "unknown_order", "order_state"].map((end) => `extend ${end}`),
  ...["ok", "unknown_order", "order_state", "exceeds_held", "content_differs"].map((end) => `confirm ${end}`),
  ...["ok", "order_state"].map((end) => `release ${end}`),
  "expire ok",
  ...["ok", "unknown_goods", "not_as_expected", "short_stock", "content_differs"].map((end) => `adjust ${end}`),
  ...["ok", "unknown_goods", "short_stock", "content_differs"].map((end) => `count ${end}`),
  ...["ok", "unknown_goods", "not_as_expected", "short_stock", "content_differs"].map((end) => `transfer ${end}`),
  ...["ok", "unknown_goods", "not_as_expected"].map((end) => `policy ${end}`),
  ...["ok", "unknown_goods", "not_as_expected", "has_holds"].map((end) => `delete ${end}`),
  ...["ok", "unknown_goods"].map((end) => `restore ${end}`),
  "reserve out_of_range of reserved",
  ...["set", "rollback", "give_back", "adjust", "transfer"].map((kind) => `${kind} out_of_range of on_hand`),
  ...["set", "count"].map((kind) => `${kind} out_of_range of rise`),
];

Deno.test("settle() writes nothing of an operation that alone, on the same snapshot, would write nothing", () => {
  let cut = 0;
  fc.assert(
    fc.property(anyBatches, fc.array(anyOperation, { maxLength: 8 }), (before, batch) => {
      const { store, nowMs } = storeAfter(before);
      const snapshot = store.snapshot(batch, nowMs);
      // Alone, with what time alone has done.
      const onlyTime = settle(snapshot, []).changes;
      const { verdicts } = settle(snapshot, batch);
      if (verdicts.length < batch.length) cut++;
      verdicts.forEach((_, i) => {
        const without = settle(snapshot, batch.slice(0, i)).changes;
        const withIt = settle(snapshot, batch.slice(0, i + 1)).changes;
        if (JSON.stringify(without) === JSON.stringify(withIt)) return;
        const alone = settle(snapshot, [batch[i]!]).changes;
        assert(JSON.stringify(alone) !== JSON.stringify(onlyTime), "it leans on what others of its batch changed");
      });
    }),
    { numRuns: RUNS },
  );
  assert(cut > RUNS / 100, `only ${cut} of ${RUNS} batches were cut`);
});

Deno.test("settle() writes nothing of what is refused, dry or repeated, and a dry run answers what the run then does", () => {
  let dry = 0;
  fc.assert(
    fc.property(anyBatches, anyOperation, (before, any) => {
      const { store, nowMs } = storeAfter(before);
      const { dryRun: _, ...wet } = any;
      const operation = wet as Operation;
      const snapshot = store.snapshot([operation], nowMs);
      const onlyTime = settle(snapshot, []).changes;
      const tried = settle(snapshot, [{ ...operation, dryRun: true }]);
      const done = settle(snapshot, [operation]);
      assertEquals(tried.verdicts, done.verdicts);
      assertEquals(tried.changes, onlyTime);
      const [verdict] = done.verdicts;
      if (!verdict!.ok || verdict!.replayed) assertEquals(done.changes, onlyTime);
      else dry++;
    }),
    { numRuns: RUNS },
  );
  assert(dry > RUNS / 10, `only ${dry} of ${RUNS} were applied`);
});

Deno.test("settle() ends a batch before the sale of units that come back in it", () => {
  const set: Operation = { kind: "set", operationId: "s", goodsId: 1, ...AT_0, num: 5 };
  const sell: Operation = { kind: "sell", orderId: "o", lines: [{ goodsId: 1, ...AT_0, num: 5 }] };
  const { verdicts, changes } = settle(EMPTY, [set, sell]);
  assertEquals(verdicts.map(seenVerdict), [{ ok: "set", place: "1", available: 5, version: 1 }]);
  assertEquals(changes.orders, []);
  const store = new MemoryStore();
  assertEquals(decideAll(store, [set, sell], START_MS).map(({ ok }) => ok), [true, true]);
});

Deno.test("settle() ends a batch after what has to be read anew: a policy, and a count of an earlier moment", () => {
  const place = { goodsId: 1, ...AT_0 };
  const sell = (orderId: string): Operation => ({
    kind: "sell",
    orderId,
    buyerId: "x",
    lines: [{ ...place, num: 2 }],
  });
  const store = new MemoryStore();
  decideAll(store, [{ kind: "set", operationId: "s", ...place, num: 9 }, sell("a")], START_MS);
  const policy: Operation = {
    kind: "policy",
    operationId: "p",
    ...place,
    policy: { safetyStock: 0, backorderMax: 0, buyerNumMax: 3 },
  };
  const capped = decideAll(store, [policy, sell("b")], START_MS + 1).map(seenVerdict);
  assertEquals(capped[1], { no: "over_limit", limit: "buyer", lines: [["1", 2, 2, 3]] });
  const count = (operationId: string, occurredAtMs: number): Operation => ({
    kind: "count",
    operationId,
    ...place,
    num: 8,
    occurredAtMs,
  });
  // There were 7. The second counts the same units as the first, not those that the first brought in.
  const counted = decideAll(store, [count("c", START_MS + 2), count("d", START_MS + 3)], START_MS + 9).map(seenVerdict);
  assertEquals(counted.map(({ levels }) => levels), [[["1", 8, 0, 4, false]], [["1", 8, 0, 5, false]]]);
});

Deno.test("settle() opens a goods that is no longer sold by a set, and by nothing that comes back", () => {
  const closed: Level = { goodsId: 1, ...AT_0, onHand: 5, reserved: 0, version: 3, deleted: true };
  const lines = [{ goodsId: 1, ...AT_0, num: 2 }];
  const order: Order = { orderId: "o", state: "sold", lines, returned: [0], atMs: 1 };
  const snapshot: Snapshot = { ...EMPTY, levels: new Map([[1, closed]]), orders: new Map([["o", order]]) };
  const rollback: Operation = { kind: "rollback", rollbackId: undefined, orderId: "o", lines: [] };
  const set: Operation = { kind: "set", operationId: "s", goodsId: 1, ...AT_0, num: 9 };
  const levels = (...batch: Operation[]) => settle(snapshot, batch).changes.levels.map(({ after }) => after);
  assertEquals(levels(rollback), [{ ...closed, onHand: 7, version: 4 }]);
  assertEquals(levels(set), [{ ...closed, onHand: 9, version: 4, deleted: false }]);
  assertEquals(levels(rollback, set), [{ ...closed, onHand: 9, version: 5, deleted: false }]);
  assertEquals(levels(set, rollback), [{ ...closed, onHand: 11, version: 5, deleted: false }]);
});

Deno.test("settle() leaves no trace of a refused order", () => {
  const store = new MemoryStore();
  decideAll(store, [{ kind: "set", operationId: "s", goodsId: 1, ...AT_0, num: 5 }], START_MS);
  const sell: Operation = { kind: "sell", orderId: "o", lines: [{ goodsId: 1, ...AT_0, num: 6 }] };
  const { verdicts, changes } = settle(store.snapshot([sell], START_MS), [sell]);
  assertEquals(verdicts.map(seenVerdict), [{ no: "short_stock", lines: [["1", 6, 5]] }]);
  assert(changesNothing(changes));
});

Deno.test("settle() refuses to roll back an order whose goods were not read", () => {
  const lines = [{ goodsId: 7, ...AT_0, num: 1 }];
  const order: Order = { orderId: "o", state: "sold", lines, returned: [0], atMs: 1 };
  const snapshot: Snapshot = { ...EMPTY, orders: new Map([["o", order]]) };
  assertThrows(
    () => settle(snapshot, [{ kind: "rollback", rollbackId: undefined, orderId: "o", lines: [] }]),
    Error,
    "goods 7 is not in the snapshot",
  );
});
