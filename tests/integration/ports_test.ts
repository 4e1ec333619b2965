import { assert, assertEquals } from "@std/assert";
import { createLog } from "../../src/telemetry/create_log.ts";
import { freePort, freePorts, takePort } from "../../tools/stack/ports.ts";
import { startRedisNode } from "../../tools/stack/redis.ts";
import { testEnvironment } from "../support/env.ts";
import { makeOpenDirectory } from "../support/open_directory.ts";

const PORTS_FILE = new URL("../../tools/stack/ports.ts", import.meta.url).href;

Deno.test("a port that was taken is nobody's while its server is stopped, and its own process's again", async () => {
  const dir = await makeOpenDirectory();
  const options = { dir, log: createLog("error", "pretty"), program: testEnvironment().redisProgram };
  const node = await startRedisNode(options);
  await node.stop();
  const taken = [node.port, ...freePorts(100)];
  assertEquals(new Set(taken).size, taken.length);
  await using other = await takerOf(`${JSON.stringify(taken)}.filter(takePort)`);
  assertEquals(other.got, []);

  const again = await startRedisNode(options);
  assertEquals(again.port, node.port);
  assert(!takePort(node.port), "somebody listens there");
  await again.stop();
});

Deno.test("a process that is killed gives back the ports that it had, and none before", async () => {
  let those: readonly number[];
  {
    await using other = await takerOf("freePorts(20)");
    those = other.got;
    assertEquals(those.filter(takePort), []);
  }
  // Somebody else may have drawn one meanwhile, and nobody all of them.
  assert(those.some(takePort), "they are still taken");
});

Deno.test("a port that somebody listens on is not taken, and one that is not ours neither", () => {
  const port = freePort();
  using _ = Deno.listen({ hostname: "127.0.0.1", port });
  assert(!takePort(port));
  for (const other of [0, 80, 5432, 19_999, 26_384, 32_768, 20_000.5, NaN]) assert(!takePort(other), `${other}`);
});

interface Taker extends AsyncDisposable {
  /** Its ports. */
  readonly got: readonly number[];
}

/** Another process, which takes its ports by this expression. It is killed in the end. */
async function takerOf(taking: string): Promise<Taker> {
  const words = `import { freePorts, takePort } from "${PORTS_FILE}";
    console.log(JSON.stringify(${taking}));
    await new Promise(() => setInterval(() => {}, 1_000));`;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", words], stdin: "null", stdout: "piped" }).spawn();
  let said = "";
  for await (const part of child.stdout.values({ preventCancel: true })) {
    said += new TextDecoder().decode(part);
    if (said.endsWith("\n")) break;
  }
  return {
    got: JSON.parse(said),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await Promise.all([child.status, child.stdout.cancel()]);
    },
  };
}
