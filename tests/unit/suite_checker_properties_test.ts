/**
 * The fault suite's checker on random histories: nothing is found in a clean one, and something in any that was spoilt
 * in one place, whether an answer, a row, or what was applied.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { check } from "../faults/suite/checker/check.ts";
import type { Tables } from "../faults/suite/checker/tables.ts";
import type { Answer, Call, Request } from "../faults/suite/history.ts";
import { type Change, type Fate, SimulatedStock, tablesOf } from "../support/simulated_stock.ts";

const RUNS = 300;
const GOODS = [1, 2, 3];

/** An order's lines are its own, so that whoever sends it again asks for the same. */
const lines = (order: number) =>
  GOODS.filter((goodsId) => (order + goodsId) % 3 !== 0).map((goodsId) => ({
    goodsId,
    num: 1 + (order * goodsId) % 3,
  }));
const order = fc.integer({ min: 1, max: 12 });
const request: fc.Arbitrary<Request> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("set" as const), goodsId: fc.constantFrom(...GOODS), num: fc.nat(9) }),
  },
  {
    weight: 5,
    arbitrary: order.map((order) => ({ kind: "sell" as const, orderId: `o${order}`, lines: lines(order) })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(order, fc.boolean(), fc.nat(2)).map(([order, named, part]) => ({
      kind: "rollback" as const,
      orderId: `o${order}`,
      rollbackId: named ? `r${order}-${part}` : "",
      lines: part === 0 ? [] : lines(order).slice(0, 1).map(({ goodsId }) => ({ goodsId, num: part })),
    })),
  },
  { weight: 2, arbitrary: fc.constantFrom(...GOODS).map((goodsId) => ({ kind: "detail" as const, goodsId })) },
);
const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant("answered" as Fate) },
  { weight: 1, arbitrary: fc.constantFrom<Fate>("lost_before", "lost_after", "refused_before") },
);
/** Calls are decided 10 ms apart, and take up to so long before and after that: many of them overlap. */
const takesMs = fc.integer({ min: 1, max: 40 });

/** Goods come first, so that there is something to sell; then anything. */
const run = fc.array(fc.record({ request, fate, beforeMs: takesMs, afterMs: takesMs }), { minLength: 5, maxLength: 60 })
  .map((calls) => {
    const stock = new SimulatedStock();
    GOODS.forEach((goodsId, i) => stock.call({ kind: "set", goodsId, num: 8 }, 10 * (i + 1)));
    calls.forEach(({ request, ...how }, i) => stock.call(request, 100 + 10 * i, how));
    return stock;
  });

interface Spoilt {
  readonly calls: readonly Call[];
  readonly tables: Tables;
}

/** Spoils the run in a place that `pick` chooses among so many; undefined: there is no such place in it. */
type Spoil = (stock: SimulatedStock, pick: (count: number) => number) => Spoilt | undefined;

const spoilCall = (
  which: (call: Call) => boolean,
  change: (call: Call & { answer: Extract<Answer, { outcome: "ok" }> }, stock: SimulatedStock) => Answer,
): Spoil =>
(stock, pick) => {
  const places = stock.calls.flatMap((call, i) => call.answer.outcome === "ok" && which(call) ? [i] : []);
  if (places.length === 0) return undefined;
  const place = places[pick(places.length)]!;
  const call = stock.calls[place] as Call & { answer: Extract<Answer, { outcome: "ok" }> };
  return { calls: stock.calls.with(place, { ...call, answer: change(call, stock) }), tables: stock.tables };
};

const spoilRow =
  <K extends keyof Tables>(table: K, spoil: (row: Tables[K][number]) => readonly Tables[K][number][]): Spoil =>
  (stock, pick) => {
    const rows = stock.tables[table];
    if (rows.length === 0) return undefined;
    const place = pick(rows.length);
    const spoilt = rows.flatMap((row, i) => i === place ? spoil(row) : [row]);
    return { calls: stock.calls, tables: { ...stock.tables, [table]: spoilt } };
  };

/** Changes what was applied, in tables that are whole by themselves. */
const spoilChanges = (
  which: (change: Change, stock: SimulatedStock) => boolean,
  spoil: (changes: readonly Change[], place: number) => readonly Change[],
): Spoil =>
(stock, pick) => {
  const places = stock.changes.flatMap((change, i) => which(change, stock) ? [i] : []);
  if (places.length === 0) return undefined;
  return { calls: stock.calls, tables: tablesOf(spoil(stock.changes, places[pick(places.length)]!)) };
};

const acknowledged = (change: Change, { calls }: SimulatedStock) =>
  calls.some(({ answer, request }) =>
    answer.outcome === "ok" &&
    ((change.kind === "sell" && request.kind === "sell" && request.orderId === change.orderId) ||
      (change.kind === "rollback_part" && request.kind === "rollback" && request.rollbackId === change.id))
  );

const body = (change: (body: Record<string, unknown>) => Record<string, unknown>) => ({ answer }: { answer: Answer }) =>
  answer.outcome === "ok" ? { ...answer, body: { ...answer.body, ...change({ ...answer.body }) } } : answer;

