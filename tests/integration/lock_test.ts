/** Redlock on five real nodes that are all there. Nodes that are not: lock_nodes_test.ts. */
import { assert, assertEquals, assertGreater, assertInstanceOf, assertLessOrEqual, assertRejects } from "@std/assert";
import type { Redis } from "ioredis";
import { type Lease, LeaseTakenError, type Lock, QuorumLostError } from "../../src/lock/lock.ts";
import { RETRY_DELAY_MS_MAX, retryDelayMs } from "../../src/lanes/modes/retry_delay.ts";
import { atPort, testEnvironment } from "../support/env.ts";
import { acquired, CriticalSections, HAD_MS_MAX, lockBench, LONG_TTL_MS, ready } from "../support/lock_bench.ts";
import { within } from "../support/pool_probe.ts";
import { startProxy, type TcpProxy } from "../support/tcp_proxy.ts";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { eventually } from "../support/eventually.ts";

/** What 8 workers of each of 3 locks want, in turn: every two sets next to each other overlap. */
const WANTED = [[1], [1, 2], [2, 3], [1, 3], [3]];
const WORKERS = 8;
const VISITS = 4;

Deno.test("those who want goods in common are never inside at the same time", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const locks = await Promise.all([bench.lock(), bench.lock(), bench.lock()]);
  const sections = await contend(locks);
  assertEquals(sections.entered, locks.length * WORKERS * VISITS);
  assertEquals(sections.overlaps, 0);
  await bench.assertNoKeys();
});

Deno.test("the control arm: with a lock that grants everything the same workers do meet", async () => {
  const lease: Lease = {
    remainingMs: () => LONG_TTL_MS,
    extend: () => Promise.resolve(),
    release: () => Promise.resolve(),
  };
  const open: Lock = {
    acquire: () => Promise.resolve(lease),
    wantedByOthers: () => Promise.resolve([]),
    seemsFree: () => Promise.resolve(false),
    status: () => ({ quorum: 3, ttlMs: LONG_TTL_MS, nodes: [], leases: [] }),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  assertGreater((await contend([open, open, open])).overlaps, 0);
});

Deno.test("a look says whether a goods is free, as the nodes say one after the other; without a vote they say nothing", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const [owner, other] = await Promise.all([bench.lock(), bench.lock()]);
  const looks = async (lock: Lock, goodsId: number) => {
    const free: boolean[] = [];
    for (let i = 0; i < bench.nodes.length; i++) free.push(await lock.seemsFree(goodsId));
    return free.filter((isFree) => isFree).length;
  };
  const lease = await owner.acquire([1]);
  await bench.keysOnce(5);
  assertEquals([await looks(other, 1), await looks(other, 2)], [0, 5]);
  await bench.nodes[0]!.del(bench.key(1));
  assertEquals(await looks(other, 1), 1, "each node is asked once");
  const fresh = await bench.lock({ quarantineMs: 1_000_000_000 }, () => Promise.resolve());
  assertEquals(await looks(fresh, 2), 0, "none of its nodes has a vote");
  await lease.release();
  assertEquals(await looks(other, 1), 5);
});

Deno.test("all of several goods or none: a failed attempt leaves no key anywhere", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const [one, other] = await Promise.all([bench.lock(), bench.lock()]);
  const lease = await acquired(one, [2], HAD_MS_MAX);
  const found = await bench.keysOnce(5);
  assertEquals(found.map((keys) => keys.length), [1, 1, 1, 1, 1]);

  await assertRejects(() => acquired(other, [1, 2, 3], 50), LeaseTakenError);
  await eventually(async () => same(await bench.keys(), found), "only the owner's keys are left");
  const rest = await acquired(other, [1, 3], HAD_MS_MAX);
  await Promise.all([lease.release(), rest.release()]);
  await bench.assertNoKeys();
});

Deno.test("a lease lasts for as long as it says, and what expired is not released from under the next one", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const [short, next] = await Promise.all([bench.lock({ ttlMs: 300 }), bench.lock()]);
  const expired = await acquired(short, [1], HAD_MS_MAX);
  const left = expired.remainingMs();
  assert(left > 0 && left < 300, `${left} ms are left`);
  await eventually(async () => (await bench.keys()).flat().length === 0, "the keys have expired");
  assertLessOrEqual(expired.remainingMs(), 0);

  const lease = await acquired(next, [1], HAD_MS_MAX);
  const found = await bench.keysOnce(5);
  await within(expired.release(), "the late release");
  assertEquals(await bench.keys(), found);
  await lease.release();
  await bench.assertNoKeys();
});

