/** How many batches go side by side, and who waits for company. */
import { assertEquals } from "@std/assert";
import { batchesAfter, BatchesAtOnce, COMPANY_ENOUGH } from "../../src/lanes/batches_at_once.ts";

const MAX = 4;

Deno.test("the more of a batch's time is this process's own, the fewer go side by side", () => {
  const rows: readonly [now: number, share: number, next: number][] = [
    [4, 0.9, 3],
    [2, 0.5, 1],
    [1, 0.9, 1],
    [3, 0.49, 3],
    [3, 0.3, 3],
    [1, 0.29, 2],
    [3, 0, 4],
    [4, 0, 4],
  ];
  for (const [now, share, next] of rows) assertEquals(batchesAfter(now, share, MAX), next, `${now} at ${share}`);
});

/** Where 16 batches have ended so. */
function after(atOnce: BatchesAtOnce, looks: number, tookMs: number, turnMs: number): BatchesAtOnce {
  for (let i = 0; i < 16 * looks; i++) atOnce.note(tookMs, turnMs);
  return atOnce;
}

/** How many go beside each other while few wait. */
function many(atOnce: BatchesAtOnce, ready = 1): number {
  let underWay = 0;
  while (atOnce.mayBegin(underWay, () => ready)) underWay++;
  return underWay;
}

Deno.test("at first as many go as may, then by what their turns took, one more or fewer after every sixteen", () => {
  const atOnce = new BatchesAtOnce(MAX);
  assertEquals(many(atOnce), 4);
  for (let i = 0; i < 15; i++) atOnce.note(3, 3);
  assertEquals(many(atOnce), 4);
  atOnce.note(3, 3);
  assertEquals(many(atOnce), 3);
  assertEquals(many(after(atOnce, 5, 3, 3)), 1);
  assertEquals(many(after(atOnce, 1, 5, 0.1)), 2);
  assertEquals(many(after(atOnce, 5, 5, 0.1)), 4);
});

Deno.test("nobody waits where nothing is under way, where company is enough, or where what is under way is stuck", () => {
  const atOnce = after(new BatchesAtOnce(MAX), 9, 3, 3);
  assertEquals(atOnce.mayBegin(0, () => 1), true);
  assertEquals(atOnce.mayBegin(1, () => COMPANY_ENOUGH - 1), false);
  assertEquals(many(atOnce, COMPANY_ENOUGH), 4);
  atOnce.forget();
  assertEquals(many(atOnce), 4);
});
