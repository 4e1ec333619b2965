import { assertEquals } from "@std/assert";
import { stockViolations } from "../../bench/stock_violations.ts";

const BEFORE = { orders: 10, operations: 7, units: 1000, reserved: 100, movements: 50 };
const NOTHING = { orders: 0, operations: 0, units: 0, reserved: 0, unknown: 0, unitsPerOrderMax: 3 };
const SOLD = { ...NOTHING, orders: 4, units: 6 };
const SALES = { operation: "sell", ended: 0 } as const;

Deno.test("a stock that has what was acknowledged is clean", () => {
  assertEquals(stockViolations(BEFORE, { ...BEFORE, orders: 14, units: 994, movements: 56 }, SOLD, SALES), []);
  // The article's approach keeps units only.
  const article = { operation: undefined, ended: 0 };
  assertEquals(stockViolations(BEFORE, { ...BEFORE, units: 994 }, { ...SOLD, orders: 0 }, article), []);
});

Deno.test("a sale that is lost, doubled or not in the ledger is reported", () => {
  const after = (changes: object) =>
    stockViolations(BEFORE, { ...BEFORE, orders: 14, units: 994, movements: 56, ...changes }, SOLD, SALES);
  assertEquals(after({ orders: 13 }), ["3 orders came, 4 to 4 were acknowledged"]);
  assertEquals(after({ orders: 15 }), ["5 orders came, 4 to 4 were acknowledged"]);
  assertEquals(after({ operations: 8 }), ["1 operations came, 0 to 0 were acknowledged"]);
  assertEquals(after({ units: 995, movements: 55 }), ["5 units left the stock, 6 to 6 were sold"]);
  assertEquals(after({ units: 993, movements: 57 }), ["7 units left the stock, 6 to 6 were sold"]);
  assertEquals(after({ movements: 55 }), ["5 movements for 6 units"]);
  assertEquals(after({ reserved: 99, movements: 57 }), ["-1 more units are reserved, 0 to 0 were expected"]);
});

Deno.test("orders whose end nobody knows may be in the stock, whole, or not", () => {
  const sold = { ...SOLD, unknown: 2 };
  for (const more of [0, 1, 2]) {
    const after = { ...BEFORE, orders: 14 + more, units: 994 - 3 * more, movements: 56 + 3 * more };
    assertEquals(stockViolations(BEFORE, after, sold, SALES), []);
  }
  const after = { ...BEFORE, orders: 17, units: 985, movements: 65 };
  assertEquals(stockViolations(BEFORE, after, sold, SALES), [
    "15 units left the stock, 6 to 12 were sold",
    "7 orders came, 4 to 6 were acknowledged",
  ]);
});

Deno.test("each hold that ended has given its unit back, by one movement, and no other has", () => {
  const ending = { operation: "sell", ended: 5 } as const;
  const after = (changes: object) =>
    stockViolations(
      BEFORE,
      { ...BEFORE, orders: 14, units: 994, reserved: 95, movements: 61, ...changes },
      SOLD,
      ending,
    );
  assertEquals(after({}), []);
  assertEquals(after({ reserved: 96, movements: 60 }), ["-4 more units are reserved, -5 to -5 were expected"]);
  assertEquals(after({ movements: 60 }), ["10 movements for 6 units, and -5 more reserved"]);
});

Deno.test("a confirmed hold is two movements, and what was not confirmed is reserved still", () => {
  const pairs = { operation: "reserve_confirm", ended: 0 } as const;
  const acknowledged = { ...NOTHING, orders: 4, units: 3, reserved: 1, unitsPerOrderMax: 1 };
  const after = { ...BEFORE, orders: 14, units: 997, reserved: 101, movements: 57 };
  assertEquals(stockViolations(BEFORE, after, acknowledged, pairs), []);
  assertEquals(stockViolations(BEFORE, { ...after, movements: 56 }, acknowledged, pairs), [
    "6 movements for 3 units, and 1 more reserved",
  ]);
  assertEquals(stockViolations(BEFORE, { ...after, reserved: 100, movements: 56 }, acknowledged, pairs), [
    "0 more units are reserved, 1 to 1 were expected",
  ]);
  // A confirmation that was lost is a sale, or not.
  const lost = { ...acknowledged, unknown: 1 };
  assertEquals(stockViolations(BEFORE, after, lost, pairs), []);
  assertEquals(stockViolations(BEFORE, { ...after, units: 996, reserved: 100, movements: 58 }, lost, pairs), []);
});

Deno.test("an adjustment is an operation and no order", () => {
  const adjusting = { operation: "adjust", ended: 0 } as const;
  const acknowledged = { ...NOTHING, operations: 4, units: 4, unitsPerOrderMax: 1 };
  const after = { ...BEFORE, operations: 11, units: 996, movements: 54 };
  assertEquals(stockViolations(BEFORE, after, acknowledged, adjusting), []);
  assertEquals(stockViolations(BEFORE, { ...after, operations: 10 }, acknowledged, adjusting), [
    "3 operations came, 4 to 4 were acknowledged",
  ]);
  const lost = { ...acknowledged, unknown: 1 };
  assertEquals(
    stockViolations(BEFORE, { ...after, operations: 12, units: 995, movements: 55 }, lost, adjusting),
    [],
  );
  assertEquals(stockViolations(BEFORE, { ...after, orders: 11 }, lost, adjusting), [
    "1 orders came, 0 to 0 were acknowledged",
  ]);
});