Deno.test("a lease with too little of its time left is released and not handed out", async () => {
  await using proxies = slowNodes();
  await using bench = lockBench(testEnvironment().redisUrls);
  // The votes take 2100 ms of 4000, and no node is over its own limit; the release is there after 3150.
  const slow = await bench.lock({ nodes: proxies.urls.map(parseRedisAddress), ttlMs: 4000, nodeTimeoutMs: 10_000 });
  const expired = await expiredKeys(bench.nodes);
  proxies.delayMs = 1050;
  const goodsIds = Array.from({ length: 40 }, (_, i) => i + 1);
  await assertRejects(() => acquired(slow, goodsIds, 1000), QuorumLostError, "too late");
  await bench.assertNoKeys();
  // A node counts a key as expired when it is next asked for.
  await Promise.all(bench.nodes.map((node) => node.exists(...goodsIds.map((goodsId) => bench.key(goodsId)))));
  // The keys by which slow nodes are probed may expire; they are few.
  const left = await expiredKeys(bench.nodes) - expired;
  assert(left < goodsIds.length, `${left} keys were left to expire`);
  proxies.delayMs = 0;
  const lease = await within(acquired(slow, [1, 2], HAD_MS_MAX), "the attempt on nodes that are quick again");
  await lease.release();
});

Deno.test("a node that was restarted, and does not know the acquire script yet, keeps no key of a failed attempt", async () => {
  await using proxies = slowNodes();
  await using bench = lockBench(testEnvironment().redisUrls);
  const slowOnes = bench.nodes.slice(3);
  // Three quick nodes refuse, so the attempt is over and released before the two slow ones have said a word.
  for (const node of bench.nodes.slice(0, 3)) await node.set(bench.key(1), "somebody else", "PX", LONG_TTL_MS);
  // As after a restart, when the first that came was somebody's release of a lease from before.
  const other = await bench.lock();
  const lease = await acquired(other, [9], HAD_MS_MAX);
  await eventually(async () => (await bench.keys(slowOnes)).flat().length === 2, "the slow nodes have voted");
  for (const node of slowOnes) await node.script("FLUSH", "SYNC");
  await lease.release();
  await bench.assertNoKeys(slowOnes);
  // It would bring the scripts back when it next looks whether the nodes can vote.
  await other.close();
  const lock = await bench.lock(
    { nodes: [...testEnvironment().redisUrls.slice(0, 3), ...proxies.urls.slice(3)].map(parseRedisAddress) },
    ready,
  );
  const states = () => lock.status().nodes.slice(3).map(({ state }) => state);
  await eventually(() => states().every((state) => state === "up"), "the slow nodes can vote");
  proxies.delayMs = 30;
  const attempt = acquired(lock, [1], 1).catch((error) => error);
  const error = await within(attempt, "the attempt");
  assertInstanceOf(error, LeaseTakenError);
  await eventually(
    () => lock.status().nodes.slice(3).every(({ votesFor }) => votesFor === 1),
    "the slow nodes have voted, though it was decided without them",
  );
  await bench.assertNoKeys(slowOnes);
  // Whatever was still to arrive has arrived by now.
  await lock.ping();
  assertEquals(await bench.keys(slowOnes), [[], []]);
  await Promise.all(bench.nodes.map((node) => node.del(bench.key(1))));
});

Deno.test("two instances that want one goods all the time both get on", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const locks = await Promise.all([bench.lock(), bench.lock()]);
  const taken = [0, 0];
  await within(
    Promise.all(locks.map(async (lock, i) => {
      // Each goes on for as long as the other is not through, so neither is alone in the end.
      while (Math.min(...taken) < 15) {
        const lease = await acquired(lock, [1], LONG_TTL_MS);
        taken[i] = (taken[i] ?? 0) + 1;
        await lease.release();
      }
    })),
    "the two instances",
  );
  await bench.assertNoKeys();
});

Deno.test("who asks in vain is seen by the owner, for a while, and learns which goods are taken", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const [owner, other] = await Promise.all([bench.lock(), bench.lock()]);
  const lease = await owner.acquire([2, 3]);
  await bench.keysOnce(10);
  assertEquals(await owner.wantedByOthers([1, 2, 3]), []);
  const refusal = await assertRejects(() => other.acquire([1, 2, 4]), LeaseTakenError);
  assertEquals(refusal.stockKeys, [2]);
  await eventually(async () => same(await owner.wantedByOthers([1, 2, 3]), [2]), "the owner sees it");
  assertEquals(await other.wantedByOthers([1, 2, 3]), [], "nobody waits for himself");
  await eventually(async () => (await owner.wantedByOthers([2])).length === 0, "it is forgotten");

  // A part of a lease can be released by itself.
  await lease.release([3]);
  const part = await acquired(other, [3], HAD_MS_MAX);
  await assertRejects(() => other.acquire([2]), LeaseTakenError);
  await Promise.all([lease.release([2]), part.release()]);
  await bench.assertNoKeys();
});

