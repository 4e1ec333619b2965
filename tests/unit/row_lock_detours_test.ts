/** What the log says of batches that go by row locks although their mode is another: all of them, and seldom. */
import { assertEquals } from "@std/assert";
import { RowLockDetours } from "../../src/lanes/modes/row_lock_detours.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { SILENT } from "../support/silent_log.ts";

Deno.test("the first is logged at once, the others together, a line in ten seconds", () => {
  const logged: Record<string, unknown>[] = [];
  const log: Log = { ...SILENT, info: (fields) => void logged.push(fields) };
  let nowMs = 5_000;
  const detours = new RowLockDetours(log, () => nowMs);
  detours.note("severalGoods");
  assertEquals(logged, [{ severalGoods: 1, failedAttempts: 0 }]);
  for (let i = 0; i < 1000; i++) detours.note(i % 4 === 0 ? "failedAttempts" : "severalGoods");
  nowMs += 9_999;
  detours.note("severalGoods");
  assertEquals(logged.length, 1);
  nowMs += 1;
  detours.note("severalGoods");
  assertEquals(logged.slice(1), [{ severalGoods: 752, failedAttempts: 250 }]);
  nowMs += 10_000;
  detours.note("failedAttempts");
  assertEquals(logged.slice(2), [{ severalGoods: 0, failedAttempts: 1 }]);
});
