/** Holds that run out, and what buyers may have. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { changesNothing, settle } from "../../src/inventory/settle.ts";
import { decideAll, MemoryStore } from "../support/memory_store.ts";
import { START_MS } from "../support/operations.ts";
import { seenVerdict } from "../support/seen_verdict.ts";

const RUNS = 2000;
const AT_0 = { locationId: 0 };

Deno.test("an expired hold blocks nobody from the moment its time is up, before anybody has taken it off", () => {
  const place = { goodsId: 1, ...AT_0 };
  const store = new MemoryStore();
  const lines = [{ ...place, num: 5 }];
  decideAll(store, [
    { kind: "set", operationId: "s", ...place, num: 5 },
    { kind: "reserve", orderId: "h", lines, ttlMs: 10 },
  ], START_MS);
  const sell: Operation = { kind: "sell", orderId: "o", lines };
  const before = settle(store.snapshot([sell], START_MS + 9), [sell]);
  assertEquals(before.verdicts.map(seenVerdict), [{ no: "short_stock", lines: [["1", 5, 0]] }]);
  assert(changesNothing(before.changes));
  const after = settle(store.snapshot([sell], START_MS + 10), [sell]);
  assertEquals(after.verdicts.map(seenVerdict), [{ ok: "sell", took: { 1: 5 } }]);
  assertEquals(
    after.changes.movements.map(({ kind, orderId, version, reservedDelta, occurredAtMs }) => [
      kind,
      orderId,
      version,
      reservedDelta,
      occurredAtMs,
    ]),
    [["expire", "h", 3, -5, START_MS + 10], ["sell", "o", 4, 0, undefined]],
  );
});

Deno.test("where more holds are due than were read, settle() takes these off and decides nothing", () => {
  const place = { goodsId: 1, ...AT_0 };
  const store = new MemoryStore(1);
  decideAll(store, [
    { kind: "set", operationId: "s", ...place, num: 5 },
    { kind: "reserve", orderId: "h", lines: [{ ...place, num: 2 }], ttlMs: 10 },
    { kind: "reserve", orderId: "i", lines: [{ ...place, num: 3 }], ttlMs: 11 },
  ], START_MS);
  const sell: Operation = { kind: "sell", orderId: "o", lines: [{ ...place, num: 5 }] };
  const { verdicts, changes } = settle(store.snapshot([sell], START_MS + 20), [sell]);
  assertEquals([verdicts, changes.movements.length, changes.holdsFromMs], [[], 1, START_MS + 10]);
  assertEquals(decideAll(store, [sell], START_MS + 20).map(({ ok }) => ok), [true]);
});

Deno.test("no buyer ever has more than the cap within its window, in whatever parts and moments", () => {
  const CAP = 3;
  const WINDOW_MS = 20;
  const place = { goodsId: 1, ...AT_0 };
  const order = fc.record({
    orderId: fc.constantFrom("a", "b", "c", "d", "e"),
    num: fc.integer({ min: 1, max: 3 }),
    buyerId: fc.constantFrom("x", "x", "y"),
    ttlMs: fc.integer({ min: 1, max: 30 }),
    kind: fc.constantFrom("sell", "reserve", "reserve", "confirm", "extend", "release", "rollback"),
    afterMs: fc.constantFrom(0, 0, 1, 8, 25),
  });
  let full = 0;
  fc.assert(
    fc.property(fc.array(order, { maxLength: 30 }), fc.constantFrom(WINDOW_MS, undefined), (orders, buyerWindowMs) => {
      const store = new MemoryStore();
      let nowMs = START_MS;
      const policy = { safetyStock: 0, backorderMax: 0, buyerNumMax: CAP };
      decideAll(store, [
        { kind: "set", operationId: "s", ...place, num: 1000 },
        { kind: "policy", operationId: "p", ...place, policy: buyerWindowMs ? { ...policy, buyerWindowMs } : policy },
      ], nowMs);
      const batches = orders.map(({ orderId, num, buyerId, ttlMs, kind, afterMs }) => {
        const lines = [{ ...place, num }];
        const operation = {
          ...{
            sell: { kind, orderId, lines, buyerId },
            reserve: { kind, orderId, lines, buyerId, ttlMs },
          }[kind as "sell"],
          ...(kind === "confirm" ? { kind, orderId, lines: [], recordsShortfall: false } : {}),
          ...(kind === "extend" ? { kind, orderId, ttlMs } : {}),
          ...(kind === "release" ? { kind, orderId } : {}),
          ...(kind === "rollback" ? { kind, orderId, rollbackId: undefined, lines: [] } : {}),
        } as Operation;
        return { afterMs, operation };
      });
      for (let i = 0; i < batches.length;) {
        const together = [batches[i]!];
        nowMs += batches[i]!.afterMs;
        while (++i < batches.length && batches[i]!.afterMs === 0) together.push(batches[i]!);
        decideAll(store, together.map(({ operation }) => operation), nowMs);
        for (const buyer of ["x", "y"]) {
          let has = 0;
          for (const { buyerId, state, lines, returned, atMs, expiresAtMs } of store.orders.values()) {
            if (buyerId !== buyer) continue;
            const isWithin = buyerWindowMs === undefined || atMs > nowMs - buyerWindowMs;
            const counts = (state === "sold" && isWithin) || (state === "held" && expiresAtMs! > nowMs);
            if (counts) has += lines[0]!.num - returned[0]!;
          }
          assert(has <= CAP, `buyer ${buyer} has ${has}`);
          if (has === CAP) full++;
        }
      }
    }),
    { numRuns: RUNS },
  );
  assert(full > RUNS / 10);
});
