/** Calls of scripts as bytes: what ioredis would write, once for all nodes that are asked the same. */
import { assert, assertEquals } from "@std/assert";
import { Command } from "ioredis";
import type { Socket } from "node:net";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { NodeLink } from "../../src/lock/nodes/node_link.ts";
import { type ScriptArgument, ScriptCalls } from "../../src/lock/nodes/script_call.ts";
import { testEnvironment } from "../support/env.ts";
import { within } from "../support/pool_probe.ts";

/** What a command writes does not depend on the socket. */
const SOCKET = {} as Socket;

function bytesOf(command: Command): Uint8Array {
  const written = command.toWritable(SOCKET);
  assert(typeof written !== "string", "it is written already");
  return written;
}

const CALLS: readonly (readonly [hash: string, keyCount: number, args: readonly ScriptArgument[]])[] = [
  ["a".repeat(40), 2, ["lock:goods:1", "lock:goods:22", "value", 8000]],
  ["a".repeat(40), 2, ["lock:goods:1", "lock:goods:22", "value", 8001]],
  ["a".repeat(40), 2, ["lock:goods:1", "lock:goods:22", "other", 8001]],
  ["a".repeat(40), 2, ["lock:goods:1", "lock:goods:22", "other"]],
  ["b".repeat(40), 2, ["lock:goods:1", "lock:goods:22", "other"]],
  ["b".repeat(40), 1, ["lock:goods:1", "lock:goods:22", "other"]],
  ["b".repeat(40), 1, ["Größe €:goods:1", "", "\r\n"]],
  ["", 0, []],
];

Deno.test("what a node is sent is what ioredis would write of the same arguments", () => {
  const calls = new ScriptCalls();
  for (const [hash, keyCount, args] of CALLS) {
    const own = new Command("evalsha", [hash, keyCount, ...args]).toWritable(SOCKET);
    for (let node = 0; node < 2; node++) {
      assertEquals(new TextDecoder().decode(bytesOf(calls.evalsha(hash, keyCount, args))), String(own));
    }
  }
});

Deno.test("one question is written once for all nodes, and each has a command of its own", () => {
  const calls = new ScriptCalls();
  const args = ["lock:goods:1", "value", 8000];
  const [first, second] = [calls.evalsha("h", 1, args), calls.evalsha("h", 1, [...args])];
  assert(first !== second);
  assert(bytesOf(first) === bytesOf(second), "the same bytes");
  // As a caller may who asks for other keys with the list that it has.
  args[0] = "lock:goods:2";
  assert(new TextDecoder().decode(bytesOf(calls.evalsha("h", 1, args))).includes("lock:goods:2"));
});

Deno.test("each node answers what it was asked, and none what another question was", async () => {
  const calls = new ScriptCalls();
  const links: NodeLink[] = [];
  try {
    await Promise.all(
      testEnvironment().redisUrls.slice(0, 2).map((url) => {
        const up = Promise.withResolvers<void>();
        links.push(
          new NodeLink(parseRedisAddress(url), { trusted: undefined, own: undefined }, {
            timeoutMs: 5000,
            random: () => 0.5,
            calls,
            up: () => up.resolve(),
            lost: () => {},
          }),
        );
        return within(up.promise, "the node");
      }),
    );
    const script = "return {#KEYS, KEYS[1], ARGV[1], ARGV[2]}";
    const [hash] = await Promise.all(links.map((link) => link.loadScript(script)));
    const ask = (key: string, value: string) =>
      links.map((link) => link.evalsha(String(hash), 1, [key, value, 8000]) as Promise<unknown[]>);
    const asked = [...ask("lock:goods:1", "Größe €"), ...ask("lock:goods:1", "other"), ...ask("lock:goods:2", "other")];
    assertEquals((await Promise.all(asked)).map((answer) => answer.join(" ")), [
      ...Array(2).fill("1 lock:goods:1 Größe € 8000"),
      ...Array(2).fill("1 lock:goods:1 other 8000"),
      ...Array(2).fill("1 lock:goods:2 other 8000"),
    ]);
  } finally {
    for (const link of links) link.close();
  }
});
