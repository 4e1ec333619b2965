/** The times of leases and of quarantine, to the millisecond, by a clock that only the test moves, on real nodes. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { startRedisNodes } from "../../tools/stack/redis.ts";
import { LeaseLostError, QuorumLostError } from "../../src/lock/lock.ts";
import { createRedlock } from "../../src/lock/redlock.ts";
import { tenureMsMax, validityMs } from "../../src/lock/validity.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { testEnvironment } from "../support/env.ts";
import { lockBench } from "../support/lock_bench.ts";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const NODES = 5;
const QUORUM = 3;
const TTL_MS = 60_000;
/** Longer than the nodes of any run have been up. */
const DAY_MS = 24 * 3600 * 1000;
const QUARANTINE_MS = 2500;

Deno.test("quarantine is the whole TTL: a millisecond before a node has no vote, then it has", async () => {
  let nowMs = 0;
  const lock = createRedlock({
    nodes: testEnvironment().redisUrls.map(parseRedisAddress),
    ttlMs: DAY_MS,
    nodeTimeoutMs: 1000,
    keyPrefix: `test:${crypto.randomUUID()}:`,
    random: Math.random,
    nowMs: () => nowMs,
    log: SILENT,
  });
  try {
    await eventually(() => lock.status().nodes.every(({ uptimeMs }) => uptimeMs !== undefined), "all are known");
    const nodes = lock.status().nodes;
    for (const { uptimeMs, quarantineLeftMs } of nodes) assertEquals(quarantineLeftMs, DAY_MS - uptimeMs!);
    const ends = nodes.map(({ quarantineLeftMs }) => quarantineLeftMs).sort((a, b) => a - b);
    const quorumMs = ends[QUORUM - 1]!;
    nowMs = quorumMs - 1;
    const up = () => lock.status().nodes.filter(({ state }) => state === "up").length;
    assertEquals(up(), ends.filter((endMs) => endMs <= nowMs).length);
    await assertRejects(() => lock.acquire([1]), QuorumLostError, "in quarantine");
    nowMs = quorumMs;
    assert(up() >= QUORUM);
    await (await lock.acquire([1])).release();
  } finally {
    await lock.close();
  }
});

Deno.test("validity counts from before the asking, for a lease and for each extension", async () => {
  let nowMs = 1000;
  await using bench = lockBench(testEnvironment().redisUrls);
  const lock = await bench.lock({ ttlMs: TTL_MS, nowMs: () => nowMs });
  const acquiring = lock.acquire([1]);
  nowMs += 400;
  const lease = await acquiring;
  assertEquals(lease.remainingMs(), validityMs(TTL_MS, 400));
  for (const tookMs of [300, 0, 5000]) {
    nowMs += 7000;
    const extending = lease.extend();
    nowMs += tookMs;
    await extending;
    assertEquals(lease.remainingMs(), validityMs(TTL_MS, tookMs));
  }
  await lease.release();
});

Deno.test("an extension that took too long is lost, as a lease would be, to the millisecond", async () => {
  let nowMs = 0;
  await using bench = lockBench(testEnvironment().redisUrls);
  const lock = await bench.lock({ ttlMs: TTL_MS, nowMs: () => nowMs });
  const longestMs = validityMs(TTL_MS, 0) - TTL_MS / 2;
  for (const [tookMs, isKept] of [[longestMs, true], [longestMs + 1, false]] as const) {
    const lease = await lock.acquire([1]);
    await bench.keysOnce(NODES);
    const extending = lease.extend().then(() => true, (error) => error instanceof LeaseLostError ? false : error);
    nowMs += tookMs;
    assertEquals(await extending, isKept, `after ${tookMs} ms`);
    await lease.release();
    await bench.assertNoKeys();
  }
});

Deno.test("a tenure ends after three TTLs exactly: the last extension that fits is had, one a millisecond later is not", async () => {
  for (const lateMs of [0, 1]) {
    let nowMs = 0;
    await using bench = lockBench(testEnvironment().redisUrls);
    const lock = await bench.lock({ ttlMs: TTL_MS, nowMs: () => nowMs });
    nowMs = 500;
    const lease = await lock.acquire([1]);
    for (const atMs of [0.9 * TTL_MS, 1.8 * TTL_MS]) {
      nowMs = 500 + atMs;
      await lease.extend();
    }
    nowMs = 500 + tenureMsMax(TTL_MS) - TTL_MS + lateMs;
    if (lateMs === 0) {
      await lease.extend();
      assertEquals(lease.remainingMs(), validityMs(TTL_MS, 0));
      nowMs += 1;
    }
    await assertRejects(() => lease.extend(), LeaseLostError, `held for longer than ${3 * TTL_MS} ms`);
    assertEquals([lease.remainingMs(), lock.status().leases], [-Infinity, []]);
    await bench.assertNoKeys();
  }
});

