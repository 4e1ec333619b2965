/** For how long leases are kept, and that others get their turn. The lock is recorded, the clock is the test's. */
import { assertEquals, assertRejects } from "@std/assert";
import { HOLD_MS_FIRST, HOLD_MS_MAX, KeptLeases, PAUSE_MS } from "../../src/lanes/kept_leases.ts";
import { type Lock, LockHeldError, QuorumLostError } from "../../src/lock/lock.ts";

/** Leases over a lock that tells what it was asked. */
function kept() {
  const asked: string[] = [];
  const answers: Error[] = [];
  const clock = { nowMs: 1000 };
  const lock: Lock = {
    acquire(goodsIds) {
      const refusal = answers.shift();
      asked.push(`${refusal === undefined ? "take" : "ask"} ${goodsIds}`);
      if (refusal !== undefined) return Promise.reject(refusal);
      return Promise.resolve({
        remainingMs: () => 5000,
        release: (part) => Promise.resolve(void asked.push(`let go ${part}`)),
      });
    },
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const leases = new KeptLeases(lock, () => clock.nowMs);
  return {
    leases,
    clock,
    asked,
    answers,
    /** One batch: takes the goods, finds and leaves them at a version, and is over. */
    async batch(goodsIds: number[], version: number, wanted: boolean, tookMs = 10) {
      const refused = await leases.take(goodsIds);
      if (refused !== undefined) return refused;
      for (const goodsId of goodsIds) leases.found(goodsId, version - 1);
      for (const goodsId of goodsIds) leases.left(goodsId, version);
      clock.nowMs += tookMs;
      leases.afterBatch(goodsIds);
      leases.letGoIdle(() => wanted);
      return undefined;
    },
  };
}

Deno.test("a lease is kept from batch to batch while work waits, and let go when none does", async () => {
  const { batch, asked, leases } = kept();
  await batch([1], 2, true);
  await batch([1], 3, true);
  await batch([1], 4, false);
  assertEquals(asked, ["take 1", "let go 1"]);
  assertEquals(leases.held, 0);
});

Deno.test("of several goods those that are wanted are kept, and only what is missing is asked for", async () => {
  const { leases, asked } = kept();
  await leases.take([1, 2, 3]);
  leases.afterBatch([1, 2, 3]);
  leases.letGoIdle((goodsId) => goodsId === 2);
  await leases.take([2, 4]);
  leases.afterBatch([2, 4]);
  leases.letGoIdle(() => false);
  assertEquals(asked, ["take 1,2,3", "let go 1,3", "take 4", "let go 2", "let go 4"]);
});

Deno.test("what was held for long enough is let go, and left to others for a pause", async () => {
  const { batch, asked, clock } = kept();
  for (let version = 2; version <= 6; version++) await batch([1], version, true, HOLD_MS_FIRST / 5);
  assertEquals(asked, ["take 1", "let go 1"]);
  const refused = await batch([1], 7, true);
  assertEquals([refused?.goodsIds, refused?.afterMs], [[1], PAUSE_MS]);
  clock.nowMs += PAUSE_MS - 1;
  assertEquals((await batch([1], 7, true))?.afterMs, 1);
  assertEquals(asked.length, 2, "nobody was asked in the pause");
  clock.nowMs += 1;
  assertEquals(await batch([1], 7, true), undefined);
});

/** Holds the goods until it must be let go, and waits the pause out; answers for how long it was held. */
async function holdOnce(on: ReturnType<typeof kept>, version: number): Promise<{ heldMs: number; version: number }> {
  const startMs = on.clock.nowMs;
  const { length } = on.asked;
  while (on.asked.length < length + 2) await on.batch([1], ++version, true, 10);
  const heldMs = on.clock.nowMs - startMs;
  on.clock.nowMs += PAUSE_MS;
  return { heldMs, version };
}

Deno.test("the hold grows while nobody else turns up, and is short again once somebody did", async () => {
  const on = kept();
  const holds: number[] = [];
  let version = 1;
  for (let i = 0; i < 5; i++) {
    const held = await holdOnce(on, version);
    holds.push(held.heldMs);
    version = held.version;
  }
  assertEquals(holds, [50, 100, 200, HOLD_MS_MAX, HOLD_MS_MAX]);
  // Somebody else sold some in the pause.
  assertEquals((await holdOnce(on, version + 3)).heldMs, HOLD_MS_FIRST);
});

Deno.test("a break with nothing to do does not begin the hold anew, unless somebody else had the goods", async () => {
  const { batch, clock } = kept();
  await batch([1], 2, false, 30);
  clock.nowMs += 5;
  await batch([1], 3, false, 20);
  assertEquals((await batch([1], 4, false))?.afterMs, PAUSE_MS, "50 ms with a short break are a whole hold");

  const other = kept();
  await other.batch([1], 2, false, 30);
  other.clock.nowMs += 5;
  await other.batch([1], 4, false, 20);
  assertEquals(await other.batch([1], 5, false), undefined, "version 3 was somebody else's");
});

Deno.test("a goods that was let go long ago is held as if for the first time", async () => {
  for (const others of [0, 3]) {
    const { batch, clock } = kept();
    await batch([1], 2, false, 49);
    clock.nowMs += PAUSE_MS;
    for (let goodsId = 2; goodsId < 2 + others; goodsId++) await batch([goodsId], 2, false, PAUSE_MS);
    await batch([1], 3, false, 40);
    assertEquals(await batch([1], 4, false), undefined);
  }
});

Deno.test("goods that others hold are told apart where the lock can tell them", async () => {
  const { leases, answers, asked } = kept();
  answers.push(new LockHeldError("held", [2]));
  assertEquals((await leases.take([1, 2, 3]))?.goodsIds, [2]);
  // Where it can't, whoever collided may be gone by now.
  answers.push(new LockHeldError("held"));
  assertEquals(await leases.take([1, 3]), undefined);
  answers.push(new LockHeldError("held"), new LockHeldError("held"), new LockHeldError("held"));
  assertEquals((await leases.take([3, 4]))?.goodsIds, [4]);
  assertEquals(asked, ["ask 1,2,3", "ask 1,3", "take 1,3", "ask 4", "ask 4", "ask 4"]);
  answers.push(new QuorumLostError("two of five"));
  await assertRejects(() => leases.take([5]), QuorumLostError);
  leases.letGoAll();
  assertEquals([leases.held, asked.at(-1)], [0, "let go 1,3"]);
});