Deno.test("a lease of very many goods is taken whole, refused whole, and released in parts", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const [one, other] = await Promise.all([bench.lock(), bench.lock()]);
  const goods = Array.from({ length: 2500 }, (_, i) => i + 1);
  const count = () => Promise.all(bench.nodes.map((node) => node.exists(...goods.map((id) => bench.key(id)))));
  const lease = await one.acquire(goods);
  await eventually(async () => same(await count(), Array(5).fill(2500)), "all of them are on all nodes");
  await assertRejects(() => other.acquire([2500, 9000]), LeaseTakenError);
  await lease.release(goods.slice(1000));
  const rest = await acquired(other, goods.slice(1000), HAD_MS_MAX);
  await lease.release(goods);
  // A node that heard of the first release only after the question has refused the other, and then has none of them.
  await eventually(async () => {
    const counts = await count();
    return counts.every((count) => count === 1500 || count === 0) &&
      counts.filter((count) => count === 1500).length >= 3;
  }, "what is the other's by now is left alone");
  assert(rest.remainingMs() > 0);
  await rest.release();
  await bench.assertNoKeys();
});

Deno.test("close waits for releases under way and leaves no key", async () => {
  await using proxies = slowNodes();
  await using bench = lockBench(testEnvironment().redisUrls);
  const lock = await bench.lock({ nodes: proxies.urls.map(parseRedisAddress) });
  const lease = await acquired(lock, [1, 2], HAD_MS_MAX);
  proxies.delayMs = 50;
  let released = false;
  lease.release().then(() => released = true);
  await within(lock.close(), "close");
  assert(released, "close did not wait for the release");
  await bench.assertNoKeys();
});

Deno.test("the delay between attempts is random, never none, never long, and its bound grows", () => {
  for (let attempt = 1; attempt < 100; attempt++) {
    for (const random of [0, 0.1, 0.5, 0.999]) {
      const delayMs = retryDelayMs(attempt, random);
      assert(delayMs >= 1 && delayMs <= RETRY_DELAY_MS_MAX, `${delayMs} ms`);
      assert(retryDelayMs(attempt + 1, random) >= delayMs, "the bound shrank");
    }
  }
  assert(retryDelayMs(1, 0.999) <= 8, "the first wait is long");
  assert(retryDelayMs(10, 0.999) > retryDelayMs(1, 0.999), "the bound does not grow");
  assert(retryDelayMs(5, 0.1) !== retryDelayMs(5, 0.9), "everybody waits the same");
});

/** Workers of every lock go in and out until each was inside so many times. */
async function contend(locks: readonly Lock[]): Promise<CriticalSections> {
  const sections = new CriticalSections();
  const work = async (lock: Lock, worker: number) => {
    for (let visit = 0; visit < VISITS; visit++) {
      const goodsIds = WANTED[(worker + visit) % WANTED.length] as number[];
      const lease = await acquired(lock, goodsIds, LONG_TTL_MS);
      await sections.visit(goodsIds);
      await lease.release();
    }
  };
  const all = locks.flatMap((lock) => Array.from({ length: WORKERS }, (_, worker) => work(lock, worker)));
  await within(Promise.all(all), "the workers", 60_000);
  return sections;
}

/** The shared nodes behind proxies, all as slow as `delayMs` says. */
function slowNodes(): { readonly urls: string[]; delayMs: number } & AsyncDisposable {
  const { redisUrls } = testEnvironment();
  const proxies: TcpProxy[] = redisUrls.map((url) => startProxy(Number(new URL(url).port)));
  return {
    urls: proxies.map((proxy, i) => atPort(redisUrls[i]!, proxy.port)),
    get delayMs() {
      return proxies[0]?.behaviour.delayMs ?? 0;
    },
    set delayMs(ms) {
      for (const proxy of proxies) proxy.behaviour.delayMs = ms;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
    },
  };
}

/** How many keys each node has let expire since it was started. */
async function expiredKeys(nodes: readonly Redis[]): Promise<number> {
  const stats = await Promise.all(nodes.map((node) => node.info("stats")));
  return stats.reduce((sum, text) => sum + Number(/^expired_keys:(\d+)/m.exec(text)?.[1]), 0);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
