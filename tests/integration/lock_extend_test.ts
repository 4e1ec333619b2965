/** Leases that are extended, lost, and kept from others by nodes that may not vote yet. */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type PrivateRedis, startRedisNodes } from "../../tools/stack/redis.ts";
import { validityMs } from "../../src/lock/validity.ts";
import { LeaseLostError, LeaseTakenError, type Lock, QuorumLostError } from "../../src/lock/lock.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { testEnvironment } from "../support/env.ts";
import { acquired, HAD_MS_MAX, lockBench, LONG_TTL_MS, ready } from "../support/lock_bench.ts";
import { eventually } from "../support/eventually.ts";

const QUORUM = 3;
/** Uptime is given in whole seconds, so this is the shortest that a restart can't be over before it is seen. */
const QUARANTINE_MS = 2500;

Deno.test("a lease that is extended is ours for another TTL on every node, and so is what is left of one", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const lock = await bench.lock({ ttlMs: LONG_TTL_MS });
  const lease = await acquired(lock, [1, 2], HAD_MS_MAX);
  await bench.keysOnce(10);
  await lease.release([2]);
  await eventually(async () => (await bench.keys()).flat().length === 5, "goods 2 is released");
  for (const node of bench.nodes) await node.pexpire(bench.key(1), LONG_TTL_MS / 2);
  const extendedMs = performance.now();
  await lease.extend();
  const remainingMs = lease.remainingMs();
  const least = validityMs(LONG_TTL_MS, performance.now() - extendedMs);
  assert(remainingMs >= least, `${remainingMs} ms are left of at least ${least}`);
  const left = await Promise.all(bench.nodes.map((node) => node.pttl(bench.key(1))));
  assert(left.filter((ms) => ms > LONG_TTL_MS / 2).length >= QUORUM, `${left}`);
  assertEquals(lock.status().leases.map(({ stockKey }) => stockKey), [1]);
  await lease.release();
  assertEquals(lock.status().leases, []);
  await bench.assertNoKeys();
});

Deno.test("a lease that most nodes have forgotten can't be extended: it is lost, and released where it still is", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const lock = await bench.lock();
  const lease = await acquired(lock, [1], HAD_MS_MAX);
  await bench.keysOnce(5);
  for (const node of bench.nodes.slice(0, QUORUM)) await node.del(bench.key(1));
  await assertRejects(() => lease.extend(), LeaseLostError, "no,no,no");
  assert(lease.remainingMs() <= 0);
  assertEquals(lock.status().leases, []);
  await bench.assertNoKeys();
});

Deno.test("a lease that two nodes have forgotten is extended by the others", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const lock = await bench.lock();
  const lease = await acquired(lock, [1], HAD_MS_MAX);
  await bench.keysOnce(5);
  for (const node of bench.nodes.slice(QUORUM)) await node.del(bench.key(1));
  await lease.extend();
  assert(lease.remainingMs() > LONG_TTL_MS / 2);
  await lease.release();
});

Deno.test("a goods that is somebody else's by now is not taken from him by an extension", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const [lock, other] = await Promise.all([bench.lock(), bench.lock()]);
  const lease = await acquired(lock, [1], HAD_MS_MAX);
  await bench.keysOnce(5);
  // As when the first one's time ran out on every node while it stood still.
  for (const node of bench.nodes) await node.del(bench.key(1));
  const theirs = await acquired(other, [1], HAD_MS_MAX);
  const keys = await bench.keysOnce(5);
  await assertRejects(() => lease.extend(), LeaseLostError);
  assertEquals(await bench.keys(), keys, "the other's keys stand as they were");
  assert(theirs.remainingMs() > 0);
  await theirs.release();
});

