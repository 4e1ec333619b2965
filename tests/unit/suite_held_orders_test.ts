/** The fault suite's rule for an order that a stranger holds: it costs that order, and nobody else. */
import { assertEquals } from "@std/assert";
import { heldOrderCosts } from "../faults/suite/held_orders.ts";
import type { Answer, Call, Request } from "../faults/suite/history.ts";

const ABORTED: Answer = { outcome: "refused", code: "aborted", details: [] };

function rolledBack(orderId: string, invokedMs: number, answer: Answer): Call {
  const request: Request = { kind: "rollback", orderId, rollbackId: "", lines: [] };
  return { operation: invokedMs, request, server: "row-1", invokedMs, answeredMs: invokedMs + 2000, answer };
}

Deno.test("only others who began while it was held, and were refused as too late, are told", () => {
  const held = [{ orderId: "held", fromMs: 100, toMs: 200 }];
  const fine: Call[] = [
    rolledBack("held", 150, ABORTED),
    rolledBack("before", 99, ABORTED),
    rolledBack("after", 201, ABORTED),
    rolledBack("done", 150, { outcome: "ok", body: {} }),
    rolledBack("short", 150, { outcome: "refused", code: "failed_precondition", details: [] }),
  ];
  assertEquals(heldOrderCosts(fine, held), { others: 2, violations: [] });
  const { others, violations } = heldOrderCosts([...fine, rolledBack("other", 200, ABORTED)], held);
  assertEquals([others, violations.length], [3, 1]);
  assertEquals(violations[0]?.includes("row-1 refused") && violations[0].includes("other"), true, violations[0]);
});
