/**
 * Redlock while nodes are away: every subset of five nodes, stopped and frozen. A lease is to be had if and only if
 * three of them are there, and nodes that come back count again by themselves.
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { Redis } from "ioredis";
import { freePort } from "../../tools/stack/ports.ts";
import { type PrivateRedis, startRedisNodes } from "../../tools/stack/redis.ts";
import { LeaseTakenError, QuorumLostError } from "../../src/lock/lock.ts";
import { createRedlock } from "../../src/lock/redlock.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { atPort, testEnvironment } from "../support/env.ts";
import { Link } from "../faults/suite/link.ts";
import { acquired, HAD_MS_MAX, lockBench, LONG_TTL_MS, ready } from "../support/lock_bench.ts";
import { within } from "../support/pool_probe.ts";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { eventually } from "../support/eventually.ts";
import { rejectionOf } from "../support/rejection_of.ts";
import { SILENT } from "../support/silent_log.ts";

const NODES = 5;
const QUORUM = 3;
const NODE_TIMEOUT_MS = 60;
/** Long enough for some attempts on nodes that say nothing. */
const WAIT_MS = 150;
/** How long an attempt without a quorum may take, with much to spare: only a hang reaches it. */
const REFUSAL_MS_MAX = 5_000;
/** Quick redialling, so that a node that came back is soon used. */
const OPTIONS = { ttlMs: 2_000, nodeTimeoutMs: NODE_TIMEOUT_MS, random: () => 0 } as const;

/** What makes a node be away, and what brings it back. */
const FAULTS = {
  stopped: { away: (node: PrivateRedis) => node.kill(), back: (node: PrivateRedis) => node.start() },
  frozen: { away: (node: PrivateRedis) => node.pause(), back: (node: PrivateRedis) => node.resume() },
} as const;

for (const [name, fault] of Object.entries(FAULTS)) {
  Deno.test(`with every subset of ${name} nodes: a lease if three are there, else the quorum is lost`, async () => {
    await using servers = await ownNodes();
    await using bench = lockBench(servers.nodes.map((node) => node.url));
    const lock = await bench.lock(OPTIONS);
    let away = 0;
    for (const [step, next] of everySubset().entries()) {
      // A frozen node may wake up to an acquire whose release it never got; that key stands until it expires, and is
      // no business of the next subset.
      const goodsIds = [1000 + step, 2000 + step];
      await toggle(servers.nodes, fault, away ^ next, next);
      away = next;
      const there = bench.nodes.filter((_, i) => (away & (1 << i)) === 0);
      const what = `nodes away: ${away.toString(2).padStart(NODES, "0")}`;
      if (there.length >= QUORUM) {
        await ready(lock);
        const lease = await within(acquired(lock, goodsIds, REFUSAL_MS_MAX), what);
        assert(lease.remainingMs() > 0, what);
        await lease.release();
      } else {
        const attempt = acquired(lock, goodsIds, WAIT_MS).catch((error) => error);
        assertInstanceOf(await within(attempt, what, REFUSAL_MS_MAX), QuorumLostError, what);
      }
      await assertNoKeys(there, goodsIds.map(bench.key));
    }
    assertEquals(away, 0, "the last subset is the empty one");
    await bench.assertNoKeys();
  });

  Deno.test(`goods that somebody has are taken, not out of quorum, while up to two nodes are ${name}`, async () => {
    await using servers = await ownNodes();
    await using bench = lockBench(servers.nodes.map((node) => node.url));
    // Its lease outlives the test.
    const [owner, lock] = await Promise.all([bench.lock({ ...OPTIONS, ttlMs: LONG_TTL_MS }), bench.lock(OPTIONS)]);
    const lease = await acquired(owner, [1], HAD_MS_MAX);
    await eventually(async () => (await bench.keys()).flat().length === NODES, "all nodes have voted");
    const refusal = (what: string) => within(acquired(lock, [1], WAIT_MS).catch((error) => error), what);
    for (let away = 0; away <= 3; away++) {
      const what = `with ${away} ${name} nodes`;
      if (away > NODES - QUORUM) assertInstanceOf(await refusal(what), QuorumLostError, what);
      // On a busy machine one more node may answer too late for an attempt, and not for all of them.
      else await eventually(async () => await refusal(what) instanceof LeaseTakenError, `it is taken ${what}`);
      await fault.away(servers.nodes[away] as PrivateRedis);
    }
    await within(lease.release(), "a release without a quorum");
  });
}

Deno.test("a stopped node is missed at once, a frozen one after its own time limit", async () => {
  await using servers = await ownNodes();
  await using bench = lockBench(servers.nodes.map((node) => node.url));
  const patient = await bench.lock({ nodeTimeoutMs: 2 * REFUSAL_MS_MAX });
  // Those that are there answer by then, on a busy machine too.
  const quick = await bench.lock({ ...OPTIONS, ttlMs: LONG_TTL_MS, nodeTimeoutMs: 1000 });
  const away = servers.nodes.slice(0, QUORUM);

  for (const node of away) node.pause();
  const frozen = await within(acquired(quick, [1], 1).catch((error) => error), "frozen", REFUSAL_MS_MAX);
  assertInstanceOf(frozen, QuorumLostError);
  assertEquals(frozen.message.split("Command timed out").length - 1, QUORUM, frozen.message);

  await Promise.all(away.map((node) => node.kill()));
  const stopped = acquired(patient, [1], 1).catch((error) => error);
  assertInstanceOf(await within(stopped, "stopped", REFUSAL_MS_MAX), QuorumLostError);
});

