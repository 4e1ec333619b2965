/** The fault suite's checker on orders: each rule of sells is broken once and caught. */
import {
  body,
  calls,
  type Case,
  catches,
  isSell,
  order,
  refusal,
  sell,
  wholeOrder,
  withChanges,
  without,
  withTables,
} from "../support/spoilt_run.ts";

const CASES: readonly Case[] = [
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
  ["an order is in a state that nothing leads to", /a state that nothing/, (run) => order(run, "f", { state: "held" })],
  [
    "a barred order has lines",
    /barred, and yet sold/,
    (run) => order(run, "late", { lines: [{ goodsId: 1, num: 1, returned: 0 }] }),
  ],
  [
    "an order lacks a line of its movements",
    /that the order does not have/,
    (run) => order(run, "f", { lines: [{ goodsId: 1, num: 1, returned: 0 }] }),
  ],
  ["a used order id was acknowledged with other lines", /asked for 1x9, answered/, (run) => {
    const call = run.history.calls.findLast(({ request }) => request.kind === "sell")!;
    return { ...run, history: { calls: [...run.history.calls, { ...call, request: sell("f", [1, 9]) }] } };
  }],
  ["a refused call has sold an order that is asked for again", /order a: made \d+ ms before/, (run) => {
    // Its second call found it on record.
    const [first] = run.history.calls.filter(({ request }) => JSON.stringify(request) === JSON.stringify(wholeOrder));
    return calls(run, wholeOrder, (call) => call === first ? { answer: refusal } : {});
  }],
];

catches(CASES);
