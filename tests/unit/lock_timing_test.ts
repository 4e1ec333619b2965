/** The arithmetic of leases: how long one is good for. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { usableValidityMs, validityMs } from "../../src/lock/validity.ts";

const ttl = fc.integer({ min: 10, max: 600_000 });

Deno.test("a lease is good for its TTL less the drift of the clocks and the time spent on getting it", () => {
  assertEquals(validityMs(5000, 0), 5000 - 50 - 2);
  assertEquals(validityMs(5000, 1000), 3948);
  fc.assert(fc.property(ttl, fc.double({ min: 0, max: 1e6, noNaN: true }), (ttlMs, spentMs) => {
    const left = validityMs(ttlMs, spentMs);
    assert(left < ttlMs - spentMs, "it promises more than Redis keeps");
    assert(left >= ttlMs * 0.98 - 3 - spentMs, "it gives away too much");
  }));
});

Deno.test("what a lease is handed out with is reachable, and at least half of the TTL", () => {
  fc.assert(fc.property(ttl, (ttlMs) => {
    assert(usableValidityMs(ttlMs) >= ttlMs / 2);
    assert(usableValidityMs(ttlMs) <= validityMs(ttlMs, 0), "no lease could ever be handed out");
  }));
});
