/**
 * Nodes that answer and can't vote, one kind after the other: readiness must see it, and say why. And nodes that are
 * not nodes of their own.
 */
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { type PrivateRedis, startRedisNodes } from "../../tools/stack/redis.ts";
import type { Lock } from "../../src/lock/lock.ts";
import { LeaseTakenError, QuorumLostError } from "../../src/lock/lock.ts";
import { createRedlock } from "../../src/lock/redlock.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { testEnvironment } from "../support/env.ts";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { eventually } from "../support/eventually.ts";
import { rejectionOf } from "../support/rejection_of.ts";

const NODES = 5;
const QUORUM = 3;
const PASSWORD = "planted-vote-7";

/** What is done to a node, what undoes it, and how the reason reads. */
interface Kind {
  readonly spoil: (node: Redis) => Promise<unknown>;
  readonly mend: (node: Redis) => Promise<unknown>;
  readonly reason: RegExp;
}

const acl = (...rules: string[]) => (node: Redis) => node.call("ACL", "SETUSER", "default", ...rules);

const KINDS: Readonly<Record<string, Kind>> = {
  "out of memory": {
    spoil: (node) => node.config("SET", "maxmemory", "1"),
    mend: (node) => node.config("SET", "maxmemory", "0"),
    reason: /it can't vote: OOM command not allowed/,
  },
  "a replica": {
    spoil: (node) => node.call("REPLICAOF", "127.0.0.1", "1"),
    mend: (node) => node.call("REPLICAOF", "NO", "ONE"),
    reason: /it can't vote: READONLY /,
  },
  "a user without EVALSHA": {
    spoil: acl("-evalsha"),
    mend: acl("+evalsha"),
    reason: /it can't vote: NOPERM .*evalsha/,
  },
  "a user without SET": {
    spoil: acl("-set"),
    mend: acl("+set"),
    reason: /it can't vote: .*NOPERM|can't run this command/,
  },
  "a user without our keys": {
    spoil: acl("resetkeys", "~other:*"),
    mend: acl("allkeys"),
    reason: /it can't vote: .*(NOPERM|key)/,
  },
  "no disk to write on": {
    // A snapshot that fails, as on a full disk: the node's user may write nowhere.
    async spoil(node) {
      await node.config("SET", "save", "3600 1");
      await node.set("something", "to save");
      await node.config("SET", "rdbcompression", "yes");
      await node.bgsave().catch(() => {});
      await eventually(
        async () => (await node.info("persistence")).includes("rdb_last_bgsave_status:err"),
        "the snapshot has failed",
      );
    },
    mend: (node) => node.config("SET", "save", ""),
    reason: /it can't vote: MISCONF /,
  },
};

Deno.test("nodes that answer and can't vote are down, each with its reason, and the quorum is lost until they can", async (t) => {
  await using bench = await voteBench();
  const { lock, nodes, lines } = bench;
  await eventually(() => lock.ping().then(() => true, () => false), "all is well");
  for (const [name, { spoil, mend, reason }] of Object.entries(KINDS)) {
    await t.step(name, async () => {
      // In front of the third that goes nothing is lost.
      for (const [i, node] of nodes.slice(0, QUORUM).entries()) {
        await spoil(node);
        const result = await rejectionOf(lock.ping());
        if (i < QUORUM - 1) assertEquals(result, undefined, `${result}`);
        else assertInstanceOf(result, QuorumLostError);
      }
      await eventually(() => stateOf(lock, 0) === "down", "it is seen");
      const seen = lock.status().nodes;
      for (const { state, reason: why } of seen.slice(0, QUORUM)) {
        assertEquals(state, "down");
        assertMatch(why ?? "", reason);
        assert(why!.length <= 200, `${why!.length} characters`);
      }
      assertEquals(seen.slice(QUORUM).map(({ state, reason }) => [state, reason]), Array(2).fill(["up", undefined]));
      const refusal = await lock.acquire([1]).catch((error) => error);
      assertInstanceOf(refusal, QuorumLostError, `${refusal}`);
      const logged = lines.filter(({ message }) => message === "Redis node has no vote");
      assertEquals(logged.length, QUORUM, JSON.stringify(logged));
      for (const { fields } of logged) assertMatch(String(fields.reason), reason);

      for (const node of nodes.slice(0, QUORUM)) await mend(node);
      await eventually(() => lock.ping().then(() => true, () => false), "a quorum can vote again");
      await eventually(() => lock.status().nodes.every(({ state }) => state === "up"), "all vote again");
      assertEquals(lines.filter(({ message }) => message === "Redis node is back").length, QUORUM);
      await eventually(
        async () => (await lock.acquire([1]).then((lease) => lease.release(), () => false)) !== false,
        "a lease",
      );
      lines.length = 0;
    });
  }
});

