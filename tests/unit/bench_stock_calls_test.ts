import { assertEquals, assertRejects } from "@std/assert";
import { stockCall } from "../../bench/load/stock_calls.ts";
import type { StockOperation, Work } from "../../bench/load/protocol.ts";
import type { Verdict } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Failure } from "../../src/lanes/failure.ts";

const WORKLOAD = { goods: 9, stride: 1, spread: "uniform", lines: 2 } as const;
const EXPIRED: Verdict = { ok: true, kind: "expired" };
const REFUSED: Verdict = { ok: false, refusal: { reason: "unknown_goods", places: [] } };
const LOST = new Failure("outcome_unknown", "lost");

/** One call, whose operations end as they are listed here; answers what it says, and what it asked for. */
async function call(operation: StockOperation, ...ends: (Verdict | Error)[]) {
  const asked: Operation[] = [];
  const work: Work = { kind: "stock", database: "stock", operation, workload: WORKLOAD };
  const lanes = {
    apply(each: Operation) {
      asked.push(each);
      const end = ends[asked.length - 1]!;
      return end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
    },
  };
  const result = await stockCall(lanes, work)();
  assertEquals(asked.length, ends.length);
  return { result, asked };
}

Deno.test("an order counts once its hold is confirmed, under one id", async () => {
  const { result, asked } = await call("reserve_confirm", EXPIRED, EXPIRED);
  assertEquals(result, { done: 1, orders: 1, units: 2 });
  assertEquals(asked.map(({ kind }) => kind), ["reserve", "confirm"]);
  const [reserve, confirm] = asked as Extract<Operation, { kind: "reserve" | "confirm" }>[];
  assertEquals(reserve?.orderId, confirm?.orderId);
});

Deno.test("a hold that is not confirmed is an order with units reserved, and nothing done", async () => {
  const { result } = await call("reserve_confirm", EXPIRED, REFUSED);
  assertEquals(result, { done: 0, orders: 1, units: 0, reserved: 2, refused: { unknown_goods: 1 } });
  const lost = await call("reserve_confirm", EXPIRED, LOST);
  assertEquals(lost.result, { done: 0, orders: 1, units: 0, reserved: 2, unknown: { outcome_unknown: 1 } });
  const refused = await call("reserve_confirm", REFUSED);
  assertEquals(refused.result, { done: 0, orders: 0, units: 0, refused: { unknown_goods: 1 } });
});

Deno.test("an adjustment takes a unit of each goods, and is no order", async () => {
  const { result, asked } = await call("adjust", EXPIRED);
  assertEquals(result, { done: 1, orders: 0, units: 2, operations: 1 });
  const [adjust] = asked as Extract<Operation, { kind: "adjust" }>[];
  assertEquals(adjust?.lines.map(({ num }) => num), [-1, -1]);
});

Deno.test("a sale is sold, refused or unknown; what is no failure of the service ends the run", async () => {
  assertEquals((await call("sell", EXPIRED)).result, { done: 1, orders: 1, units: 2 });
  assertEquals((await call("sell", new Failure("busy", "busy"))).result.refused, { busy: 1 });
  assertEquals((await call("sell", LOST)).result.unknown, { outcome_unknown: 1 });
  await assertRejects(() => call("sell", new TypeError("no such method")), TypeError, "no such method");
});
