/** The fault suite's checker on rollbacks: each of their rules is broken once and caught. */
import type { Answer } from "../faults/suite/history.ts";
import {
  back,
  body,
  calls,
  type Case,
  catches,
  isSell,
  movement,
  order,
  refusal,
  wholeOrder,
  withChanges,
  without,
  withTables,
} from "../support/spoilt_run.ts";

const FOUND = back("", "found", [2, 3]);

const CASES: readonly Case[] = [
  [
    "something given back without an order is there, though it was refused",
    /rollback found: on record, though every/,
    (run) => calls(run, FOUND, () => ({ answer: refusal })),
  ],
  [
    "a refused call has given back what is asked for again",
    /rollback found: made \d+ ms before/,
    (run) => {
      const [first] = run.history.calls.filter(({ request }) => JSON.stringify(request) === JSON.stringify(FOUND));
      return calls(run, FOUND, (call) => call === first ? { answer: refusal } : {});
    },
  ],
  [
    "something given back without an order is lost",
    /rollback id found: acknowledged, but not on record/,
    (run) => without(run, (change) => change.kind === "give_back"),
  ],
  [
    "something given back without an order is counted as an order's",
    /rollback found: give_back, its movements are of rollback/,
    (run) => movement(run, ({ kind }) => kind === "give_back", { kind: "rollback" }),
  ],
  [
    "an order is barred by a refused rollback",
    /barred, though every rollback/,
    (run) => calls(run, back("late"), () => ({ answer: refusal })),
  ],
  [
    "a rollback was said more than it gave",
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
    "a rolled back order was reported as sold",
    /it was rolled back/,
    (run) =>
      calls(run, wholeOrder, () => ({ answer: run.history.calls.find((c) => c.request.kind === "sell")!.answer }), 2),
  ],
  [
    "a rollback is recorded with other lines",
    /recorded as rollback_part of a: 1x2/,
    (run) =>
      withChanges(
        run,
        run.changes.map((change) =>
          "id" in change && change.id === "part" && change.kind === "rollback_part"
            ? { ...change, lines: [{ goodsId: 1, num: 2 }] }
            : change
        ),
      ),
  ],
  [
    "a rollback's order is not there",
    /its order is not there/,
    (run) => withTables(run, { orders: run.tables.orders.filter(({ orderId }) => orderId !== "late") }),
  ],
  ["a sold order is recorded as barred", /bar of a rolled_back order/, (run) =>
    withTables(run, {
      operations: run.tables.operations.map((row) => row.operationId === "part" ? { ...row, kind: "bar" } : row),
    })],
  ["a whole order came back in part", /of the whole order, which is sold/, (run) => order(run, "a", { state: "sold" })],
  [
    "what came back is in no order",
    /came back without being in an order/,
    (run) => withTables(run, { orders: run.tables.orders.filter(({ orderId }) => orderId !== "a") }),
  ],
  ["a repeated rollback was answered something else", /rollback id part: one call was answered/, (run) => {
    const call = run.history.calls.find(({ request }) => request.kind === "rollback" && request.rollbackId === "part")!;
    const answer: Answer = { outcome: "ok", body: { goodsInfo: [], orderId: "a", rollbackId: "part" } };
    return { ...run, history: { calls: [...run.history.calls, { ...call, answer }] } };
  }],
  ["a used rollback id was acknowledged with other lines", /acknowledged for a: 1x3, not on record/, (run) => {
    const call = run.history.calls.find(({ request }) => request.kind === "rollback" && request.rollbackId === "part")!;
    return { ...run, history: { calls: [...run.history.calls, { ...call, request: back("a", "part", [1, 3]) }] } };
  }],
  [
    "a rollback was acknowledged under another name",
    /answered as other of order a/,
    (run) => body(run, back("a", "part", [1, 1]), { rollbackId: "other" }),
  ],
];

catches(CASES);
