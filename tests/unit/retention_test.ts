/** What there is to do to keep movements for so long and no longer. */
import { assertEquals } from "@std/assert";
import { planRetention } from "../../src/retention/plan.ts";

const DAY = 86_400_000;
const NOW = 1_000 * DAY;
const WINDOW = { keptMs: 90 * DAY, periodMs: 30 * DAY };
const period = (number: number, daysAgo: number) => ({ period: number, beganAtMs: NOW - daysAgo * DAY });

Deno.test("one table is divided and its period ends; later periods end by their length", () => {
  assertEquals(planRetention(NOW, [], WINDOW), { divides: true, begins: 2, drops: [] });
  const first = { period: 1, beganAtMs: -Infinity };
  assertEquals(planRetention(NOW, [first], WINDOW), { divides: false, begins: 2, drops: [] });
  assertEquals(planRetention(NOW, [first, period(2, 29)], WINDOW), { divides: false, begins: undefined, drops: [] });
  assertEquals(planRetention(NOW, [first, period(2, 30)], WINDOW), { divides: false, begins: 3, drops: [] });
});

Deno.test("a period leaves when the one behind it is as old as the window, and the one that is written never", () => {
  const first = { period: 1, beganAtMs: -Infinity };
  const drops = (...periods: Parameters<typeof planRetention>[1]) => planRetention(NOW, periods, WINDOW).drops;
  assertEquals(drops(first, period(2, 89)), []);
  assertEquals(drops(first, period(2, 90)), [1]);
  assertEquals(drops(period(2, 150), period(3, 120), period(4, 90), period(5, 60)), [2, 3]);
  assertEquals(drops(period(7, 900)), []);
});
