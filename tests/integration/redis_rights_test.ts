/** Tests of who may do what on the Redis nodes of `up`: the lock all that it needs, and nobody anything else. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { startRedisNodes } from "../../tools/stack/redis.ts";
import { LeaseTakenError } from "../../src/lock/lock.ts";
import { createRedlock } from "../../src/lock/redlock.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { testEnvironment } from "../support/env.ts";
import { acquired, LONG_TTL_MS, ready } from "../support/lock_bench.ts";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const log = createLog("error", "pretty");
/** As src/stock.ts has it. */
const KEY_PREFIX = "holdfast:goods:";
/** More than a script hands over to Redis at once. */
const GOODS = Array.from({ length: 1200 }, (_, i) => i + 1);

const REFUSED: readonly (readonly [string, ...string[]])[] = [
  ["config", "set", "maxmemory", "1"],
  ["config", "get", "*"],
  ["shutdown", "nosave"],
  ["flushall"],
  ["keys", "*"],
  ["scan", "0"],
  ["replicaof", "127.0.0.1", "1"],
  ["debug", "sleep", "0"],
  ["client", "kill", "type", "normal"],
  ["client", "list"],
  ["acl", "list"],
  ["acl", "setuser", "holdfast", "+@all"],
  ["module", "list"],
  ["monitor"],
  ["save"],
  ["script", "flush"],
  ["function", "list"],
  ["publish", "a", "b"],
  ["get", `${KEY_PREFIX}1`],
  ["append", `${KEY_PREFIX}1`, "1"],
  ["eval", "return redis.call('flushall')", "0"],
];

Deno.test("a node's user may do what the lock does, and nothing else", async () => {
  const dir = await Deno.makeTempDir();
  const nodes = await startRedisNodes(3, { dir, log, program: testEnvironment().redisProgram, rights: "lock" });
  const urls = nodes.map(({ url }) => url);
  const options = {
    nodes: urls.map(parseRedisAddress),
    ttlMs: LONG_TTL_MS,
    nodeTimeoutMs: 2000,
    quarantineMs: 0,
    keyPrefix: KEY_PREFIX,
  };
  const [first, second] = [0, 1].map(() => createRedlock({ ...options, log: SILENT, random: Math.random }));
  const direct = new Redis(urls[0]!, { retryStrategy: () => null });
  try {
    await ready(first!);
    await ready(second!);
    const lease = await acquired(first!, GOODS, 5000);
    const refusal = await assertRejects(() => second!.acquire([1, 2]));
    assert(refusal instanceof LeaseTakenError, `${refusal}`);
    assertEquals([...refusal.stockKeys].sort(), [1, 2]);
    await eventually(async () => {
      await second!.acquire([1]).catch(() => {});
      return (await first!.wantedByOthers([1])).length === 1;
    }, "its mark is seen");
    await lease.extend();
    await lease.release();
    await (await acquired(second!, GOODS, 5000)).release();

    for (const [name, ...args] of REFUSED) {
      const error = await assertRejects(() => direct.call(name, ...args));
      assert(/NOPERM|ACL failure|can't (access|run)|not allowed/.test(`${error}`), `${name} ${args}: ${error}`);
    }
  } finally {
    direct.disconnect();
    await Promise.all([first, second].map((lock) => lock!.close()));
    await Promise.all(nodes.map((node) => node.stop()));
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a node asks for its own password, and keeps it over a restart", async () => {
  const dir = await Deno.makeTempDir();
  const options = { dir, log, program: testEnvironment().redisProgram };
  const nodes = await startRedisNodes(2, options);
  const passwords = nodes.map(({ url }) => new URL(url).password);
  assert(passwords[0] !== passwords[1], "both have the same password");
  try {
    const { port } = nodes[0]!;
    const asked: [url: string, answer: string][] = [
      [`redis://127.0.0.1:${port}`, "NOAUTH"],
      [`redis://default:@127.0.0.1:${port}`, "WRONGPASS"],
      [`redis://holdfast:${passwords[0]}@127.0.0.1:${port}`, "WRONGPASS"],
      [`redis://default:${passwords[1]}@127.0.0.1:${port}`, "WRONGPASS"],
    ];
    for (const [url, answer] of asked) {
      const client = new Redis(url, { retryStrategy: () => null, enableReadyCheck: false, lazyConnect: true });
      const errors: string[] = [];
      client.on("error", (error) => errors.push(`${error}`));
      await client.connect().catch((error) => errors.push(`${error}`));
      const error = await assertRejects(() => client.ping());
      assert([...errors, `${error}`].some((words) => words.includes(answer)), `${url}: ${errors} ${error}`);
      client.disconnect();
    }
    const [before] = nodes;
    await before!.kill();
    await before!.start();
    assertEquals(new URL(before!.url).password, passwords[0]);
    const client = new Redis(before!.url);
    assertEquals(await client.ping(), "PONG");
    client.disconnect();
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
  const again = await startRedisNodes(2, options);
  assertEquals(again.map(({ url }) => new URL(url).password), passwords);
  await Promise.all(again.map((node) => node.stop()));
  await Deno.remove(dir, { recursive: true });
});
