/** The fault suite's checker, rule by rule: what is clean passes, and each rule is broken once and caught. */
import { assert, assertEquals } from "@std/assert";
import { check } from "../faults/suite/checker/check.ts";
import type { MovementRow, OrderRow, Tables } from "../faults/suite/checker/tables.ts";
import { VIOLATIONS_MAX } from "../faults/suite/checker/violations.ts";
import type { Answer, Call, History, Request } from "../faults/suite/history.ts";
import { type Change, type Fate, SimulatedStock, tablesOf } from "../support/simulated_stock.ts";

const sell = (orderId: string, ...lines: [number, number][]): Request => ({
  kind: "sell",
  orderId,
  lines: lines.map(([goodsId, num]) => ({ goodsId, num })),
});
const back = (orderId: string, rollbackId = "", ...lines: [number, number][]): Request => ({
  kind: "rollback",
  orderId,
  rollbackId,
  lines: lines.map(([goodsId, num]) => ({ goodsId, num })),
});
const set = (goodsId: number, num: number): Request => ({ kind: "set", goodsId, num });
const detail = (goodsId: number): Request => ({ kind: "detail", goodsId });

/** A little of everything; calls come 10 ms apart and take 2 ms. */
const REQUESTS: readonly (readonly [Request, Fate?])[] = [
  [detail(1)],
  [set(1, 10)],
  [set(2, 5)],
  [sell("a", [1, 2], [2, 1])],
  [sell("a", [1, 2], [2, 1])],
  [detail(1)],
  [sell("b", [1, 20])],
  [sell("c", [1, 2]), "lost_after"],
  [sell("c", [1, 2])],
  [sell("d", [2, 1]), "lost_before"],
  [sell("e", [2, 1]), "refused_before"],
  [back("a", "part", [1, 1])],
  [back("a", "too-much", [1, 5])],
  [back("a")],
  [sell("a", [1, 2], [2, 1])],
  [back("late")],
  [sell("late", [1, 1])],
  [back("c", "", [1, 1]), "lost_after"],
  [back("c")],
  [set(2, 7)],
  [detail(2)],
  [sell("f", [1, 1], [2, 2])],
];

function stock(): SimulatedStock {
  const stock = new SimulatedStock();
  REQUESTS.forEach(([request, fate = "answered"], i) => stock.call(request, 10 * (i + 1), { fate }));
  return stock;
}

type Case = readonly [name: string, what: RegExp, break_: (run: Run) => Run];
interface Run {
  readonly history: History;
  readonly changes: readonly Change[];
  readonly tables: Tables;
}

const withChanges = (run: Run, changes: readonly Change[]): Run => ({ ...run, changes, tables: tablesOf(changes) });
const withTables = (run: Run, tables: Partial<Tables>): Run => ({ ...run, tables: { ...run.tables, ...tables } });
const without = (run: Run, ids: (change: Change) => boolean) => withChanges(run, run.changes.filter((c) => !ids(c)));
const isSell = (orderId: string) => (change: Change) => change.kind === "sell" && change.orderId === orderId;

function movement(run: Run, which: (row: MovementRow) => boolean, change: Partial<MovementRow>): Run {
  const index = run.tables.movements.findIndex(which);
  return withTables(run, {
    movements: run.tables.movements.with(index, { ...run.tables.movements[index]!, ...change }),
  });
}

function order(run: Run, orderId: string, change: Partial<OrderRow>): Run {
  return withTables(run, {
    orders: run.tables.orders.map((row) => row.orderId === orderId ? { ...row, ...change } : row),
  });
}

/** Changes the calls for the request; `skip` of them are left alone. */
function calls(run: Run, request: Request, change: (call: Call) => Partial<Call>, skip = 0): Run {
  let left = skip;
  const text = JSON.stringify(request);
  return {
    ...run,
    history: {
      calls: run.history.calls.map((call) =>
        JSON.stringify(call.request) !== text || left-- > 0 ? call : { ...call, ...change(call) }
      ),
    },
  };
}

