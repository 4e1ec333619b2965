/** How long a wait in line takes at the least, and which calls are refused for it at once. */
import { assertEquals, assertLess, assertRejects } from "@std/assert";
import fc from "fast-check";
import { deadlineTooShort, Failure } from "../../src/lanes/failure.ts";
import { ListReads } from "../../src/lanes/list_reads.ts";
import { Pace } from "../../src/lanes/pace.ts";
import { Queue } from "../../src/lanes/queue.ts";
import { entry, LIMITS, type QueuedEntry } from "../support/queued_entries.ts";

const NEVER = new AbortController().signal;
const BATCHES_MAX = 2;

Deno.test("a pace is the shorter of the latest two, so that one that was slow by chance says nothing", () => {
  const pace = new Pace();
  const seen = [40, 60, 5_000, 50, 50].map((ms) => {
    pace.note(ms);
    return pace.leastMs;
  });
  assertEquals(seen, [0, 40, 60, 50, 50]);
  assertEquals([0, 9, 10, 25, -5].map((before) => pace.waitMs(before, 10)), [0, 0, 50, 100, 0]);
});

Deno.test("a queue: whole batches of the same goods ahead count, by how long theirs took; nobody else waits for them", () => {
  const queue = new Queue<QueuedEntry>();
  for (let i = 0; i < 4.5 * LIMITS.entriesMax; i++) queue.add(entry(`${i}`, 1));
  const waitMs = (...stockKeys: number[]) => queue.waitMs(stockKeys, LIMITS, BATCHES_MAX);
  const lead = (tookMs: number) => {
    const batch = queue.take(LIMITS);
    const underWay = waitMs(1);
    for (const one of batch) queue.remove(one);
    queue.free([1], tookMs);
    return [batch.length, underWay, waitMs(1)];
  };
  assertEquals(waitMs(1), 0, "nothing is known of it yet");
  assertEquals(lead(70), [100, 0, 0]);
  assertEquals(lead(50), [100, 0, 100]);
  // One is under way, and one and a half wait.
  assertEquals(lead(9_000), [100, 50, 50]);
  assertEquals([waitMs(2), waitMs(), waitMs(2, 1)], [0, 0, 50]);
});

Deno.test("a queue: many lanes wait for their turn, as many rounds of batches as they are", () => {
  const queue = new Queue<QueuedEntry>();
  for (let goods = 1; goods <= 1_050; goods++) queue.add(entry(`${goods}`, goods));
  for (const tookMs of [30, 20]) {
    const batch = queue.take(LIMITS);
    for (const one of batch) queue.remove(one);
    queue.free(batch.flatMap(({ stockKeys }) => stockKeys), tookMs);
  }
  assertEquals(queue.waitMs([5_000], LIMITS, BATCHES_MAX), Math.floor(850 / 200) * 20);
  assertEquals(queue.waitMs([1_050, 5_000], LIMITS, BATCHES_MAX), 0, "it goes with who is there already");
  queue.add(entry("of several", 6_001, 6_002, 6_003));
  assertEquals(queue.waitMs([5_000], LIMITS, BATCHES_MAX), 0, "lanes are no measure of entries");
});

Deno.test("a queue: no wait is said to be longer than it is where batches take as long as before", () => {
  fc.assert(fc.property(
    // Of one goods each or of several, a few that all want or many.
    fc.constantFrom([4, 1], [400, 1], [400, 6]).chain(([goods, lines]) =>
      fc.array(fc.uniqueArray(fc.integer({ min: 1, max: goods! }), { minLength: 1, maxLength: lines! }), {
        minLength: 1,
        maxLength: 400,
        size: "max",
      })
    ),
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 1, max: 401 }),
    (arrivals, tookMs, asked) => {
      const limits = { entriesMax: 10, sizeMax: 40 };
      const queue = new Queue<QueuedEntry>();
      arrivals.forEach((goods, i) => queue.add(entry(`${i}`, ...goods)));
      let saidMs: number | undefined;
      const late = entry("late", asked);
      // One batch at a time, each as long as the others.
      for (let nowMs = 0, comesAt = 0;; nowMs += tookMs) {
        const batch = queue.take(limits);
        if (batch.includes(late)) return assertLess(saidMs!, nowMs - comesAt + 1);
        for (const one of batch) queue.remove(one);
        queue.free(new Set(batch.flatMap(({ stockKeys }) => stockKeys)), tookMs);
        if (nowMs < 2 * tookMs || saidMs !== undefined) continue;
        saidMs = queue.waitMs([asked], limits, 1);
        queue.add(late);
        comesAt = nowMs + tookMs;
      }
    },
  ));
});

Deno.test("a deadline that is shorter than the wait can't be met; one as long may, and who has none waits", () => {
  assertEquals([deadlineTooShort(100, undefined), deadlineTooShort(100, 100), deadlineTooShort(0, 0)], [
    undefined,
    undefined,
    undefined,
  ]);
  const failure = deadlineTooShort(250, 100.4)!;
  assertEquals([failure.kind, failure.retryAfterMs, failure.message], [
    "deadline_too_short",
    250,
    "the queue takes 250 ms or more, and the call has 100 ms left",
  ]);
});

Deno.test("lists: who can't be read by its deadline is refused at once, and keeps no place", async () => {
  const reads = new ListReads({ readsMax: 1, waitingMax: 6, waitingPerAddressMax: 6 });
  const slow = () => new Promise<string>((resolve) => setTimeout(() => resolve("read"), 2));
  await reads.run(slow, NEVER);
  await reads.run(slow, NEVER);
  const latch = Promise.withResolvers<string>();
  const waiting = [1, 2, 3, 4, 5].map(() => reads.run(() => latch.promise, NEVER));
  assertEquals((await assertRejects(() => reads.run(slow, NEVER, "a", 1), Failure)).kind, "deadline_too_short");
  const [patient] = [reads.run(slow, NEVER, "a", 60_000)];
  // It has the last place, which the one before has not.
  assertEquals((await assertRejects(() => reads.run(slow, NEVER, "a", 60_000), Failure)).kind, "queue_full");
  latch.resolve("read");
  assertEquals(await Promise.all([...waiting, patient]), Array(6).fill("read"));
  assertEquals(await reads.run(slow, NEVER, "a", 1), "read", "nobody waits");
});
