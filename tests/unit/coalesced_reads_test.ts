/** Reads that go together: never what was read before the question, bounded, and nobody is left without an answer. */
import { assertEquals, assertRejects } from "@std/assert";
import { CoalescedReads, type CoalescedReadsLimits } from "../../src/lanes/coalesced_reads.ts";
import { Failure } from "../../src/lanes/failure.ts";

/** A reader whose reads end when the test says so; each answers how many had begun before it. */
function reader(limits: CoalescedReadsLimits) {
  const begun: { keys: readonly string[]; end(error?: Error): void }[] = [];
  const reads = new CoalescedReads<string, number>((keys) => {
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, number>>();
    const number = begun.length;
    begun.push({
      keys,
      end: (error) => error === undefined ? resolve(new Map(keys.map((key) => [key, number]))) : reject(error),
    });
    return promise;
  }, limits);
  return { reads, begun };
}

/** Lets everything go on that can. */
const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("a read begins after its question, also where one of the same keys is under way", async () => {
  for (const readsMax of [1, 2]) {
    const { reads, begun } = reader({ readsMax, keysMax: 10, waitingMax: 100 });
    const first = reads.get(["a", "b"]);
    await settled();
    assertEquals(begun.map(({ keys }) => keys), [["a", "b"]]);
    const second = reads.get(["a"]);
    const third = reads.get(["b", "c"]);
    await settled();
    begun[0]!.end();
    assertEquals((await first).get("a"), 0);
    await settled();
    assertEquals(begun.map(({ keys }) => keys), [["a", "b"], ["a", "b", "c"]], `${readsMax} at a time`);
    begun[1]!.end();
    assertEquals([(await second).get("a"), (await third).get("b")], [1, 1]);
  }
});

Deno.test("one that fails fails its own callers only, and frees its place", async () => {
  const { reads, begun } = reader({ readsMax: 1, keysMax: 2, waitingMax: 4 });
  const first = reads.get(["a", "b"]);
  const second = reads.get(["c", "d"]);
  const full = await assertRejects(() => reads.get(["e"]), Failure);
  assertEquals(full.kind, "queue_full");
  await settled();
  begun[0]!.end(new TypeError("a fault"));
  await assertRejects(() => first, TypeError, "a fault");
  const third = reads.get(["e", "f"]);
  await settled();
  begun[1]!.end();
  await settled();
  begun[2]!.end();
  assertEquals([(await second).get("d"), (await third).get("f")], [1, 2]);
});

Deno.test("keys are counted for each caller that waits for them, and all of that is freed", async () => {
  const { reads, begun } = reader({ readsMax: 1, keysMax: 10, waitingMax: 4 });
  for (let round = 0; round < 3; round++) {
    const callers = Array.from({ length: 4 }, () => reads.get(["same"]));
    const full = await assertRejects(() => reads.get(["same"]), Failure);
    assertEquals(full.kind, "queue_full", `round ${round}`);
    await settled();
    begun[round]!.end();
    assertEquals((await Promise.all(callers)).map((values) => values.get("same")), Array(4).fill(round));
  }
});

Deno.test("one address has its share of what may wait, another is still served, and an end frees its place", async () => {
  const { reads, begun } = reader({ readsMax: 1, keysMax: 10, waitingMax: 10, waitingPerAddressMax: 4 });
  const first = reads.get(["a", "b", "c"], "greedy");
  await settled();
  const full = await assertRejects(() => reads.get(["d", "e"], "greedy"), Failure);
  assertEquals([full.kind, full.message], ["queue_full", "4 reads of one address already wait"]);
  // The other's alone may be more than a share, and the process's own have none.
  const others = [reads.get(["d"], "greedy"), reads.get(["f", "g", "h", "i", "j"], "other"), reads.get(["k"])];
  const all = await assertRejects(() => reads.get(["l"], "third"), Failure);
  assertEquals(all.message, "10 reads already wait");
  begun[0]!.end();
  await first;
  await settled();
  const again = reads.get(["l", "m", "n"], "greedy");
  begun[1]!.end();
  await Promise.all(others);
  await settled();
  begun[2]!.end();
  assertEquals((await again).get("l"), 2);
});