function body(run: Run, request: Request, change: Record<string, unknown>, skip = 0): Run {
  return calls(run, request, ({ answer }) => ({
    answer: answer.outcome === "ok" ? { outcome: "ok", body: { ...answer.body, ...change } } : answer,
  }), skip);
}

/** Changes the first detail of the refusal. */
function debug(run: Run, request: Request, change: Record<string, unknown>, skip = 0): Run {
  return calls(run, request, ({ answer }) => {
    if (answer.outcome !== "refused") return {};
    const [first, ...more] = answer.details as { type: string; debug: Record<string, unknown> }[];
    return { answer: { ...answer, details: [{ ...first!, debug: { ...first!.debug, ...change } }, ...more] } };
  }, skip);
}

const refusal: Answer = { outcome: "refused", code: "aborted", details: [] };
const wholeOrder = sell("a", [1, 2], [2, 1]);

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
  ["an acknowledged order is lost", /order f: acknowledged, but not there/, (run) => without(run, isSell("f"))],
  [
    "an order is sold twice",
    /sold in 2 movements/,
    (run) => withChanges(run, [...run.changes, run.changes.find(isSell("f"))!]),
  ],
  ["half of an order is there", /without a movement/, (run) => {
    const movements = run.tables.movements.filter((m) => m.goodsId !== 2 || m.orderId !== "f");
    const last = movements.findLast((m) => m.goodsId === 2)!;
    return withTables(run, {
      movements,
      stock: run.tables.stock.map((row) => row.goodsId === 2 ? { ...row, onHand: last.onHandAfter, version: 4 } : row),
    });
  }],
  [
    "an order has movements and no row",
    /sell movements without an order/,
    (run) => withTables(run, { orders: run.tables.orders.filter((row) => row.orderId !== "c") }),
  ],
  [
    "an order has other lines than its movements",
    /its movement has/,
    (run) => order(run, "f", { lines: [{ goodsId: 1, num: 2, returned: 0 }, { goodsId: 2, num: 2, returned: 0 }] }),
  ],
  [
    "an order was never asked for",
    /nobody asked for it/,
    (run) =>
      withChanges(run, [...run.changes, { kind: "sell", orderId: "ghost", lines: [{ goodsId: 1, num: 1 }], atMs: 1 }]),
  ],
  [
    "a refused order is there",
    /order e: sold, though every call/,
    (run) =>
      withChanges(run, [...run.changes, { kind: "sell", orderId: "e", lines: [{ goodsId: 2, num: 1 }], atMs: 1 }]),
  ],
  [
    "an unclear order is there with other content",
    /order d: has 2x2, asked for was 2x1/,
    (run) =>
      withChanges(run, [...run.changes, { kind: "sell", orderId: "d", lines: [{ goodsId: 2, num: 2 }], atMs: 1 }]),
  ],
  [
    "an order was acknowledged with other lines",
    /order f: acknowledged as/,
    (run) => body(run, sell("f", [1, 1], [2, 2]), { goodsInfo: [{ goodsId: 1, num: 1 }] }),
  ],
  [
    "a retry was told another time",
    /one call was told/,
    (run) => body(run, wholeOrder, { soldAt: "2030-01-01T00:00:00.000Z" }, 1),
  ],
  [
    "an order was acknowledged under another name",
    /answered as order/,
    (run) => body(run, sell("f", [1, 1], [2, 2]), { orderId: "g" }),
  ],
  ["a barred order is sold", /order late: acknowledged, but barred/, (run) =>
    calls(run, sell("late", [1, 1]), () => ({
      answer: { outcome: "ok", body: { goodsInfo: [{ goodsId: 1, num: 1 }], orderId: "late", soldAt: "" } },
    }))],
  [
    "an order is barred and nobody asked",
    /barred, but nobody/,
    (run) => withChanges(run, [...run.changes, { kind: "bar", id: "whole~x", orderId: "x", lines: [], atMs: 1 }]),
  ],
  [
    "an order is barred by a refused rollback",
    /barred, though every rollback/,
    (run) => calls(run, back("late"), () => ({ answer: refusal })),
  ],
  ["an order is in a state that nothing leads to", /a state that nothing/, (run) => order(run, "f", { state: "held" })],
  [
    "a rollback was told more than it gave",
    /the ledger has/,
    (run) => body(run, back("a"), { goodsInfo: [{ goodsId: 1, num: 9 }] }),
  ],
  [
    "an acknowledged rollback is lost",
    /rollback id part: acknowledged, but not on record/,
    (run) => without(run, (change) => change.kind === "rollback_part" && change.id === "part"),
  ],
  [
    "a refused rollback is there",
    /rollback part: on record, though every/,
    (run) => calls(run, back("a", "part", [1, 1]), () => ({ answer: refusal })),
  ],
  ["a rollback was never asked for", /on record, but nobody/, (run) =>
    withChanges(run, [...run.changes, {
      kind: "rollback_part",
      id: "x",
      orderId: "f",
      lines: [{ goodsId: 1, num: 1 }],
      atMs: 1,
    }])],
  [
    "more came back than was sold",
    /came back of/,
    (run) =>
      withChanges(
        run,
        run.changes.map((change) =>
          change.kind === "rollback_part" && change.id === "part"
            ? { ...change, lines: [{ goodsId: 1, num: 7 }] }
            : change
        ),
      ),
  ],
  [
    "a rollback moved what it has no record of",
    /without its record/,
    (run) => withTables(run, { operations: run.tables.operations.filter((row) => row.operationId !== "part") }),
  ],
  ["a rollback's record and movements differ", /moved/, (run) =>
    withTables(run, {
      operations: run.tables.operations.map((row) =>
        row.operationId === "part" ? { ...row, lines: [{ goodsId: 1, num: 2 }] } : row
      ),
    })],
  [
    "what came back is counted wrongly",
    /rollbacks gave/,
    (run) => order(run, "f", { lines: [{ goodsId: 1, num: 1, returned: 1 }, { goodsId: 2, num: 2, returned: 0 }] }),
  ],
  [
    "an order is said to be rolled back and is not",
    /not all of it came back/,
    (run) => order(run, "f", { state: "rolled_back" }),
  ],
  ["an order comes back before it was sold", /came back before it was sold/, (run) => {
    const sold = run.changes.findIndex(isSell("c"));
    const later = run.changes.findIndex((change) => "id" in change && change.id.startsWith("part~c"));
    return withChanges(
      run,
      run.changes.with(sold, run.changes[later]!).with(later, run.changes[sold]!),
    );
  }],
  [
    "a rolled back order was told as sold",
    /it was rolled back/,
    (run) =>
      calls(run, wholeOrder, () => ({ answer: run.history.calls.find((c) => c.request.kind === "sell")!.answer }), 2),
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
  ["a read was told a quantity that never was", /the ledger has/, (run) => body(run, detail(2), { num: 3 })],
  [
    "a read was told a version that is not there",
    /which the ledger does not have/,
    (run) => body(run, detail(2), { version: "99" }),
  ],
  [
    "a read was told what was no longer so",
    /at that time it was one of/,
    (run) => body(run, detail(2), { num: 5, onHand: 5, version: "1" }),
  ],
  ["a read was told what was not yet so", /known at|at that time it was one of/, (run) => {
    const last = run.tables.stock.find((row) => row.goodsId === 2)!;
    return body(run, detail(2), { num: last.onHand, onHand: last.onHand, version: String(last.version) });
  }],
  ["two orders are in the ledger against the clock", /was asked for only/, (run) => {
    const [first, second] = [run.changes.findIndex(isSell("a")), run.changes.findIndex(isSell("f"))];
    return withChanges(run, run.changes.with(first, run.changes[second]!).with(second, run.changes[first]!));
  }],
  ["short of stock that there was", /at none of versions/, (run) => debug(run, sell("b", [1, 20]), { available: 9 })],
  ["short of what was not asked for", /asked for were 20/, (run) => debug(run, sell("b", [1, 20]), { asked: 30 })],
  ["not short at all", /asked for were/, (run) => debug(run, sell("b", [1, 20]), { available: 20 })],
  ["short of stock when it was sold already", /at none of versions/, (run) =>
    calls(run, wholeOrder, () => ({
      answer: {
        outcome: "refused",
        code: "failed_precondition",
        details: [
          { type: "inventory.v1.ShortStock", debug: { goodsId: 1, asked: 2, available: 1 } },
          { type: "inventory.v1.ShortStock", debug: { goodsId: 2, asked: 1, available: 0 } },
        ],
      },
    }), 1)],
  [
    "a goods is unknown that was known",
    /was at version/,
    (run) => calls(run, detail(1), () => ({ answer: run.history.calls[0]!.answer }), 1),
  ],
  [
    "an order is barred that is not",
    /it is rolled_back/,
    (run) => debug(run, wholeOrder, { state: "ORDER_STATE_BARRED" }, 2),
  ],
  [
    "an order was barred before anybody asked",
    /before anybody rolled it back/,
    (run) => calls(run, sell("late", [1, 1]), () => ({ invokedMs: 20, answeredMs: 22 })),
  ],
  [
    "more than was sold, which it was not",
    /to give back at none/,
    (run) => debug(run, back("a", "too-much", [1, 5]), { returnable: 0 }),
  ],
  [
    "used with other lines, which it was not",
    /which it was not/,
    (run) =>
      calls(run, sell("f", [1, 1], [2, 2]), () => ({
        answer: { outcome: "refused", code: "already_exists", details: [{ type: "google.rpc.ErrorInfo", debug: {} }] },
      })),
  ],
  [
    "refused without a reason that can be read",
    /details that explain nothing/,
    (run) =>
      calls(
        run,
        sell("b", [1, 20]),
        () => ({ answer: { outcome: "refused", code: "failed_precondition", details: [] } }),
      ),
  ],
];