Deno.test("what nodes that froze give when they thaw is released, though its asker had lost its connection", async () => {
  await using servers = await ownNodes();
  await using bench = lockBench(servers.nodes.map((node) => node.url));
  const lock = await bench.lock({ ...OPTIONS, ttlMs: LONG_TTL_MS });
  const frozen = servers.nodes.slice(0, QUORUM);
  for (const node of frozen) node.pause();
  const states = () => lock.status().nodes.map(({ state }) => state);
  // Asked for all the time, so that something is asked for at the moment when the connections are given up.
  await eventually(async () => {
    const error = await within(lock.acquire([1]).catch((error) => error), "the attempt", REFUSAL_MS_MAX);
    assertInstanceOf(error, QuorumLostError);
    return states().filter((state) => state === "down").length === QUORUM;
  }, "the connections are given up");
  for (const node of frozen) node.resume();
  await eventually(() => states().every((state) => state === "up"), "the nodes are back");
  await bench.assertNoKeys();
});

Deno.test("a lease that is released while nodes can't be reached is released there too, once they can", async () => {
  const { redisUrls } = testEnvironment();
  await using bench = lockBench(redisUrls);
  const links = redisUrls.map((url) => new Link(() => Number(new URL(url).port)));
  try {
    const nodes = links.map(({ port }, i) => parseRedisAddress(atPort(redisUrls[i]!, port)));
    const lock = await bench.lock({ nodes, nodeTimeoutMs: NODE_TIMEOUT_MS });
    const lease = await acquired(lock, [1, 2], HAD_MS_MAX);
    await bench.keysOnce(10);
    const states = () => lock.status().nodes.map(({ state }) => state);
    for (const link of links.slice(0, 2)) link.sever();
    await eventually(() => states().filter((state) => state === "down").length === 2, "two are cut off");
    await lease.release([1]);
    await lease.release();
    await eventually(
      async () => (await bench.keys()).flat().length === 4,
      "they stand where nobody could be asked alone",
    );
    for (const link of links) link.heal();
    // They live for a minute.
    await bench.assertNoKeys();
  } finally {
    for (const link of links) link.close();
  }
});

Deno.test("ping shows whether a quorum answers, and so does a lock whose nodes were never there", async () => {
  await using servers = await ownNodes();
  await using bench = lockBench(servers.nodes.map((node) => node.url));
  const lock = await bench.lock({ ...OPTIONS, ttlMs: LONG_TTL_MS, nodeTimeoutMs: REFUSAL_MS_MAX });
  for (const [i, node] of servers.nodes.entries()) {
    const error = await within(rejectionOf(lock.ping()), "ping", REFUSAL_MS_MAX);
    if (NODES - i >= QUORUM) assertEquals(error, undefined);
    else assertInstanceOf(error, QuorumLostError);
    await node.kill();
  }
  await Promise.all(servers.nodes.map((node) => node.start()));
  await ready(lock);
});

/** All 32 subsets as bits, each one node away from the one before, from the first node alone to none. */
function everySubset(): number[] {
  const gray = Array.from({ length: 1 << NODES }, (_, i) => i ^ (i >> 1));
  return [...gray.slice(1), 0];
}

async function toggle(
  nodes: readonly PrivateRedis[],
  fault: (typeof FAULTS)[keyof typeof FAULTS],
  changed: number,
  away: number,
): Promise<void> {
  for (const [i, node] of nodes.entries()) {
    if ((changed & (1 << i)) === 0) continue;
    if ((away & (1 << i)) === 0) await fault.back(node);
    else await fault.away(node);
  }
}

/** On the nodes that are there; a frozen one can't be asked. */
async function assertNoKeys(there: readonly Redis[], keys: string[]): Promise<void> {
  await eventually(
    async () => (await Promise.all(there.map((node) => node.exists(keys)))).every((count) => count === 0),
    "no key is left on the nodes that are there",
  );
}

/** Five nodes of the test's own, to be treated badly. */
async function ownNodes(): Promise<{ readonly nodes: readonly PrivateRedis[] } & AsyncDisposable> {
  const nodes = await startRedisNodes(NODES, {
    dir: await Deno.makeTempDir({ prefix: "lock-" }),
    log: createLog("error", "pretty"),
    program: testEnvironment().redisProgram,
  });
  return {
    nodes,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
}

Deno.test("why a node is away is what its last dial met, however long the pauses between dials are", async () => {
  // It takes connections, and closes each. Nobody else listens there behind its end.
  const port = freePort();
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const closing = (async () => {
    for await (const connection of listener) connection.close();
  })();
  // The longest pauses, in which the connection is looked at several times.
  const options = {
    ttlMs: 2_000,
    nodeTimeoutMs: 25,
    keyPrefix: "away:",
    random: () => 1,
    log: SILENT,
  };
  const lock = createRedlock({
    ...options,
    nodes: [0, 1, 2].map((database) => parseRedisAddress(`redis://127.0.0.1:${port}/${database}`)),
  });
  const isSaid = (words: RegExp) => () =>
    Promise.resolve(lock.status().nodes.every(({ reason }) => words.test(reason ?? "")));
  try {
    await eventually(isSaid(/^down: (?!not connected)/), "the connections end");
    listener.close();
    await closing;
    await eventually(isSaid(/^down: .*ECONNREFUSED/), "the dials are refused");
  } finally {
    await lock.close();
  }
});