Deno.test("what a lease claims is what the nodes were asked for, less the drift: after it was had, and after an extension", async () => {
  await using bench = lockBench(testEnvironment().redisUrls);
  const lock = await bench.lock({ ttlMs: TTL_MS });
  const lease = await lock.acquire([1, 2]);
  await bench.keysOnce(2 * NODES);
  for (const what of ["acquired", "extended", "extended again"]) {
    if (what !== "acquired") {
      for (const node of bench.nodes) await node.pexpire(bench.key(1), TTL_MS / 4);
      await lease.extend();
      // The last votes may be behind the first ones.
      await eventually(async () => (await kept()).filter((ms) => ms > TTL_MS / 2).length >= QUORUM, "it is kept");
    }
    const left = (await kept()).filter((ms) => ms >= lease.remainingMs());
    assert(left.length >= QUORUM, `${what}: ${left} of ${lease.remainingMs()}`);
    assert(left.every((ms) => ms <= TTL_MS), `${what}: longer than asked`);
  }
  await lease.release();

  function kept(): Promise<number[]> {
    return Promise.all(bench.nodes.map((node) => node.pttl(bench.key(1))));
  }
});

Deno.test("a node's uptime is forgotten with its connection: a restarted one never votes before the new one is known", async () => {
  const nodes = await startRedisNodes(3, {
    dir: await Deno.makeTempDir({ prefix: "clock-" }),
    program: testEnvironment().redisProgram,
    log: createLog("warn", "pretty"),
  });
  const seen: string[] = [];
  try {
    await using bench = lockBench(nodes.map(({ url }) => url));
    const ready = (lock: { status(): { nodes: readonly { state: string }[] } }) =>
      eventually(() => lock.status().nodes.every(({ state }) => state === "up"), "all vote");
    const lock = await bench.lock({ quarantineMs: QUARANTINE_MS }, ready);
    const first = () => lock.status().nodes[0]!;
    const before = first().uptimeMs!;
    assert(before >= QUARANTINE_MS);
    await nodes[0]!.kill();
    await eventually(() => first().state === "down", "it is down");
    assertEquals(first().uptimeMs, undefined);
    await nodes[0]!.start();
    await eventually(() => {
      const { state, uptimeMs } = first();
      if (state !== seen.at(-1)) seen.push(state);
      if (state === "up") assert(uptimeMs! >= QUARANTINE_MS, `it votes after ${uptimeMs} ms`);
      return state === "up";
    }, "it votes again");
    assertEquals(seen.filter((state) => state !== "down"), ["quarantined", "up"]);
  } finally {
    await Promise.all(nodes.map((node) => node.kill()));
  }
});

Deno.test("a node that was a replica has no vote for the whole quarantine: its keys were another server's", async () => {
  const nodes = await startRedisNodes(3, {
    dir: await Deno.makeTempDir({ prefix: "clock-" }),
    program: testEnvironment().redisProgram,
    log: createLog("warn", "pretty"),
  });
  const redis = new Redis(nodes[0]!.url);
  let nowMs = 0;
  const lock = createRedlock({
    nodes: nodes.map(({ url }) => parseRedisAddress(url)),
    ttlMs: TTL_MS,
    nodeTimeoutMs: 1000,
    keyPrefix: `test:${crypto.randomUUID()}:`,
    random: Math.random,
    nowMs: () => nowMs,
    log: SILENT,
  });
  const first = () => lock.status().nodes[0]!;
  try {
    await eventually(() => lock.status().nodes.every(({ uptimeMs }) => uptimeMs !== undefined), "all are known");
    nowMs = DAY_MS;
    assertEquals(first().state, "up");
    await redis.replicaof("127.0.0.1", 1);
    await lock.ping();
    await eventually(() => first().state === "down", "it is seen to be one");
    await redis.replicaof("NO", "ONE");
    await eventually(() => lock.ping().then(() => first().state !== "down"), "it answers for itself again");
    assertEquals([first().state, first().quarantineLeftMs], ["quarantined", TTL_MS]);
    nowMs += TTL_MS - 1;
    assertEquals(first().state, "quarantined");
    nowMs += 1;
    assertEquals(first().state, "up");
  } finally {
    await lock.close();
    redis.disconnect();
    await Promise.all(nodes.map((node) => node.kill()));
  }
});
