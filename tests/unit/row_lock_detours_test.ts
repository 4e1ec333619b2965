/** What the log is told of batches that go by row locks beside their way: all of them, and seldom. */
import { assertEquals } from "@std/assert";
import { RowLockDetours } from "../../src/lanes/modes/row_lock_detours.ts";
import type { Log } from "../../src/telemetry/log.ts";

Deno.test("the first is told at once, the others together, a line in ten seconds", () => {
  const told: Record<string, unknown>[] = [];
  const log: Log = { debug() {}, info: (fields) => void told.push(fields), warn() {}, error() {} };
  let nowMs = 5_000;
  const detours = new RowLockDetours(log, () => nowMs);
  detours.note("severalGoods");
  assertEquals(told, [{ severalGoods: 1, failedAttempts: 0 }]);
  for (let i = 0; i < 1000; i++) detours.note(i % 4 === 0 ? "failedAttempts" : "severalGoods");
  nowMs += 9_999;
  detours.note("severalGoods");
  assertEquals(told.length, 1);
  nowMs += 1;
  detours.note("severalGoods");
  assertEquals(told.slice(1), [{ severalGoods: 752, failedAttempts: 250 }]);
  nowMs += 10_000;
  detours.note("failedAttempts");
  assertEquals(told.slice(2), [{ severalGoods: 0, failedAttempts: 1 }]);
});