Deno.test("a clean history of everything has no violations", () => {
  const run = stock();
  assertEquals(check(run.history, run.tables), []);
  const outcomes = new Set(run.calls.map(({ answer }) => answer.outcome));
  assertEquals([...outcomes].sort(), ["ok", "refused", "unknown"]);
});

for (const [name, what, break_] of CASES) {
  Deno.test(`caught: ${name}`, () => {
    const { history, changes, tables } = stock();
    const broken = break_({ history, changes, tables });
    const violations = check(broken.history, broken.tables);
    assert(violations.some((violation) => what.test(violation)), `expected ${what}, got ${JSON.stringify(violations)}`);
  });
}

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
  assert(/no one order explains/.test(violations[0]!));
});

Deno.test("calls that overlap may be in the ledger in either order", () => {
  const run = new SimulatedStock();
  run.call(set(1, 10), 10);
  run.call(sell("second", [1, 1]), 50, { beforeMs: 30, afterMs: 1 });
  run.call(sell("first", [1, 1]), 60, { beforeMs: 40, afterMs: 1 });
  const [set_, a, b] = run.changes;
  assertEquals(check(run.history, tablesOf([set_!, b!, a!])), []);
});

Deno.test("violations are counted past the limit, and not all told", () => {
  const orders = Array.from(
    { length: 200 },
    (_, i): OrderRow => ({ orderId: `${i}`, state: "held", lines: [], atMs: 0 }),
  );
  const violations = check({ calls: [] }, { stock: [], movements: [], operations: [], orders });
  assertEquals(violations.length, VIOLATIONS_MAX + 1);
  assertEquals(violations.at(-1), `and ${200 - VIOLATIONS_MAX} more`);
});
