import { assertEquals } from "@std/assert";
import { UnreadableMessages } from "../../src/rpc/messages/check.ts";
import { SILENT } from "../support/silent_log.ts";

Deno.test("what can't be read is counted one by one, and logged at most once in ten seconds", () => {
  const lines: unknown[] = [];
  const info = (fields: Record<string, unknown>, message: string) => void lines.push({ ...fields, message });
  let nowMs = 0;
  const unreadable = new UnreadableMessages({ ...SILENT, info }, () => nowMs);
  const message = "messages that can't be read were refused";
  unreadable.note("s/A", "first");
  assertEquals(lines, [{ count: 1, method: "s/A", reason: "first", message }]);
  for (nowMs = 1; nowMs < 10_000; nowMs++) unreadable.note("s/B", "flood");
  assertEquals([lines.length, unreadable.count], [1, 10_000]);
  unreadable.note("s/C", "last");
  assertEquals(lines.slice(1), [{ count: 10_000, method: "s/C", reason: "last", message }]);
  nowMs += 9_999;
  unreadable.note("s/C", "too soon");
  assertEquals([lines.length, unreadable.count], [2, 10_002]);
});
