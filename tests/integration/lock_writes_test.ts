/** What a node is sent: few writes, as each of them costs the process and the node more than what is in it. */
import { assertEquals } from "@std/assert";
import { Socket } from "node:net";
import { parseRedisAddress } from "../../src/config/redis_address.ts";
import { NodeLink } from "../../src/lock/nodes/node_link.ts";
import { ScriptCalls } from "../../src/lock/nodes/script_call.ts";
import { testEnvironment } from "../support/env.ts";
import { within } from "../support/pool_probe.ts";

Deno.test("what a node is asked in one tick goes in one write, and what it is asked in the next in another", async () => {
  const url = testEnvironment().redisUrls[0]!;
  using sockets = writesOfSockets();
  const up = Promise.withResolvers<void>();
  const link = new NodeLink(parseRedisAddress(url), { trusted: undefined, own: undefined }, {
    timeoutMs: 5000,
    random: () => 0.5,
    calls: new ScriptCalls(),
    up: () => up.resolve(),
    lost: () => {},
  });
  try {
    await within(up.promise, "the node");
    sockets.writes.length = 0;
    const ask = (name: string) => link.eval(`return '${name}'`, 0, []);
    // As of a release whose caller goes on to the next lease.
    const both = Promise.all([ask("release"), Promise.resolve().then(() => ask("acquire"))]);
    assertEquals(await both, ["release", "acquire"]);
    assertEquals(await ask("extend"), "extend");
    assertEquals(sockets.writes, [["release", "acquire"], ["extend"]]);
  } finally {
    link.close();
  }
});

/** What is written to any socket of this process, by write: the names that its scripts answer. */
function writesOfSockets(): Disposable & { readonly writes: string[][] } {
  const methods = Socket.prototype as unknown as Record<
    "_write" | "_writev",
    (data: unknown, ...more: unknown[]) => void
  >;
  const { _write, _writev } = methods;
  const writes: string[][] = [];
  const note = (texts: readonly string[]) =>
    writes.push([...texts.join("").matchAll(/return '(\w+)'/g)].map(([, name = ""]) => name));
  methods._write = function (data, ...more) {
    note([String(data)]);
    _write.call(this, data, ...more);
  };
  methods._writev = function (chunks, ...more) {
    note((chunks as readonly { readonly chunk: unknown }[]).map(({ chunk }) => String(chunk)));
    _writev.call(this, chunks, ...more);
  };
  return { writes, [Symbol.dispose]: () => void Object.assign(methods, { _write, _writev }) };
}
