import { assertEquals } from "@std/assert";
import type { Connection } from "../../src/transport/connections.ts";
import type { Exchange } from "../../src/transport/exchange.ts";
import { LISTENER_LIMITS } from "../../src/transport/limits.ts";
import type { Caller } from "../../src/transport/peers.ts";
import { createSweep } from "../../src/transport/reaper.ts";
import { SILENT } from "../support/silent_log.ts";

const LIMITS = { ...LISTENER_LIMITS, slowBodiesMax: 0, slowBodyMs: 2_000, requestBodyMs: 10_000, sweepMs: 1_000 };

Deno.test("a body is given up when its peer was slow", () => {
  const { sweepAt, ends } = sweeping();
  sweepAt(1_000);
  sweepAt(2_000);
  assertEquals(ends, []);
  sweepAt(3_000);
  assertEquals(ends, ["surplus"]);
});

Deno.test("a body that nobody could read while the event loop was blocked is not slow", () => {
  for (const late of [3_500, 30_000]) {
    const { sweepAt, ends, complete } = sweeping();
    sweepAt(1_000);
    sweepAt(late);
    assertEquals(ends, []);
    complete();
    sweepAt(late + 1_000);
    assertEquals(ends, []);
  }
});

Deno.test("a lag that is short is taken off, and who is slow is given up in the pass after it", () => {
  const { sweepAt, ends } = sweeping();
  sweepAt(1_000);
  sweepAt(2_900);
  assertEquals(ends, []);
  sweepAt(3_900);
  assertEquals(ends, ["surplus"]);
});

Deno.test("a body that takes all of its time has a slow peer", () => {
  const { sweepAt, ends } = sweeping({ ...LIMITS, slowBodiesMax: 1 });
  for (let at = 1_000; at <= 10_000; at += 1_000) sweepAt(at);
  assertEquals(ends, []);
  sweepAt(11_000);
  assertEquals(ends, ["slow"]);
});

/**
 * A sweep from the time 0 on, over one connection with one request that came at 0 and whose body does not end by
 * itself.
 */
function sweeping(limits = LIMITS) {
  let now = 0;
  let isRequestComplete = false;
  const ends: string[] = [];
  const exchange: Partial<Exchange> = {
    caller: { peer: {}, address: "a" } as unknown as Caller,
    startedAt: 0,
    answeredAt: undefined,
    isAnswerEnded: false,
    get isRequestComplete() {
      return isRequestComplete;
    },
    giveUp: (why) => void ends.push(why),
  };
  // Only what a sweep uses of them.
  const connection = { quietSince: 0, http1: {}, exchanges: new Set([exchange]) } as unknown as Connection;
  const sweep = createSweep([connection], limits, SILENT, () => now);
  return {
    ends,
    complete: () => isRequestComplete = true,
    sweepAt(at: number) {
      now = at;
      sweep();
    },
  };
}

Deno.test("who has many slow bodies drives out nobody else, and nobody as long as they are within the limit", () => {
  const surplus = (bodies: Readonly<Record<string, number>>) => {
    const gone: string[] = [];
    const connections = Object.entries(bodies).map(([key, count]) => {
      const caller = { peer: { key }, address: key } as unknown as Caller;
      const exchanges = Array.from({ length: count }, (): Partial<Exchange> => ({
        caller,
        startedAt: 0,
        answeredAt: undefined,
        isAnswerEnded: false,
        isRequestComplete: false,
        giveUp: () => void gone.push(key),
      }));
      return { quietSince: 0, http1: {}, exchanges: new Set(exchanges) } as unknown as Connection;
    });
    let now = 0;
    const sweep = createSweep(
      connections,
      { ...LIMITS, slowBodiesMax: 8, slowBodiesPerAddressMax: 2 },
      SILENT,
      () => now,
    );
    for (now = 1_000; now <= 3_000; now += 1_000) sweep();
    return gone.join("");
  };
  assertEquals(surplus({ a: 8 }), "");
  assertEquals(surplus({ a: 7, b: 2 }), "aaaaa");
  assertEquals(surplus({ b: 1, a: 20, c: 1 }), "a".repeat(18));
  assertEquals(surplus({ a: 2, b: 2, c: 2, d: 2, e: 2 }), "ee");
});
