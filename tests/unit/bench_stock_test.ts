import { assertEquals } from "@std/assert";
import { stockViolations } from "../../bench/stock_violations.ts";

const BEFORE = { orders: 10, units: 1000, movements: 50 };
const SOLD = { orders: 4, units: 6, unknownOrders: 0, unitsPerOrderMax: 3 };

Deno.test("a stock that has what was acknowledged is clean", () => {
  assertEquals(stockViolations(BEFORE, { orders: 14, units: 994, movements: 56 }, SOLD, true), []);
  // The article's approach keeps units only.
  const after = { orders: 10, units: 994, movements: 50 };
  assertEquals(stockViolations(BEFORE, after, { ...SOLD, orders: 0 }, false), []);
});

Deno.test("a sale that is lost, doubled or not in the ledger is reported", () => {
  const after = (changes: object) =>
    stockViolations(BEFORE, { orders: 14, units: 994, movements: 56, ...changes }, SOLD, true);
  assertEquals(after({ orders: 13 }), ["3 orders came, 4 to 4 were acknowledged"]);
  assertEquals(after({ orders: 15 }), ["5 orders came, 4 to 4 were acknowledged"]);
  assertEquals(after({ units: 995, movements: 55 }), ["5 units left the stock, 6 to 6 were sold"]);
  assertEquals(after({ units: 993, movements: 57 }), ["7 units left the stock, 6 to 6 were sold"]);
  assertEquals(after({ movements: 55 }), ["5 movements for 6 units"]);
});

Deno.test("orders whose end nobody knows may be in the stock, whole, or not", () => {
  const sold = { ...SOLD, unknownOrders: 2 };
  for (const more of [0, 1, 2]) {
    const after = { orders: 14 + more, units: 994 - 3 * more, movements: 56 + 3 * more };
    assertEquals(stockViolations(BEFORE, after, sold, true), []);
  }
  const after = { orders: 17, units: 985, movements: 65 };
  assertEquals(stockViolations(BEFORE, after, sold, true), [
    "15 units left the stock, 6 to 12 were sold",
    "7 orders came, 4 to 6 were acknowledged",
  ]);
});
