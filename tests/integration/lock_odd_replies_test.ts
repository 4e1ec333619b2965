/**
 * A node that says what nobody asked for: it loses that connection, and nothing else does. Left to ioredis the first of
 * these ends the process.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Redis } from "ioredis";
import type { Lock } from "../../src/lock/lock.ts";
import { testEnvironment } from "../support/env.ts";
import { acquired, type LockBench, lockBench } from "../support/lock_bench.ts";
import { oddRedis } from "../support/odd_redis.ts";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const NODE_TIMEOUT_MS = 250;
const MEGABYTE = 1024 * 1024;
const BIG = "x".repeat(MEGABYTE);

/** Said after every answer, on one node of five. */
const ODD: Readonly<Record<string, string>> = {
  "one null bulk too many": "$-1\r\n",
  "one null array too many": "*-1\r\n",
  "one null of RESP3 too many": "_\r\n",
  "a thousand nulls": "$-1\r\n".repeat(1000),
  "one OK too many": "+OK\r\n",
  "one number too many": ":1\r\n",
  "one error too many": "-ERR nobody asked\r\n",
  "MOVED": "-MOVED 1 127.0.0.1:1\r\n",
  "NOAUTH": "-NOAUTH Authentication required.\r\n",
  "an error of a megabyte": `-ERR ${BIG}\r\n`,
  "garbage": "\u0000\u0001\u0002 what is this\r\n\r\n",
  "an unknown type": "?what\r\n",
  "a length that is none": "$abc\r\n",
  "a negative length": "$-7\r\n",
  "a deep array": `${"*1\r\n".repeat(5000)}:1\r\n`,
  "a huge array": "*2147483647\r\n",
  "an empty push": ">0\r\n",
  "a push of null": ">1\r\n$-1\r\n",
  "a push of a subscription to null": ">3\r\n$9\r\nsubscribe\r\n$-1\r\n:1\r\n",
  "a push that subscribes": ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n",
  "a push of a message of null": ">3\r\n$7\r\nmessage\r\n$-1\r\n$-1\r\n",
  "a map of nulls": "%1\r\n_\r\n_\r\n",
  "not a number": ",nan\r\n",
};

Deno.test("whatever one node of five says, leases are had, the process lives, and the node votes again afterwards", async (t) => {
  const urls = testEnvironment().redisUrls;
  await using odd = oddRedis(urls[0]!);
  await using bench = lockBench(urls);
  const lock = await bench.lock({
    nodes: [odd.url, ...urls.slice(1)].map(parseRedisAddress),
    nodeTimeoutMs: NODE_TIMEOUT_MS,
  });
  for (const [name, said] of Object.entries(ODD)) {
    await t.step(name, async () => {
      odd.say(said);
      for (let i = 0; i < 20; i++) {
        const lease = await acquired(lock, [1], 5000);
        await lease.release();
      }
      odd.say(undefined);
      await eventually(() => lock.status().nodes.every(({ state }) => state === "up"), "all vote again");
      await allVote(lock, bench);
      await eventually(() => odd.open === 1, "no connection is left behind");
    });
  }
  assert(odd.opened > 10, `${odd.opened} connections: what is odd did not cost it the connection`);
});

Deno.test("a single reply that nobody asked for costs the connection, also while nothing is asked", async () => {
  const urls = testEnvironment().redisUrls;
  await using odd = oddRedis(urls[0]!);
  await using bench = lockBench(urls);
  const reasons: string[] = [];
  const warn = ({ reason }: Record<string, unknown>) => void (typeof reason === "string" && reasons.push(reason));
  const log = { ...SILENT, warn };
  const lock = await bench.lock({
    nodes: [odd.url, ...urls.slice(1)].map(parseRedisAddress),
    nodeTimeoutMs: NODE_TIMEOUT_MS,
    log,
  });
  for (const said of ["+OK\r\n", ":1\r\n", "$-1\r\n"]) {
    const { opened } = odd;
    odd.say(said);
    odd.say(undefined);
    await eventually(
      () => odd.opened > opened && lock.status().nodes[0]?.state === "up",
      `dialled again after ${said}`,
    );
  }
  assertMatch(reasons[0] ?? "", /a reply that nobody asked for|something else/);
});

Deno.test("what can't be handled is the reason, and a reply of gigabytes is not kept", async () => {
  const urls = testEnvironment().redisUrls;
  await using odd = oddRedis(urls[0]!);
  await using bench = lockBench(urls);
  const reasons: string[] = [];
  const note = (fields: Record<string, unknown>) => void reasons.push(String(fields.reason));
  const log = { ...SILENT, warn: note, error: note };
  const lock = await bench.lock({
    nodes: [odd.url, ...urls.slice(1)].map(parseRedisAddress),
    nodeTimeoutMs: NODE_TIMEOUT_MS,
    log,
  });
  const opened = odd.opened;
  const before = Deno.memoryUsage().rss;
  let most = 0;
  const watch = setInterval(() => most = Math.max(most, Deno.memoryUsage().rss), 20);
  const taken = await odd.flood(`$${1900 * MEGABYTE}\r\n`, new Uint8Array(MEGABYTE), 1900 * MEGABYTE);
  clearInterval(watch);
  assert(taken < 64 * MEGABYTE, `${taken} bytes were taken`);
  assert(most - before < 256 * MEGABYTE, `${most - before} bytes more`);
  await eventually(() => odd.opened > opened, "it is dialled again");
  await eventually(() => lock.status().nodes.every(({ state }) => state === "up"), "all vote again");
  assertMatch(reasons.at(-1) ?? "", /a reply of more than 4194304 bytes/);
  await allVote(lock, bench);
});

Deno.test("clients of ioredis that nobody watches are left as they were", async () => {
  await using odd = oddRedis(testEnvironment().redisUrls[0]!);
  const node = new Redis(odd.url, { protocol: 2 });
  const errors: string[] = [];
  node.on("error", (error) => errors.push(error.message));
  assertEquals(await node.ping(), "PONG");
  odd.say("+OK\r\n");
  await eventually(() => errors.some((message) => message.startsWith("Command queue state error")), "its own error");
  node.disconnect();
});

/** Until every node has the key of a lease at the same time. */
async function allVote(lock: Lock, bench: LockBench): Promise<void> {
  await eventually(async () => {
    const lease = await acquired(lock, [2], 5000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const counts = await Promise.all(bench.nodes.map((node) => node.exists(bench.key(2))));
    await lease.release();
    return counts.every((count) => count === 1);
  }, "all nodes vote");
}
