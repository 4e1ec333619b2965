/** For how long leases stay ours, and that others get their turn. The lock is recorded, the clock is the test's. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  LeaseCache,
  PAUSE_MS_MAX,
  PAUSE_MS_MIN,
  SHARE_AFTER_MS,
  SHARE_AFTER_MS_MAX,
} from "../../src/lanes/modes/lease_cache.ts";
import { LeaseLostError, LeaseTakenError, type Lock, QuorumLostError } from "../../src/lock/lock.ts";

/** A lease cache over a lock that records what it was asked. */
function bench() {
  const asked: string[] = [];
  const refusals: Error[] = [];
  const clock = { nowMs: 1000, attemptMs: 0 };
  const others = { want: false };
  const lock: Lock = {
    acquire(stockKeys) {
      const refusal = refusals.shift();
      clock.nowMs += clock.attemptMs;
      asked.push(`${refusal === undefined ? "take" : "ask"} ${stockKeys}`);
      if (refusal !== undefined) return Promise.reject(refusal);
      return Promise.resolve({
        remainingMs: () => 5000,
        extend: () => Promise.resolve(),
        release: (part) => Promise.resolve(void asked.push(`release ${part}`)),
      });
    },
    wantedByOthers(stockKeys) {
      asked.push(`look ${stockKeys}`);
      return Promise.resolve(others.want ? stockKeys : []);
    },
    seemsFree: () => Promise.resolve(false),
    status: () => ({ quorum: 3, ttlMs: 5000, nodes: [], leases: [] }),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const leases = new LeaseCache(lock, () => clock.nowMs);
  return {
    leases,
    clock,
    asked,
    refusals,
    others,
    /** One batch: takes the goods, works for a while, and is over; answers what was refused. */
    async batch(stockKeys: number[], wanted: boolean, tookMs = 10) {
      const refused = await leases.take(stockKeys);
      if (refused !== undefined) return refused;
      clock.nowMs += tookMs;
      leases.batchOver(stockKeys);
      leases.releaseUnwanted(stockKeys, () => wanted);
      await leases.releaseDue(stockKeys);
      return undefined;
    },
  };
}

Deno.test("a lease stays from batch to batch while work waits, and is released when none does", async () => {
  const { batch, asked, leases } = bench();
  await batch([1], true);
  await batch([1], true);
  await batch([1], false);
  assertEquals(asked, ["take 1", "release 1"]);
  assertEquals(leases.size, 0);
});

Deno.test("of several goods those that are wanted stay, and only what is missing is asked for", async () => {
  const { leases, asked } = bench();
  await leases.take([1, 2, 3]);
  leases.batchOver([1, 2, 3]);
  leases.releaseUnwanted([1, 2, 3], (goodsId) => goodsId === 2);
  await leases.take([2, 4]);
  leases.batchOver([2, 4]);
  leases.releaseUnwanted([2, 4], () => false);
  assertEquals(asked, ["take 1,2,3", "release 1,3", "take 4", "release 2", "release 4"]);
});

Deno.test("what others want is released after a while, and left to them for a pause", async () => {
  const { batch, asked, clock, others } = bench();
  others.want = true;
  for (let i = 0; i < 5; i++) await batch([1], true, SHARE_AFTER_MS / 5);
  assertEquals(asked, ["take 1", "look 1", "release 1"]);
  const refused = await batch([1], true);
  assertEquals([refused?.stockKeys, refused?.afterMs], [[1], PAUSE_MS_MIN]);
  clock.nowMs += PAUSE_MS_MIN - 1;
  assertEquals((await batch([1], true))?.afterMs, 1);
  assertEquals(asked.length, 3, "nobody was asked in the pause");
  clock.nowMs += 1;
  assertEquals(await batch([1], true), undefined);
});

Deno.test("what nobody else wants stays, looked at now and then, and is released after a longer while all the same", async () => {
  const { batch, asked, clock } = bench();
  const startMs = clock.nowMs;
  while (!asked.includes("release 1")) await batch([1], true, 10);
  assertEquals(clock.nowMs - startMs, SHARE_AFTER_MS_MAX);
  assertEquals(asked.filter((line) => line === "look 1").length, SHARE_AFTER_MS_MAX / SHARE_AFTER_MS);
  assertEquals((await batch([1], true))?.afterMs, PAUSE_MS_MIN);
});

Deno.test("a break with nothing to do does not begin its time anew, a longer one does", async () => {
  for (const [breakMs, expected] of [[PAUSE_MS_MIN - 1, "release"], [PAUSE_MS_MIN, "cached"]] as const) {
    const { batch, clock, others, leases } = bench();
    await batch([1], false, SHARE_AFTER_MS - 10);
    clock.nowMs += breakMs;
    others.want = true;
    await batch([1], true, 10);
    assertEquals(leases.size === 0 ? "release" : "cached", expected, `after ${breakMs} ms`);
  }
});

Deno.test("a goods that a batch has is nobody's to release", async () => {
  const { leases, clock, others, asked } = bench();
  others.want = true;
  await leases.take([1]);
  clock.nowMs += SHARE_AFTER_MS_MAX;
  leases.releaseUnwanted([1], () => false);
  await leases.releaseDue([1]);
  assertEquals(asked, ["take 1"]);
});

Deno.test("a batch's leases are not released under it, whether they were asked for or stayed from the one before", async () => {
  const { leases, clock, others, asked } = bench();
  others.want = true;
  for (let batch = 0; batch < 2; batch++) {
    assertEquals(await leases.take([1, 2]), undefined);
    clock.nowMs += SHARE_AFTER_MS;
    leases.releaseUnwanted([1, 2], () => false);
    await leases.releaseDue([1, 2]);
    assertEquals([asked, leases.size], [["take 1,2"], 2]);
    leases.batchOver([1, 2]);
    leases.releaseUnwanted([1, 2], () => true);
  }
  leases.releaseUnwanted([1], () => false);
  assertEquals(asked, ["take 1,2", "release 1"]);
});

Deno.test("the pause is as long as attempts take here, twice, within bounds", async () => {
  for (const [attemptMs, pauseMs] of [[1, PAUSE_MS_MIN], [20, 12 + 2 * 20], [49, 12 + 2 * 49], [200, PAUSE_MS_MAX]]) {
    const { batch, clock, others, leases, refusals } = bench();
    clock.attemptMs = attemptMs!;
    // Refused or not, it is what an attempt takes; one that had no answer says nothing.
    for (let i = 0; i < 40; i++) {
      if (i % 2 === 0) refusals.push(new LeaseTakenError("taken", [2]));
      await batch([2], false);
      leases.release([2]);
    }
    clock.attemptMs = 1000;
    for (let i = 0; i < 40; i++) {
      refusals.push(new QuorumLostError("two of five"));
      await assertRejects(() => leases.take([2]), QuorumLostError);
    }
    clock.attemptMs = attemptMs!;
    others.want = true;
    await batch([3], true, SHARE_AFTER_MS);
    const refused = await batch([3], true);
    assert(Math.abs((refused?.afterMs ?? 0) - pauseMs!) < 2, `${attemptMs} ms: ${refused?.afterMs}, not ${pauseMs}`);
    clock.nowMs += refused?.afterMs ?? 0;
    assertEquals(await batch([3], true), undefined);
  }
});

Deno.test("of several goods those that others have are refused, where the lock knows which", async () => {
  const { leases, refusals, asked } = bench();
  refusals.push(new LeaseTakenError("taken", [2]));
  assertEquals((await leases.take([1, 2, 3]))?.stockKeys, [2]);
  // Where it does not, whoever collided may be gone by now.
  refusals.push(new LeaseTakenError("taken"));
  assertEquals(await leases.take([1, 3]), undefined);
  refusals.push(new LeaseTakenError("taken"), new LeaseTakenError("taken"), new LeaseTakenError("taken"));
  assertEquals((await leases.take([3, 4]))?.stockKeys, [4]);
  assertEquals(asked, ["ask 1,2,3", "ask 1,3", "take 1,3", "ask 4", "ask 4", "ask 4"]);
  refusals.push(new QuorumLostError("two of five"));
  await assertRejects(() => leases.take([5]), QuorumLostError);
  leases.releaseAll();
  assertEquals([leases.size, asked.at(-1)], [0, "release 1,3"]);
});

Deno.test("a write goes under leases that last for all of it: what has too little left is extended, and that must be enough", async () => {
  /** What each lease has left, and has once it is extended; undefined: that is refused. */
  const rows: readonly [left: number[], extended: (number | undefined)[], extensions: number, isEnough: boolean][] = [
    [[1000, 1000], [0, 0], 0, true],
    [[999, 1000], [5000, 0], 1, true],
    [[999, 0], [1000, 1000], 2, true],
    [[999, 5000], [999, 0], 1, false],
    [[999, 999], [5000, 999], 2, false],
    [[999, 999], [5000, undefined], 2, false],
  ];
  for (const [left, extended, extensions, isEnough] of rows) {
    const now = [...left];
    let asked = 0;
    const lock: Lock = {
      acquire([key]) {
        const goodsId = key as number;
        return Promise.resolve({
          remainingMs: () => now[goodsId!]!,
          extend() {
            asked++;
            const ms = extended[goodsId!];
            if (ms === undefined) return Promise.reject(new LeaseLostError("somebody else's"));
            now[goodsId!] = ms;
            return Promise.resolve();
          },
          release: () => Promise.resolve(),
        });
      },
      wantedByOthers: () => Promise.resolve([]),
      seemsFree: () => Promise.resolve(false),
      status: () => ({ quorum: 3, ttlMs: 5000, nodes: [], leases: [] }),
      ping: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const leases = new LeaseCache(lock, () => 1000);
    for (const goodsId of left.keys()) assertEquals(await leases.take([goodsId]), undefined);
    assertEquals([await leases.extend([0, 1], 1000), asked], [isEnough, extensions], JSON.stringify([left, extended]));
  }
});

Deno.test("goods that are not ours are not extended", async () => {
  const { leases } = bench();
  await leases.take([1]);
  assertEquals([await leases.extend([1, 2], 1000), await leases.extend([1], 1000)], [false, true]);
});