Deno.test("a user without INFO has no vote, and it is said why", async () => {
  await using bench = await voteBench((node) => acl("-info")(node));
  await assertRejects(() => settled(bench.lock), QuorumLostError, "0 of 5 Redis nodes may vote");
  for (const { state, reason } of bench.lock.status().nodes) {
    assertEquals(state, "down");
    assertMatch(reason ?? "", /it can't vote: NOPERM .*info/);
  }
});

Deno.test("a password that a node doesn't take, or that is missing, is the reason, and it is not shown", async () => {
  for (const userinfo of ["", `:${PASSWORD}@`]) {
    await using bench = await voteBench(
      (node) => acl(">another")(node).then(() => acl("resetpass", ">another")(node)),
      {
        url: (url) => url.replace(/\/\/.*@/, `//${userinfo}`),
      },
    );
    await eventually(
      () => bench.lock.status().nodes.every(({ reason }) => /NOAUTH|WRONGPASS/.test(reason ?? "")),
      "the reason is known",
    );
    await assertRejects(() => bench.lock.ping(), QuorumLostError, userinfo === "" ? "NOAUTH" : "WRONGPASS");
    assert(!JSON.stringify([bench.lines, bench.lock.status()]).includes(PASSWORD));
  }
});

Deno.test("a database that a node does not have is not another one of its databases", async () => {
  await using bench = await voteBench(() => Promise.resolve(), { url: (url) => `${url}/99` });
  const why = () => bench.lock.status().nodes.map(({ state, reason }) => `${state}: ${reason}`);
  await eventually(() => why().every((text) => text === "down: down: ERR DB index is out of range"), "it is said");
  await assertRejects(() => bench.lock.ping(), QuorumLostError, "DB index is out of range");
  await assertRejects(() => bench.lock.acquire([1]), QuorumLostError);
  for (const node of bench.nodes) assertEquals(await node.dbsize(), 0, "nothing was written to the first database");
});

Deno.test("one server under several spellings, or several of its databases, has one vote", async () => {
  await using servers = await ownNodes(1);
  const { password, port } = new URL(servers.nodes[0]!.url);
  const lists = {
    spellings: ["127.0.0.1", "localhost", "127.0.0.1"].map((host, i) =>
      `redis://:${password}@${host}:${port}${i === 2 ? "/" : ""}`
    ),
    databases: [0, 1, 2, 3, 4].map((database) => `redis://:${password}@127.0.0.1:${port}/${database}`),
  };
  for (const [name, urls] of Object.entries(lists)) {
    const lines: Line[] = [];
    const lock = lockOver(urls, lines);
    try {
      await eventually(
        () => lock.status().nodes.slice(1).every(({ reason }) => /same server/.test(reason ?? "")),
        name,
      );
      const [first, ...others] = lock.status().nodes;
      assertEquals([first?.state, first?.reason], ["up", undefined]);
      for (const { state, reason } of others) {
        assertEquals([state, reason], ["down", "it is the same server as node 1: one server has one vote"]);
      }
      await assertRejects(() => lock.ping(), QuorumLostError, `1 of ${urls.length} Redis nodes may vote`);
      await assertRejects(() => lock.acquire([1]), QuorumLostError, "same server as node 1");
      const logged = lines.filter(({ message }) => message === "Redis node has no vote");
      assertEquals(logged.map(({ fields }) => fields.node).sort(), others.map(({ node }) => node));
    } finally {
      await lock.close();
    }
  }
});

Deno.test("two deployments with key prefixes of their own share the nodes, with one prefix they share the goods", async () => {
  const urls = testEnvironment().redisUrls;
  const prefix = crypto.randomUUID();
  const [a, b, same] = ["a", "b", "a"].map((name) => lockOver(urls, [], `${prefix}:${name}:`)) as [Lock, Lock, Lock];
  try {
    for (const lock of [a, b, same]) {
      await eventually(() => lock.status().nodes.every(({ state }) => state === "up"), "up");
    }
    const leases = await Promise.all([a.acquire([1]), b.acquire([1])]);
    await assertRejects(() => same.acquire([1]), LeaseTakenError);
    await Promise.all(leases.map((lease) => lease.release()));
  } finally {
    for (const lock of [a, b, same]) await lock.close();
  }
});

interface Line {
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

function lockOver(urls: readonly string[], lines: Line[], keyPrefix = "test:vote:"): Lock {
  const note = (fields: Record<string, unknown>, message: string) => void lines.push({ fields, message });
  const log: Log = { debug() {}, info: note, warn: note, error: note };
  return createRedlock({
    nodes: urls.map(parseRedisAddress),
    ttlMs: 2000,
    nodeTimeoutMs: 1000,
    quarantineMs: 0,
    keyPrefix,
    random: () => 0,
    log,
  });
}

/** A ping once every node has said what it has to say. */
async function settled(lock: Lock): Promise<void> {
  await eventually(
    () => lock.status().nodes.every(({ state, reason }) => state === "up" || /vote/.test(reason ?? "")),
    "all nodes have answered",
  );
  await lock.ping();
}

function stateOf(lock: Lock, node: number): string | undefined {
  return lock.status().nodes[node]?.state;
}

/** A lock over five nodes of its own, and a direct connection to each that stays open whatever becomes of its users. */
async function voteBench(
  before: (node: Redis) => Promise<unknown> = () => Promise.resolve(),
  { url = (own: string) => own, prefix = "test:vote:" } = {},
) {
  const servers = await ownNodes(NODES);
  const nodes = servers.nodes.map((server) => {
    const node = new Redis(server.url);
    node.on("error", () => {});
    return node;
  });
  // A user of the test's own: the one that is spoilt is the one that the lock uses.
  await Promise.all(nodes.map(async (node) => {
    await node.call("ACL", "SETUSER", "test", "on", ">test", "allcommands", "allkeys", "allchannels");
    await node.auth("test", "test");
    await before(node);
  }));
  const lines: Line[] = [];
  const urls = servers.nodes.map((server) => url(server.url));
  const lock = lockOver(urls, lines, prefix);
  return {
    urls,
    lock,
    nodes,
    lines,
    async [Symbol.asyncDispose]() {
      await lock.close();
      for (const node of nodes) node.disconnect();
      await servers[Symbol.asyncDispose]();
    },
  };
}

async function ownNodes(count: number): Promise<AsyncDisposable & { readonly nodes: readonly PrivateRedis[] }> {
  const nodes = await startRedisNodes(count, {
    dir: await Deno.makeTempDir({ prefix: "vote-" }),
    program: testEnvironment().redisProgram,
    log: createLog("warn", "pretty"),
  });
  return { nodes, [Symbol.asyncDispose]: async () => void await Promise.all(nodes.map((node) => node.kill())) };
}
