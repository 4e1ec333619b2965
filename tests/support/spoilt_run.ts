/**
 * A clean run of everything for the tests of the fault suite's checker, and means to spoil it in one place.
 */
import { assert } from "@std/assert";
import { check } from "../faults/suite/checker/check.ts";
import type { MovementRow, OrderRow, Tables } from "../faults/suite/checker/tables.ts";
import type { Answer, Call, History, Request } from "../faults/suite/history.ts";
import { type Change, type Fate, SimulatedStock, tablesOf } from "./simulated_stock.ts";

/** An order of lines of goods id and quantity. */
export const sell = (orderId: string, ...lines: [number, number][]): Request => ({
  kind: "sell",
  orderId,
  lines: lines.map(([goodsId, num]) => ({ goodsId, num })),
});
/** A rollback of an order, or of these lines of it; of no order, it gives the lines back under its id. */
export const back = (orderId: string, rollbackId = "", ...lines: [number, number][]): Request => ({
  kind: "rollback",
  orderId,
  rollbackId,
  lines: lines.map(([goodsId, num]) => ({ goodsId, num })),
});
/** A set of a goods to a quantity. */
export const set = (goodsId: number, num: number): Request => ({ kind: "set", goodsId, num });
/** A read of a goods. */
export const detail = (goodsId: number): Request => ({ kind: "detail", goodsId });

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
  [back("", "found", [2, 3])],
  [back("", "found", [2, 3])],
];

/** The clean run. */
export function stock(): SimulatedStock {
  const stock = new SimulatedStock();
  REQUESTS.forEach(([request, fate = "answered"], i) => stock.call(request, 10 * (i + 1), { fate }));
  return stock;
}

/** What is spoilt, what the checker must say of it, and how it is done. */
export type Case = readonly [name: string, what: RegExp, break_: (run: Run) => Run];
/** A run, as the checker gets it, and the changes that its tables come from. */
export interface Run {
  readonly history: History;
  readonly changes: readonly Change[];
  readonly tables: Tables;
}

/** Other changes were applied, in tables that are whole by themselves. */
export const withChanges = (run: Run, changes: readonly Change[]): Run => ({
  ...run,
  changes,
  tables: tablesOf(changes),
});
/** Other rows are there. */
export const withTables = (run: Run, tables: Partial<Tables>): Run => ({
  ...run,
  tables: { ...run.tables, ...tables },
});
/** Some changes were not applied. */
export const without = (run: Run, ids: (change: Change) => boolean) =>
  withChanges(run, run.changes.filter((c) => !ids(c)));
/** The sell of an order. */
export const isSell = (orderId: string) => (change: Change) => change.kind === "sell" && change.orderId === orderId;

/** Changes the first such movement. */
export function movement(run: Run, which: (row: MovementRow) => boolean, change: Partial<MovementRow>): Run {
  const index = run.tables.movements.findIndex(which);
  return withTables(run, {
    movements: run.tables.movements.with(index, { ...run.tables.movements[index]!, ...change }),
  });
}

/** Changes the row of an order. */
export function order(run: Run, orderId: string, change: Partial<OrderRow>): Run {
  return withTables(run, {
    orders: run.tables.orders.map((row) => row.orderId === orderId ? { ...row, ...change } : row),
  });
}

/** Changes the calls for the request; `skip` of them are left alone. */
export function calls(run: Run, request: Request, change: (call: Call) => Partial<Call>, skip = 0): Run {
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

/** Changes the body of what the request was answered; `skip` of its calls are left alone. */
export function body(run: Run, request: Request, change: Record<string, unknown>, skip = 0): Run {
  return calls(run, request, ({ answer }) => ({
    answer: answer.outcome === "ok" ? { outcome: "ok", body: { ...answer.body, ...change } } : answer,
  }), skip);
}

/** Changes the first detail of the refusal. */
export function debug(run: Run, request: Request, change: Record<string, unknown>, skip = 0): Run {
  return calls(run, request, ({ answer }) => {
    if (answer.outcome !== "refused") return {};
    const [first, ...more] = answer.details as { type: string; debug: Record<string, unknown> }[];
    return { answer: { ...answer, details: [{ ...first!, debug: { ...first!.debug, ...change } }, ...more] } };
  }, skip);
}

/** A definite refusal for a transient failure. */
export const refusal: Answer = { outcome: "refused", code: "aborted", details: [] };
/** A refusal with one detail. */
export function refusedWith(type: string, debug: Record<string, unknown>, code = "failed_precondition"): Answer {
  return { outcome: "refused", code, details: [{ type, debug }] };
}

/** A refusal for one line that is short. */
export function shortOf(goodsId: number, asked: number, available: number): Answer {
  return refusedWith("inventory.v1.ShortStock", { goodsId, asked, available });
}

/** The order that the run sells twice, and asks for once more when it has been rolled back. */
export const wholeOrder = sell("a", [1, 2], [2, 1]);

/** A test a case: the clean run, spoilt so, is found out with these words. */
export function catches(cases: readonly Case[]): void {
  for (const [name, what, break_] of cases) {
    Deno.test(`caught: ${name}`, () => {
      const { history, changes, tables } = stock();
      const broken = break_({ history, changes, tables });
      const violations = check(broken.history, broken.tables);
      assert(
        violations.some((violation) => what.test(violation)),
        `expected ${what}, got ${JSON.stringify(violations)}`,
      );
    });
  }
}
