/** Several processes behind one port, as `deno task start:workers` runs them: how they serve, and what is refused. */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import net from "node:net";
import postgres from "postgres";
import { processFacts } from "../../src/process/facts.ts";
import { callUntilDecided, firstOrRepeated, inParallel, tally } from "../support/callers.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { runServer, serverTest, type TestServer } from "../support/server.ts";
import { isRunning, pidOf, said, signal } from "../support/workers.ts";

const EXIT_UNUSABLE = 78;
const GOODS = 16;
const STOCK = 20;
/** Each is sent twice; there are more than there is stock. */
const ORDERS = 400;
const CALLERS = 32;
const CONNECTIONS = 4;
/** One for each worker's look at PostgreSQL. */
const LOOKS = 2;

serverTest("two workers behind one port", {
  workers: 2,
  env: { LOG_LEVEL: "debug", DATABASE_POOL_MAX: String(CONNECTIONS) },
}, async (server, step) => {
  await step(
    "they sell what there is, each order once, and share the connections to PostgreSQL",
    () => sellEachOnce(server),
  );
  await step("they may run nothing, and have no permission that the settings don't need", () => mayLittle(server));
  await step("nobody else shares their port: another supervisor's workers, or one process", async () => {
    await refusesPort(server.port);
    const { code, stderr } = await runServer({ env: { PORT: String(server.port) } });
    assertEquals(code, EXIT_UNUSABLE);
    assertStringIncludes(stderr, "EADDRINUSE");
  });
  // What ends them.
  await step("one that is paused is woken to drain", async () => {
    await signal(pidOf(server, 2), "SIGSTOP");
    assertEquals(await server.stop(), 0);
  });
});

async function sellEachOnce(server: TestServer): Promise<void> {
  const goodsIds = Array.from({ length: GOODS }, (_, i) => i + 1);
  for (const goodsId of goodsIds) await callUntilDecided(server.url, "SetInv", { goodsId, num: STOCK });
  const answers = await inParallel(2 * ORDERS, CALLERS, (i) => {
    const order = i >> 1;
    const goodsInfo = [{ goodsId: order % GOODS + 1, num: 1 }];
    return callUntilDecided(server.url, "Sell", { orderId: `order-${order}`, goodsInfo });
  });
  const [first, second] = [0, 1].map((odd) => answers.filter((_, i) => i % 2 === odd));
  assertEquals(tally(first!.map(({ code }) => code)), {
    ok: GOODS * STOCK,
    failed_precondition: ORDERS - GOODS * STOCK,
  });
  const sold = first!.flatMap(({ code }, i) => code === "ok" ? [i] : []);
  for (const i of sold) {
    assertEquals(firstOrRepeated(first![i]!), firstOrRepeated(second![i]!), `order-${i} had two answers`);
  }
  assertEquals(await checkLedger(server.databaseOwnerUrl), []);

  for (const worker of [1, 2]) {
    assert(said(server, "call answered", worker).length > 0, `worker ${worker} answered no call`);
  }
  assertEquals(server.output.stdout, `Holdfast listens on ${server.url}\n`);
  const opened = await connectionsOpen(server.databaseOwnerUrl);
  assert(opened > LOOKS && opened <= CONNECTIONS + LOOKS, `${opened} connections are open`);
}

function mayLittle(server: TestServer): Promise<void> {
  for (const worker of [1, 2]) {
    const words = processFacts(pidOf(server, worker))!.commandLine.split(" ");
    const kinds = words.filter((word) => word.startsWith("-")).map((word) => word.split("=")[0]);
    assertEquals(kinds.sort(), [
      "--allow-env",
      "--allow-net",
      "--allow-read",
      "--allow-sys",
      "--ignore-env",
      "--no-prompt",
      "--v8-flags",
    ]);
  }
  assertNotEquals(pidOf(server, 1), pidOf(server, 2));
  return Promise.resolve();
}

serverTest("a single worker is supervised too", { workers: 1 }, (server) => {
  assert(isRunning(pidOf(server, 1)));
  return Promise.resolve();
});

Deno.test("`start` is one process: it refuses more workers, and names the task for them", async () => {
  const { code, stdout, stderr } = await runServer({ env: { WORKERS: "2" } });
  assertEquals([code, stdout], [EXIT_UNUSABLE, ""]);
  assertStringIncludes(stderr, "deno task start:workers");
});

Deno.test("settings that can't be run on are named once, before any worker is started", async () => {
  const { code, stdout, stderr } = await runServer({ workers: 3, env: { PORT: "http", DATABASE_POOL_MAX: "5" } });
  assertEquals([code, stdout], [EXIT_UNUSABLE, ""]);
  assertEquals(stderr.match(/Cannot start/g)?.length, 1, stderr);
  assertStringIncludes(stderr, "\n  PORT: ");
  assertStringIncludes(stderr, "\n  DATABASE_POOL_MAX: expected 6 or more for WORKERS 3");
  assert(!stderr.includes("worker started"), stderr);
});

Deno.test("a supervisor that may not start workers names the flag to add", async () => {
  const withoutRun = (flags: readonly string[]) => flags.filter((flag) => !flag.startsWith("--allow-run"));
  const { code, stdout, stderr } = await runServer({ workers: 2, flags: withoutRun });
  assertEquals([code, stdout], [EXIT_UNUSABLE, ""]);
  assertStringIncludes(stderr, "--allow-run=");
});

Deno.test("a port on which somebody else listens is named once, and nothing is tried again", async () => {
  const listener = net.createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as net.AddressInfo;
  await refusesPort(port);
  await new Promise((resolve) => listener.close(resolve));
});

Deno.test("a worker is no program to be run by hand", async () => {
  const { code, stdout, stderr } = await runServer({ entry: "src/worker.ts" });
  assertEquals([code, stdout], [EXIT_UNUSABLE, ""]);
  assertStringIncludes(stderr, "deno task start:workers");
});

async function refusesPort(port: number): Promise<void> {
  const { code, stdout, stderr } = await runServer({ workers: 2, env: { PORT: String(port) } });
  assertEquals([code, stdout], [EXIT_UNUSABLE, ""], stderr);
  assertEquals(stderr.match(/Cannot listen on/g)?.length, 1, stderr);
  assertStringIncludes(stderr, `Cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
  assertEquals(said({ output: { stdout, stderr } }, "worker started").length, 1);
}

async function connectionsOpen(ownerUrl: string): Promise<number> {
  const owner = postgres(ownerUrl, { max: 1 });
  const [row] = await owner<{ count: number }[]>`
    select count(*)::int from pg_stat_activity
    where datname = current_database() and application_name = 'holdfast'`;
  await owner.end();
  return row!.count;
}
