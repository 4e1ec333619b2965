/** Which leases linger, and until when. The clock is the test's. */
import { assertEquals } from "@std/assert";
import type { StockKey } from "../../src/inventory/stock_key.ts";
import { LeaseTakenError, type Lock } from "../../src/lock/lock.ts";
import { LINGER_GOODS_MAX, LINGER_MS, Lingering, SHARED_MS } from "../../src/lanes/modes/lingering.ts";
import { RedlockGuards } from "../../src/lanes/modes/redlock.ts";
import { grantAllLock } from "../support/unguarded.ts";
import { SILENT } from "../support/silent_log.ts";

function bench() {
  const clock = { nowMs: 1000 };
  const over: string[] = [];
  let timer: { run: () => void; atMs: number } | undefined;
  const lingering = new Lingering((stockKeys) => over.push(`${stockKeys} at ${clock.nowMs}`), () => clock.nowMs, (
    run,
    ms,
  ) => {
    const set = timer = { run, atMs: clock.nowMs + ms };
    return () => timer = timer === set ? undefined : timer;
  });
  return {
    lingering,
    over,
    begin: (...stockKeys: number[]) => lingering.begin(new Set(stockKeys)),
    /** Lets time pass, and timers go off. */
    pass(ms: number) {
      const untilMs = clock.nowMs + ms;
      while (timer !== undefined && timer.atMs <= untilMs) {
        const { run, atMs } = timer;
        clock.nowMs = atMs;
        timer = undefined;
        run();
      }
      clock.nowMs = untilMs;
    },
  };
}

Deno.test("leases linger for a moment each, which begins anew with each batch", () => {
  const { begin, pass, over } = bench();
  assertEquals(begin(1), []);
  pass(1);
  assertEquals(begin(2, 3), []);
  pass(1);
  begin(1);
  pass(2 * LINGER_MS);
  assertEquals(over, [`2,3 at ${1001 + LINGER_MS}`, `1 at ${1002 + LINGER_MS}`]);
  begin(1);
  pass(LINGER_MS);
  assertEquals(over.length, 3);
});

Deno.test("what others want does not linger for a while, and neither do the leases of a large batch", () => {
  const { begin, pass, lingering, over } = bench();
  lingering.share([1]);
  lingering.share([2], 10);
  assertEquals(begin(1, 2, 3), [1, 2]);
  pass(10);
  assertEquals(begin(1, 2), [1]);
  pass(SHARED_MS);
  assertEquals(begin(1), []);
  pass(LINGER_MS);
  assertEquals(over.length, 3);
  const goods = Array.from({ length: LINGER_GOODS_MAX + 1 }, (_, i) => i + 1);
  assertEquals(begin(...goods), goods);
});

Deno.test("once it is stopped nobody is called", () => {
  const { begin, pass, lingering, over } = bench();
  begin(1);
  lingering.stop();
  pass(2 * LINGER_MS);
  assertEquals(over, []);
});

/** Guards over a lock that says what it was asked, and when it was asked to release something. */
function guardsBench() {
  const asked: string[] = [];
  let released = Promise.withResolvers<void>();
  const refusals: Error[] = [];
  const hints: StockKey[] = [];
  const lock: Lock = {
    ...grantAllLock(),
    acquire(stockKeys) {
      const refusal = refusals.shift();
      if (refusal !== undefined) return Promise.reject(refusal);
      asked.push(`take ${stockKeys}`);
      return Promise.resolve({
        remainingMs: () => 5000,
        extend: () => Promise.resolve(),
        release: (part) => {
          asked.push(`release ${part}`);
          released.resolve();
          released = Promise.withResolvers();
          return Promise.resolve();
        },
      });
    },
    wantedByOthers: () => Promise.resolve(hints),
  };
  const guards = new RedlockGuards({ concurrency: "redlock", lock, quorumLoss: "refuse" }, SILENT);
  return {
    guards,
    asked,
    refusals,
    nextRelease: () => released.promise,
    async batch(...stockKeys: number[]) {
      await guards.take(stockKeys);
      guards.batchOver(stockKeys);
      guards.linger(new Set(stockKeys), () => false);
    },
  };
}

Deno.test("the lease of a lone order lingers, and is released when nobody came back", async () => {
  const { batch, asked, nextRelease } = guardsBench();
  const release = nextRelease();
  await batch(1);
  await batch(1);
  assertEquals(asked, ["take 1"]);
  await release;
  assertEquals(asked, ["take 1", "release 1"]);
});

Deno.test("goods that another process had are released at once", async () => {
  const { batch, asked, refusals } = guardsBench();
  refusals.push(new LeaseTakenError("taken", [1]));
  await batch(1);
  await batch(1);
  await batch(1);
  assertEquals(asked, ["take 1", "release 1", "take 1", "release 1"]);
});

Deno.test("who closes releases what lingers at once", async () => {
  const { batch, asked, guards } = guardsBench();
  await batch(1);
  guards.releaseAll();
  assertEquals(asked, ["take 1", "release 1"]);
});