Deno.test("extensions end: nobody has a goods for longer than three TTLs, however often it extends", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const ttlMs = 1500;
  const lock = await bench.lock({ ttlMs });
  const lease = await acquired(lock, [1], HAD_MS_MAX);
  const sinceMs = performance.now();
  let extensions = 0;
  const error = await (async () => {
    for (; extensions < 500; extensions++) {
      try {
        await lease.extend();
      } catch (error) {
        return error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  assertInstanceOf(error, LeaseLostError);
  assert(error.message.includes(`held for longer than ${3 * ttlMs} ms`), error.message);
  assert(extensions > 0);
  assert(performance.now() - sinceMs >= 2 * ttlMs - 100, "it was given up too early");
  await bench.assertNoKeys();
});

for (const isOn of [true, false]) {
  const title = isOn
    ? "three nodes killed and started empty while a lease is ours: nobody else gets it"
    : "control: without quarantine three nodes that were started empty give it to a second one";
  Deno.test(title, async () => {
    await using servers = await ownNodes();
    await using bench = lockBench(servers.nodes.map(({ url }) => url));
    const quarantined = { quarantineMs: QUARANTINE_MS };
    const owner = await bench.lock(quarantined, ready);
    const lease = await acquired(owner, [1], HAD_MS_MAX);
    await restart(servers.nodes.slice(0, QUORUM));
    const other = await bench.lock(isOn ? quarantined : { quarantineMs: 0 }, isOn ? seesAll : allUp);
    const states = () => other.status().nodes.map(({ state }) => state);
    if (isOn) await eventually(() => states().slice(QUORUM).every((state) => state === "up"), "the others may vote");
    const result = await other.acquire([1]).catch((error) => error);
    assert(lease.remainingMs() > 0);
    if (isOn) {
      assertInstanceOf(result, QuorumLostError);
      assertEquals(result.message.split("missing (in quarantine)").length - 1, QUORUM, result.message);
      assertEquals(states(), ["quarantined", "quarantined", "quarantined", "up", "up"]);
      await assertRejects(() => other.ping(), QuorumLostError, "2 of 5 Redis nodes may vote");
    } else {
      assert(!(result instanceof Error), `${result}`);
    }
  });
}

Deno.test("a node's quarantine ends by itself, and then it votes", async () => {
  await using servers = await ownNodes();
  await using bench = lockBench(servers.nodes.map(({ url }) => url));
  const lock = await bench.lock({ ttlMs: 300, quarantineMs: QUARANTINE_MS }, seesAll);
  await assertRejects(() => lock.acquire([1]), QuorumLostError, "in quarantine");
  await ready(lock);
  await (await acquired(lock, [1], HAD_MS_MAX)).release();
  // The others started a moment later.
  await allUp(lock);
});

Deno.test("who is refused learns how each node voted, and by which error whether waiting helps", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const [owner, other] = await Promise.all([bench.lock(), bench.lock()]);
  const lease = await acquired(owner, [1], HAD_MS_MAX);
  await bench.keysOnce(5);
  const error = await other.acquire([1]).catch((error) => error);
  assertInstanceOf(error, LeaseTakenError);
  const votes = error.message.split(": ")[1]?.split(",") ?? [];
  assertEquals(votes.length, 5, error.message);
  assert(votes.filter((vote) => vote === "no").length >= QUORUM, error.message);
  await lease.release();
});

/** Whether it is connected to all nodes and knows how long they have run. */
async function seesAll(lock: Lock): Promise<void> {
  await eventually(() => lock.status().nodes.every(({ uptimeMs }) => uptimeMs !== undefined), "all nodes are known");
}

/** Whether all nodes may vote. */
async function allUp(lock: Lock): Promise<void> {
  await eventually(() => lock.status().nodes.every(({ state }) => state === "up"), "all nodes may vote");
}

async function restart(nodes: readonly PrivateRedis[]): Promise<void> {
  await Promise.all(nodes.map(async (node) => {
    await node.kill();
    await node.start();
  }));
}

async function ownNodes(): Promise<AsyncDisposable & { readonly nodes: readonly PrivateRedis[] }> {
  const nodes = await startRedisNodes(5, {
    dir: await Deno.makeTempDir(),
    program: testEnvironment().redisProgram,
    log: createLog("warn", "pretty"),
  });
  return { nodes, [Symbol.asyncDispose]: async () => void await Promise.all(nodes.map((node) => node.kill())) };
}
