import { assertEquals, assertRejects } from "@std/assert";
import { backoffMs } from "../../src/base/backoff.ts";
import { settledWithin } from "../../src/base/bounded_wait.ts";

Deno.test("a promise is waited for until it settles, or for the time that it has", async () => {
  assertEquals(await settledWithin(Promise.resolve("soon"), 60_000), true);
  assertEquals(await settledWithin(new Promise(() => {}), 1), false);
  await assertRejects(() => settledWithin(Promise.reject(new Error("failed")), 60_000), Error, "failed");
});

Deno.test("a wait grows with every failure in a row, up to its maximum, and is drawn between its bounds", () => {
  const bounds = { leastMs: 10, firstMs: 20, growth: 2, maxMs: 100 };
  assertEquals([1, 2, 3, 4, 5000].map((failures) => backoffMs(bounds, failures, 0)), [10, 10, 10, 10, 10]);
  assertEquals([1, 2, 3, 4, 5000].map((failures) => backoffMs(bounds, failures, 0.5)), [15, 25, 45, 55, 55]);
});
