/**
 * Our own loop stands still in the middle of things, with real nodes that are all there: that is no outage of theirs.
 * What timed out meanwhile is judged when the loop goes again.
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { Redis } from "ioredis";
import { LeaseLostError, type Lock } from "../../src/lock/lock.ts";
import { timeLimited, TimeLimitError } from "../../src/lock/nodes/time_limit.ts";
import { validityMs } from "../../src/lock/validity.ts";
import { testEnvironment } from "../support/env.ts";
import { lockBench, LONG_TTL_MS } from "../support/lock_bench.ts";
import { within } from "../support/pool_probe.ts";
import { eventually } from "../support/eventually.ts";
import { rejectionOf } from "../support/rejection_of.ts";

/** As the program's by default. */
const NODE_TIMEOUT_MS = 250;
const STALLS_MS = [300, 1000, 3000];
const NODES = 5;

/** The loop stands still, at the cost of nobody else. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

for (const ms of STALLS_MS) {
  for (const when of ["at once", "in the next turn"] as const) {
    Deno.test(`a stall of ${ms} ms while a lease is asked for, ${when}: it is had, and no link is dropped`, async () => {
      await using bench = lockBench(testEnvironment().redisUrls);
      const lock = await bench.lock({ nodeTimeoutMs: NODE_TIMEOUT_MS, ttlMs: LONG_TTL_MS });
      const before = await clientsOf(bench.nodes, lock);
      const missing = () => lock.status().nodes.map(({ votesMissing }) => votesMissing);
      const missingBefore = missing();
      const asked = lock.acquire([1]);
      const askedMs = performance.now();
      if (when === "in the next turn") await new Promise((resolve) => setTimeout(resolve));
      stall(ms);
      const lease = await asked;
      const spentMs = performance.now() - askedMs;
      const left = lease.remainingMs();
      assert(spentMs >= ms && left <= validityMs(LONG_TTL_MS, spentMs), `${left} ms are left after ${spentMs} ms`);
      await lease.release();
      await lock.ping();
      await bench.assertNoKeys();
      assertEquals(missing(), missingBefore);
      assertEquals(await clientsOf(bench.nodes, lock), before, "links were dropped and dialled again");
    });
  }
}

Deno.test("a stall that leaves too little of a lease's time is no loss of the quorum: it is asked for once more", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const ttlMs = 2000;
  const lock = await bench.lock({ nodeTimeoutMs: NODE_TIMEOUT_MS, ttlMs });
  const asked = lock.acquire([1, 2]);
  stall(1500);
  const lease = await asked;
  assert(lease.remainingMs() > ttlMs / 2, `${lease.remainingMs()} ms are left`);
  const left = await Promise.all(bench.nodes.map((node) => node.pttl(bench.key(1))));
  assert(left.filter((ms) => ms >= lease.remainingMs()).length >= 3, `the nodes keep it for ${left} ms`);
  await lease.release();
  await bench.assertNoKeys();
});

Deno.test("an extension over a stall that its time outlives is kept, over a longer one the lease is lost and says so", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const ttlMs = 3000;
  const lock = await bench.lock({ nodeTimeoutMs: NODE_TIMEOUT_MS, ttlMs });
  for (const [ms, isKept] of [[600, true], [2500, false]] as const) {
    const lease = await lock.acquire([1]);
    await bench.keysOnce(NODES);
    const extended = rejectionOf(lease.extend());
    stall(ms);
    const error = await extended;
    if (isKept) assertEquals(error, undefined, `${error}`);
    else assertInstanceOf(error, LeaseLostError);
    assertEquals(lease.remainingMs() > 0, isKept);
    await lease.release();
    await bench.assertNoKeys();
  }
});

Deno.test("the control arm: with ioredis's own limits a stall is an outage of every node, and drops every link", async () => {
  const timeouts: string[] = [];
  const closed = new Set<number>();
  const nodes = testEnvironment().redisUrls.map((url, i) => {
    const node = new Redis(url, { commandTimeout: NODE_TIMEOUT_MS, socketTimeout: 8 * NODE_TIMEOUT_MS });
    node.on("error", () => {});
    node.on("close", () => closed.add(i));
    return node;
  });
  try {
    // On a busy machine even the first answers come too late for these limits.
    await eventually(
      () => Promise.all(nodes.map((node) => node.ping())).then(() => true, () => false),
      "all nodes answer in time",
    );
    closed.clear();
    const asked = nodes.map((node) => node.ping().catch((error) => timeouts.push(error.message)));
    stall(3000);
    await Promise.all(asked);
    assertEquals(timeouts, Array(NODES).fill("Command timed out"));
    await eventually(() => closed.size === NODES, "all links are dropped");
  } finally {
    for (const node of nodes) node.disconnect();
  }
});

Deno.test("the limit of one question: silence is judged in time, an answer of a stall's time counts, and nothing waits twice", async () => {
  const silence = new Promise<never>(() => {});
  const startedMs = performance.now();
  assertInstanceOf(await timeLimited(silence, 50).catch((error) => error), TimeLimitError);
  assert(performance.now() - startedMs >= 50);

  // Due while the loop stands, and answered by what comes after it.
  const answer = Promise.withResolvers<string>();
  const limited = timeLimited(answer.promise, 50);
  setTimeout(() => setTimeout(() => answer.resolve("answer"), 20), 40);
  stall(200);
  assertEquals(await limited, "answer");

  const stalled = timeLimited(silence, 50).catch((error) => error);
  stall(200);
  assertInstanceOf(await within(stalled, "the end of its wait"), TimeLimitError);
  assertEquals(await timeLimited(Promise.resolve("now"), 50), "now");
  assertEquals(await timeLimited(Promise.reject(new Error("no")), 50).catch((error) => error.message), "no");
});

/** The connections of our program on each node, by the server's own ids: one that was dialled again has another. */
async function clientsOf(nodes: readonly Redis[], lock: Lock): Promise<string[]> {
  await eventually(() => lock.status().nodes.every(({ state }) => state === "up"), "all are up");
  return await Promise.all(nodes.map(async (node) => {
    const list = String(await node.client("LIST"));
    return list.split("\n").filter((line) => line.includes("name=holdfast ")).map((line) => /^id=(\d+)/.exec(line)?.[1])
      .join();
  }));
}
