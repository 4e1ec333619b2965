/** Turns: the order within one process, and that no place in line is ever lost. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import fc from "fast-check";
import { Failure, type FailureKind } from "../../src/lanes/failure.ts";
import { Turns } from "../../src/lanes/turns.ts";

const NEVER = new AbortController().signal;
const GOODS = [1, 2, 3, 4];
/** Only a hang reaches it. */
const HANG_MS = 10_000;

Deno.test("callers of one goods go one after the other, in the order in which they came", async () => {
  const turns = new Turns();
  const order: number[] = [];
  await Promise.all(Array.from({ length: 20 }, async (_, caller) => {
    const end = await turns.take([7], later(), NEVER);
    order.push(caller);
    await pause();
    order.push(caller);
    end();
  }));
  assertEquals(order, Array.from({ length: 40 }, (_, i) => Math.floor(i / 2)));
  await assertAllFree(turns);
});

Deno.test("callers of different goods do not wait for each other", async () => {
  const turns = new Turns();
  const ends = await Promise.all(GOODS.map((goodsId) => turns.take([goodsId], later(), NEVER)));
  for (const end of ends) end();
  await assertAllFree(turns);
});

Deno.test("ending a turn twice ends nobody else's", async () => {
  const turns = new Turns();
  const first = await turns.take([1], later(), NEVER);
  const second = turns.take([1], later(), NEVER);
  const third = turns.take([1], later(), NEVER);
  first();
  first();
  const endSecond = await second;
  assertEquals(turns.waiting, 1);
  endSecond();
  (await third)();
  await assertAllFree(turns);
});

Deno.test("callers of several goods wait for all of them and never for each other in a circle", async () => {
  const turns = new Turns();
  const holders = new Map(GOODS.map((goodsId) => [goodsId, 0]));
  const sets = [[1, 2], [2, 3], [3, 4], [1, 4], [1, 2, 3, 4], [2, 4], [1, 3]];
  await finished(
    sets.flatMap((goodsIds) => [goodsIds, goodsIds]).map(async (goodsIds) => {
      const end = await turns.take(goodsIds, later(), NEVER);
      enter(holders, goodsIds);
      await pause();
      leave(holders, goodsIds);
      end();
    }),
  );
  await assertAllFree(turns);
});

Deno.test("a caller that aborts frees its places, those that it had and the one that it waited for", async () => {
  const turns = new Turns();
  const endFirst = await turns.take([2], later(), NEVER);
  const controller = new AbortController();
  const leaver = turns.take([1, 2], later(), controller.signal);
  const behindIt = turns.take([1], later(), NEVER);
  const behindBoth = turns.take([2], later(), NEVER);
  assertEquals(turns.waiting, 3);

  const reason = new Error("the caller went away");
  controller.abort(reason);
  assertEquals(await leaver.catch((error) => error), reason);
  (await behindIt)();
  assertEquals(turns.waiting, 1);
  endFirst();
  (await behindBoth)();
  await assertAllFree(turns);
});

Deno.test("a caller whose signal had aborted before does not get in line", async () => {
  const turns = new Turns();
  const end = await turns.take([1], later(), NEVER);
  const reason = new Error("the caller was gone");
  assertEquals(await turns.take([1], later(), AbortSignal.abort(reason)).catch((error) => error), reason);
  assertEquals(turns.waiting, 0);
  end();
  await assertAllFree(turns);
});

Deno.test("a caller that waits for too long fails as busy and frees its places", async () => {
  const turns = new Turns();
  const end = await turns.take([2], later(), NEVER);
  assertFailure(await turns.take([1, 2], performance.now() + 5, NEVER).catch((error) => error), "busy");
  assertFailure(await turns.take([2], performance.now() - 1, NEVER).catch((error) => error), "busy");
  assertEquals(turns.waiting, 0);
  end();
  await assertAllFree(turns);
});

Deno.test("whoever comes, aborts or gives up: one at a time, everybody else is served, nothing is left", async () => {
  const caller = fc.record({
    goodsIds: fc.subarray(GOODS, { minLength: 1 }),
    comesAt: fc.nat(5),
    staysFor: fc.nat(3),
    leavesAt: fc.option(fc.nat(8), { nil: undefined, freq: 2 }),
    waitsMs: fc.constantFrom(1, 3, HANG_MS, HANG_MS, HANG_MS),
  });
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`fast-check seed ${seed}`);
  const ended = { served: 0, aborted: 0, busy: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 12 }), async (callers) => {
      const turns = new Turns();
      const holders = new Map(GOODS.map((goodsId) => [goodsId, 0]));
      await finished(callers.map(async ({ goodsIds, comesAt, staysFor, leavesAt, waitsMs }) => {
        const controller = new AbortController();
        await pause(comesAt);
        const leaving = leavesAt === undefined ? undefined : pause(leavesAt).then(() => controller.abort());
        try {
          const end = await turns.take(goodsIds, performance.now() + waitsMs, controller.signal);
          enter(holders, goodsIds);
          await pause(staysFor);
          leave(holders, goodsIds);
          end();
          ended.served++;
        } catch (error) {
          if (controller.signal.aborted && error === controller.signal.reason) ended.aborted++;
          else {
            assert(waitsMs < HANG_MS, `a caller that had time was not served: ${error}`);
            assertFailure(error, "busy");
            ended.busy++;
          }
        }
        await leaving;
      }));
      assertEquals(turns.waiting, 0);
      await assertAllFree(turns);
    }),
    { seed, numRuns: 80 },
  );
  assert(Object.values(ended).every((count) => count > 0), `not every ending was seen: ${JSON.stringify(ended)}`);
});

function enter(holders: Map<number, number>, goodsIds: readonly number[]): void {
  for (const goodsId of goodsIds) {
    holders.set(goodsId, (holders.get(goodsId) ?? 0) + 1);
    assertEquals(holders.get(goodsId), 1, `two callers have their turn on goods ${goodsId}`);
  }
}

function leave(holders: Map<number, number>, goodsIds: readonly number[]): void {
  for (const goodsId of goodsIds) holders.set(goodsId, (holders.get(goodsId) ?? 0) - 1);
}

/** Nobody is in any line: a turn on everything comes without waiting for anybody. */
async function assertAllFree(turns: Turns): Promise<void> {
  for (const goodsId of [...GOODS, 7]) {
    const end = await turns.take([goodsId], performance.now(), NEVER).catch((error) => {
      throw new Error(`somebody is still in line for goods ${goodsId}`, { cause: error });
    });
    end();
  }
}

function assertFailure(error: unknown, kind: FailureKind): void {
  assertInstanceOf(error, Failure);
  assertEquals(error.kind, kind);
}

function later(): number {
  return performance.now() + HANG_MS;
}

/** So many turns of the event loop. */
async function pause(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise((resolve) => setTimeout(resolve));
}

async function finished(work: Promise<void>[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => timer = setTimeout(() => reject(new Error("it hangs")), HANG_MS * 2));
  try {
    await Promise.race([Promise.all(work), late]);
  } finally {
    clearTimeout(timer);
  }
}
