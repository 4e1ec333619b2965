import { assertEquals } from "@std/assert";
import type { Call } from "../faults/suite/history.ts";
import { namedCalls } from "../faults/suite/named_calls.ts";

const sold = { kind: "sell", orderId: "mixed-7", lines: [{ goodsId: 1, num: 2 }] } as const;
const BASE = { operation: 1, server: "mixed-1", answeredMs: undefined } as const;
const CUT = { outcome: "unknown", code: "cut" } as const;
const REFUSED = { outcome: "refused", code: "aborted", details: [] } as const;

Deno.test("beside a violation stands what callers saw of the order that it names, by their beginnings, and of no other", () => {
  const calls: Call[] = [
    { ...BASE, request: { ...sold, orderId: "mixed-77" }, invokedMs: 1_000, answer: CUT },
    { ...BASE, request: sold, server: "mixed-before", invokedMs: 3_500, answeredMs: 3_512, answer: REFUSED },
    { ...BASE, request: sold, invokedMs: 2_000, answer: CUT },
    { ...BASE, request: { kind: "detail", goodsId: 1 }, invokedMs: 2_500, answer: CUT },
  ];
  const asked = `{"kind":"sell","orderId":"mixed-7","lines":[{"goodsId":1,"num":2}]}`;
  assertEquals(namedCalls("mixed: order mixed-7: sold, though every call that asked for it was refused", calls), [
    `  1.000 s, mixed-1, never answered: ${asked} {"outcome":"unknown","code":"cut"}`,
    `  2.500 s, mixed-before, answered after 12 ms: ${asked} {"outcome":"refused","code":"aborted","details":[]}`,
  ]);
  assertEquals(namedCalls("mixed: goods 7 stands elsewhere", calls), []);
});

Deno.test("of very many calls the first are shown, and how many more there are", () => {
  const calls = Array.from({ length: 15 }, (_, i): Call => ({ ...BASE, request: sold, invokedMs: i, answer: CUT }));
  const shown = namedCalls("order mixed-7", calls);
  assertEquals([shown.length, shown.at(-1)], [13, "  and 3 more calls"]);
});
