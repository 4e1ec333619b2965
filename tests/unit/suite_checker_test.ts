/**
 * The fault suite's checker: what is clean passes, and a ledger that is not whole, or that contradicts a reader or the
 * clock, is caught.
 */
import { assert, assertEquals } from "@std/assert";
import { check } from "../faults/suite/checker/check.ts";
import type { OrderRow } from "../faults/suite/checker/tables.ts";
import { VIOLATIONS_MAX } from "../faults/suite/checker/violations.ts";
import type { Call } from "../faults/suite/history.ts";
import { SimulatedStock, tablesOf } from "../support/simulated_stock.ts";
import {
  body,
  calls,
  type Case,
  catches,
  detail,
  isSell,
  movement,
  refusal,
  sell,
  set,
  stock,
  wholeOrder,
  withChanges,
  withTables,
} from "../support/spoilt_run.ts";

const CASES: readonly Case[] = [
  [
    "a movement is missing",
    /none may be missing/,
    (run) => withTables(run, { movements: run.tables.movements.filter((m) => m.goodsId !== 1 || m.version !== 2) }),
  ],
  ["a movement does not add up", /add up/, (run) => movement(run, (m) => m.version === 2, { onHandAfter: 3 })],
  [
    "on hand is negative",
    /on hand of which/,
    (run) =>
      withChanges(run, [...run.changes, { kind: "sell", orderId: "g", lines: [{ goodsId: 1, num: 99 }], atMs: 1 }]),
  ],
  [
    "stock is not what its movements say",
    /stock has/,
    (run) => withTables(run, { stock: run.tables.stock.map((row) => ({ ...row, onHand: row.onHand + 1 })) }),
  ],
  [
    "a goods has no movements",
    /in stock without/,
    (run) => withTables(run, { stock: [...run.tables.stock, { goodsId: 9, onHand: 0, reserved: 0, version: 1 }] }),
  ],
  ["a goods has no row", /without a row in stock/, (run) => withTables(run, { stock: run.tables.stock.slice(1) })],
  [
    "a retry was answered another time",
    /one call was answered/,
    (run) => body(run, wholeOrder, { soldAt: "2030-01-01T00:00:00.000Z" }, 1),
  ],
  [
    "a set was never asked for",
    /which nobody asked for/,
    (run) => withChanges(run, [...run.changes, { kind: "set", id: "x", goodsId: 1, num: 77 }]),
  ],
  [
    "a refused set is there",
    /0 such calls were not refused/,
    (run) => calls(run, set(2, 7), () => ({ answer: refusal })),
  ],
  ["a set was acknowledged and not made", /which it was at none of versions/, (run) => {
    const [call] = run.history.calls.slice(-1);
    const { version, onHand } = run.tables.stock.find((row) => row.goodsId === 1)!;
    const level = { goodsId: 1, num: onHand, onHand, reserved: 0, version: String(version) };
    const made: Call = {
      ...call!,
      request: set(1, 55),
      answer: { outcome: "ok", body: level },
      invokedMs: 1e4,
      answeredMs: 2e4,
    };
    return { ...run, history: { calls: [...run.history.calls, made] } };
  }],
  [
    "a set has no record",
    /recorded as nothing/,
    (run) => withTables(run, { operations: run.tables.operations.filter((row) => row.kind !== "set") }),
  ],
  ["a set's record has no movement", /recorded without a movement/, (run) =>
    withTables(run, {
      operations: [...run.tables.operations, { operationId: "x", kind: "set", orderId: null, lines: [] }],
    })],
  ["a read was answered a quantity that never was", /the ledger has/, (run) => body(run, detail(2), { num: 3 })],
  [
    "a read was answered a version that is not there",
    /which the ledger does not have/,
    (run) => body(run, detail(2), { version: "99" }),
  ],
  [
    "a read was answered what was no longer so",
    /at that time it was one of/,
    (run) => body(run, detail(2), { num: 5, onHand: 5, version: "1" }),
  ],
  ["a read was answered what was not yet so", /known at|at that time it was one of/, (run) => {
    const last = run.tables.stock.find((row) => row.goodsId === 2)!;
    return body(run, detail(2), { num: last.onHand, onHand: last.onHand, version: String(last.version) });
  }],
  ["two orders are in the ledger against the clock", /was asked for only/, (run) => {
    const [first, second] = [run.changes.findIndex(isSell("a")), run.changes.findIndex(isSell("f"))];
    return withChanges(run, run.changes.with(first, run.changes[second]!).with(second, run.changes[first]!));
  }],
  ["a sell gives", /a sell of 1/, (run) => movement(run, (m) => m.kind === "sell", { onHandDelta: 1 })],
  [
    "stock is negative",
    /in stock of which/,
    (run) => withTables(run, { stock: run.tables.stock.map((row) => ({ ...row, onHand: -1 })) }),
  ],
  [
    "a movement is of a kind that nobody asks for",
    /a gift of 10/,
    (run) => movement(run, (m) => m.kind === "set", { kind: "gift" }),
  ],
];

Deno.test("a clean history of everything has no violations", () => {
  const run = stock();
  assertEquals(check(run.history, run.tables), []);
  const outcomes = new Set(run.calls.map(({ answer }) => answer.outcome));
  assertEquals([...outcomes].sort(), ["ok", "refused", "unknown"]);
});

catches(CASES);

Deno.test("caught: two orders of two goods that each come before the other", () => {
  const run = new SimulatedStock();
  run.call(set(1, 10), 10);
  run.call(set(2, 10), 20);
  run.call(sell("x", [1, 1], [2, 1]), 30, { beforeMs: 1, afterMs: 50 });
  run.call(sell("y", [1, 1], [2, 1]), 40, { beforeMs: 11, afterMs: 50 });
  assertEquals(check(run.history, run.tables), []);
  // On goods 2 the two change places; each goods by itself is whole.
  const movements = run.tables.movements.map((row) =>
    row.goodsId === 2 && row.kind === "sell" ? { ...row, orderId: row.orderId === "x" ? "y" : "x" } : row
  );
  const violations = check(run.history, { ...run.tables, movements });
  assertEquals(violations.length, 1);
  assert(/no one sequence explains/.test(violations[0]!));
});

Deno.test("calls that overlap may be in the ledger in either order", () => {
  const run = new SimulatedStock();
  run.call(set(1, 10), 10);
  run.call(sell("second", [1, 1]), 50, { beforeMs: 30, afterMs: 1 });
  run.call(sell("first", [1, 1]), 60, { beforeMs: 40, afterMs: 1 });
  const [set_, a, b] = run.changes;
  assertEquals(check(run.history, tablesOf([set_!, b!, a!])), []);
});

Deno.test("violations are counted past the limit, and not all shown", () => {
  const orders = Array.from(
    { length: 200 },
    (_, i): OrderRow => ({ orderId: `${i}`, state: "held", lines: [], atMs: 0 }),
  );
  const violations = check({ calls: [] }, { stock: [], movements: [], operations: [], holds: [], orders });
  assertEquals(violations.length, VIOLATIONS_MAX + 1);
  assertEquals(violations.at(-1), `and ${200 - VIOLATIONS_MAX} more`);
});
