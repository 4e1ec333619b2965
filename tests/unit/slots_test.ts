import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Slots } from "../../src/lanes/slots.ts";

const NEVER = new AbortController().signal;

/** How many slots can be taken at once. */
async function free(slots: Slots): Promise<number> {
  const taken: (() => void)[] = [];
  for (;;) {
    const moment = new AbortController();
    const taking = slots.take(moment.signal).catch(() => undefined);
    await ticks(3);
    moment.abort();
    const end = await taking;
    if (end === undefined) break;
    taken.push(end);
  }
  for (const end of taken) end();
  return taken.length;
}

Deno.test("slots go first come, first served", async () => {
  const slots = new Slots(1);
  const end = await slots.take(NEVER);
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (i) => {
    const endMine = await slots.take(NEVER);
    order.push(i);
    endMine();
  });
  end();
  await Promise.all(waiting);
  assertEquals(order, [1, 2, 3]);
  assertEquals(await free(slots), 1);
});

Deno.test("a slot that is given back twice is one slot", async () => {
  const slots = new Slots(2);
  const end = await slots.take(NEVER);
  end();
  end();
  assertEquals(await free(slots), 2);
});

Deno.test("who has gone leaves with his reason and takes no slot along", async () => {
  const slots = new Slots(1);
  const end = await slots.take(NEVER);
  const caller = new AbortController();
  const waiting = slots.take(caller.signal);
  caller.abort(new Error("gone"));
  await assertRejects(() => waiting, Error, "gone");
  end();
  assertEquals(await free(slots), 1);
});

Deno.test("whoever comes and goes, never more at once than there are, and none is lost", async () => {
  const caller = fc.record({ staysFor: fc.nat(3), leavesAt: fc.option(fc.nat(6), { nil: undefined }) });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(caller, { maxLength: 12 }), async (count, callers) => {
      const slots = new Slots(count);
      let inside = 0;
      let most = 0;
      await Promise.all(callers.map(async ({ staysFor, leavesAt }) => {
        const gone = new AbortController();
        if (leavesAt !== undefined) ticks(leavesAt).then(() => gone.abort(new Error("gone")));
        const end = await slots.take(gone.signal).catch(() => undefined);
        if (end === undefined) return;
        most = Math.max(most, ++inside);
        await ticks(staysFor);
        inside--;
        end();
      }));
      assertEquals([most <= count, await free(slots)], [true, count]);
    }),
    { numRuns: 300 },
  );
});

/** So many turns of the microtask queue, so that givings-back and goings fall into the same moment. */
async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}