const SPOILS: Readonly<Record<string, Spoil>> = {
  "a level was answered one too high": spoilCall(
    ({ request }) => request.kind === "detail" || request.kind === "set",
    body(({ num, onHand }) => ({ num: Number(num) + 1, onHand: Number(onHand) + 1 })),
  ),
  "a level was answered under the next version": spoilCall(
    ({ request }) => request.kind === "detail",
    body(({ version }) => ({ version: String(Number(version) + 1) })),
  ),
  "a sale was answered with other lines": spoilCall(
    ({ request }) => request.kind === "sell",
    body(() => ({ goodsInfo: [{ goodsId: 1, num: 77 }] })),
  ),
  "a sale was answered at another time": spoilCall(
    ({ request }) => request.kind === "sell",
    body(() => ({ soldAt: "2031-01-01T00:00:00Z" })),
  ),
  "a rollback was said to have given more": spoilCall(
    ({ request }) => request.kind === "rollback",
    body(({ goodsInfo }) => ({ goodsInfo: [...goodsInfo as unknown[], { goodsId: 3, num: 9 }] })),
  ),
  "a known goods was said to be unknown": spoilCall(
    ({ request }) => request.kind === "detail",
    ({ request }) => ({
      outcome: "refused",
      code: "not_found",
      details: [{
        type: "google.rpc.ErrorInfo",
        debug: { metadata: { goods_ids: String(request.kind === "detail" ? request.goodsId : 0) } },
      }],
    }),
  ),
  "a sale was refused for stock that was never so low": spoilCall(
    ({ request }) => request.kind === "sell",
    ({ request }) => ({
      outcome: "refused",
      code: "failed_precondition",
      details: (request.kind === "sell" ? request.lines : []).map(({ goodsId, num }) => ({
        type: "inventory.v1.ShortStock",
        debug: { goodsId, asked: num, available: -1 },
      })),
    }),
  ),
  "a row of stock is one too high": spoilRow("stock", (row) => [{ ...row, onHand: row.onHand + 1 }]),
  "a row of stock is missing": spoilRow("stock", () => []),
  "a movement is missing": spoilRow("movements", () => []),
  "a movement is another goods'": spoilRow("movements", (row) => [{ ...row, goodsId: row.goodsId + 10 }]),
  "a movement has another delta": spoilRow("movements", (row) => [{ ...row, onHandDelta: row.onHandDelta - 1 }]),
  "a movement is some other order's": spoilRow(
    "movements",
    (row) => [{ ...row, orderId: `x${row.orderId}`, kind: "sell" }],
  ),
  "an order is missing": spoilRow("orders", () => []),
  "an order has another state": spoilRow("orders", (row) => [{
    ...row,
    state: row.state === "barred" ? "sold" : "barred",
  }]),
  "an order has one more line": spoilRow("orders", (row) => [{
    ...row,
    lines: [...row.lines, { goodsId: 99, num: 1, returned: 0 }],
  }]),
  "an operation is missing": (stock, pick) => {
    // A bar leaves nothing else behind, and may be of a call that was never answered.
    const rows = stock.tables.operations.filter(({ kind, lines }) => kind !== "bar" && lines.length > 0);
    if (rows.length === 0) return undefined;
    const missing = rows[pick(rows.length)]!;
    const operations = stock.tables.operations.filter(({ operationId }) => operationId !== missing.operationId);
    return { calls: stock.calls, tables: { ...stock.tables, operations } };
  },
  "an acknowledged change was lost": spoilChanges(acknowledged, (changes, place) => changes.toSpliced(place, 1)),
  "an order was sold twice": spoilChanges(
    ({ kind }) => kind === "sell",
    (changes, place) => changes.toSpliced(place, 0, changes[place]!),
  ),
  "an order was sold that nobody asked for": (stock) => ({
    calls: stock.calls,
    tables: tablesOf([...stock.changes, { kind: "sell", orderId: "ghost", lines: [{ goodsId: 1, num: 1 }], atMs: 1 }]),
  }),
  "an order was sold of which every call was refused": (stock) => {
    const request: Request = { kind: "sell", orderId: "refused", lines: [{ goodsId: 1, num: 1 }] };
    const answer: Answer = { outcome: "refused", code: "aborted", details: [] };
    const call: Call = { operation: -1, request, server: "1", invokedMs: 1, answeredMs: 2, answer };
    const change: Change = { kind: "sell", orderId: "refused", lines: request.lines, atMs: 1 };
    return { calls: [...stock.calls, call], tables: tablesOf([...stock.changes, change]) };
  },
  "a sale came before one that was acknowledged before it was asked for": (stock) => {
    const early = sold(stock, 10_000, "early");
    const late = sold(stock, 20_000, "late");
    if (early === undefined || late === undefined) return undefined;
    const changes = stock.changes.slice(0, -2);
    return { calls: stock.calls, tables: tablesOf([...changes, late, early]) };
  },
};

/** Sells one unit of goods 1, if there is one; answers the change. */
function sold(stock: SimulatedStock, atMs: number, orderId: string): Change | undefined {
  const answer = stock.call({ kind: "sell", orderId, lines: [{ goodsId: 1, num: 1 }] }, atMs);
  return answer.outcome === "ok" ? stock.changes.at(-1) : undefined;
}

Deno.test("in a clean history nothing is found", () => {
  fc.assert(
    fc.property(run, (stock) => {
      assertEquals(check(stock.history, stock.tables), []);
    }),
    { numRuns: RUNS },
  );
});

for (const [name, spoil] of Object.entries(SPOILS)) {
  Deno.test(`found in any history: ${name}`, () => {
    let spoiltRuns = 0;
    fc.assert(
      fc.property(run, fc.nat(), (stock, chosen) => {
        const spoilt = spoil(stock, (count) => chosen % count);
        if (spoilt === undefined) return;
        spoiltRuns++;
        assert(check({ calls: spoilt.calls }, spoilt.tables).length > 0, "nothing was found");
      }),
      { numRuns: RUNS / 3 },
    );
    assert(spoiltRuns > 0, "no history had a place for it");
  });
}
