/** How many batches go side by side. */
import { assertEquals } from "@std/assert";
import { BatchesUnderWay } from "../../src/lanes/batches_under_way.ts";

Deno.test("two young batches go side by side, more beside old ones or where a whole one waits, and never more than the most", () => {
  let nowMs = 1_000;
  const underWay = new BatchesUnderWay(4, { monotonicMs: () => nowMs });
  const mayBegin = () => [underWay.mayBegin(false), underWay.mayBegin(true)];
  assertEquals(mayBegin(), [true, true]);
  const first = underWay.begin();
  assertEquals(mayBegin(), [true, true]);
  underWay.begin();
  assertEquals(mayBegin(), [false, true]);
  nowMs += 49;
  underWay.begin();
  assertEquals(mayBegin(), [false, true]);
  // The first two are old now, and the third is not.
  nowMs += 1;
  assertEquals(mayBegin(), [true, true]);
  const fourth = underWay.begin();
  assertEquals([...mayBegin(), underWay.size], [false, false, 4]);
  assertEquals([underWay.end(first), underWay.end(fourth), underWay.size], [50, 0, 2]);
  assertEquals(mayBegin(), [true, true]);
});
