/** Which of the refused calls have a line, by a clock of its own. */
import { assertEquals } from "@std/assert";
import { RefusalAudit } from "../../src/auth/refusal_audit.ts";
import { SILENT } from "../support/silent_log.ts";

const REFUSED = { reason: "right_missing", method: "/a/B", address: "192.0.2.1", requestId: "r" } as const;

Deno.test("of a flood twenty calls have a line, then one a second, which says how many had none before it", () => {
  let now = 1_000;
  const lines: (number | undefined)[] = [];
  const warn = (fields: object) => void lines.push((fields as { unloggedBefore?: number }).unloggedBefore);
  const audit = new RefusalAudit({ ...SILENT, warn }, () => now);
  const refuse = (times: number) => Array.from({ length: times }, () => audit.note(REFUSED));

  refuse(25);
  assertEquals(lines, Array(20).fill(undefined));
  now += 999;
  refuse(1);
  assertEquals(lines.length, 20);
  now += 1;
  refuse(2);
  assertEquals(lines.slice(20), [6]);
  now += 60_000;
  refuse(30);
  assertEquals(lines.slice(21), [1, ...Array(19).fill(undefined)]);
  assertEquals([...audit.counts], [["right_missing", 58]]);
});
