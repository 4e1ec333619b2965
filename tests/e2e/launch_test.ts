/**
 * The lines of docs/operating.md that start the service, and what becomes of signals to the process that the user
 * knows.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { call } from "../support/callers.ts";
import { takeLeases } from "../support/contention.ts";
import { rawJson } from "../support/raw_call.ts";
import { runServer, type ServerOptions, serverTest, startServer, type TestServer } from "../support/server.ts";
import { commandLine, descendants } from "../support/processes.ts";
import { type LogLine, logLines, said, signal as kill } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

const EXIT_UNUSABLE = 78;
const NPX = "npx -y deno@2.9.3 task";
/** Calls wait for their lease for as long as the test wants. */
const PATIENT = { LOCK_WAIT_MS_MAX: "30000" };

const ONE_PROCESS: [name: string, ServerOptions, program: string][] = [
  ["bin/holdfast", { line: "bin/holdfast", env: PATIENT }, "src/main.ts"],
  ["bin/holdfast with WORKERS", { line: "bin/holdfast", env: { ...PATIENT, WORKERS: "2" } }, "src/supervisor.ts"],
];

for (const [name, options, program] of ONE_PROCESS) {
  serverTest(
    `${name} becomes the server, whose log begins with what it is: SIGTERM drains it, and its exit code is the server's`,
    options,
    async (server) => {
      await beginsWithVersion(server);
      assert(commandLine(server.pid)?.endsWith(program), commandLine(server.pid));
      assertEquals(await stopsWithCall(server, () => server.signal("SIGTERM")), "200");
      assertEquals(await server.exited, 0);
    },
  );
}

const CHAINS: [name: string, ServerOptions, signal: Deno.Signal][] = [
  ["start", { line: `${NPX} start`, env: PATIENT }, "SIGTERM"],
  ["start:workers", { line: `${NPX} start:workers`, workers: 2, env: PATIENT }, "SIGHUP"],
];

for (const [task, options, signal] of CHAINS) {
  serverTest(
    `${NPX} ${task}: the server sees that npx was ended with ${signal}, and drains`,
    options,
    async (server) => {
      assertEquals(await stopsWithCall(server, () => server.signal(signal)), "200");
      // Every process that had its output open has ended.
      await server.exited;
      assertStringIncludes(server.output.stderr, '"signal":"none: what started this process has ended"');
      assertEquals(said(server, "stopped").some(({ worker }) => worker === undefined), true);
    },
  );
}

serverTest("a signal to the task itself comes through: SIGHUP, which ends nothing, and SIGTERM", {
  line: '"$DENO" task start',
  env: PATIENT,
}, async (server) => {
  server.signal("SIGHUP");
  await eventually(
    () => logLines(server).some(({ msg }) => msg.startsWith("SIGHUP: the console is read anew")),
    "it is said",
  );
  assertEquals(await stopsWithCall(server, () => server.signal("SIGTERM")), "200");
  assertEquals(await server.exited, 0);
  assertStringIncludes(server.output.stderr, '"signal":"SIGTERM"');
});

Deno.test({
  name: "as process 1 of a container bin/holdfast is drained by SIGTERM",
  ignore: !mayUnshare(),
  async fn() {
    await using server = await startServer({ line: "unshare --pid --fork bin/holdfast", env: PATIENT });
    const [first] = descendants(server.pid);
    assert(commandLine(first!)?.endsWith("src/main.ts"), commandLine(first!));
    assertEquals(await stopsWithCall(server, () => void kill(first!, "SIGTERM")), "200");
    assertEquals(await server.exited, 0);
  },
});

Deno.test("a terminal that closes stops the server, with a drain", async () => {
  await using server = await startServer({
    line: "script -qec bin/holdfast /dev/null",
    env: { ...PATIENT, LOG_LEVEL: "error" },
  });
  const pids = descendants(server.pid);
  const served = pids.find((pid) => commandLine(pid)?.endsWith("src/main.ts"));
  assert(served !== undefined, `none of ${pids} is the server`);
  // The terminal ends with the program that made it.
  assertEquals(await stopsWithCall(server, () => server.signal("SIGKILL")), "200");
  await eventually(() => commandLine(served) === undefined, "the server is gone");
});

Deno.test("what can't be started on is said by bin/holdfast as by the tasks", async () => {
  for (const env of [{ PORT: "http" }, { WORKERS: "2", DATABASE_POOL_MAX: "1" }]) {
    const { code, stdout, stderr } = await runServer({ line: "bin/holdfast", env });
    assertEquals([code, stdout], [EXIT_UNUSABLE, ""]);
    assertStringIncludes(stderr, `\n  ${Object.keys(env).at(-1)}: `);
    assert(!stderr.includes("    at "), stderr);
  }
  for (const word of ["--port", "help", "--help"]) {
    const { code, stdout, stderr } = await runServer({ line: `bin/holdfast ${word} 9` });
    assertEquals([code, stdout], [EXIT_UNUSABLE, ""]);
    assertStringIncludes(stderr, `expected nothing behind it, or --version, got "${word}"`);
  }
  const { code, stderr } = await runServer({ line: "bin/holdfast", env: { DENO: "/nowhere/deno" } });
  assertEquals(code, EXIT_UNUSABLE);
  assertStringIncludes(stderr, 'Cannot start: DENO, "/nowhere/deno", does not run');
});

Deno.test("where npx can't bring Deno bin/holdfast says what to set, and ends with 1, as another time it may go well", async () => {
  const dir = await Deno.makeTempDir();
  for (const program of ["deno", "npx"]) {
    await Deno.writeTextFile(`${dir}/${program}`, "#!/bin/sh\necho no registry >&2\nexit 7\n", { mode: 0o755 });
  }
  const { code, stdout, stderr } = await runServer({ line: `env PATH="${dir}:$PATH" bin/holdfast`, env: { DENO: "" } });
  assertEquals([code, stdout], [1, ""]);
  const words = "npx could not bring Deno 2.9.3, see above. Set DENO to its path";
  assertStringIncludes(stderr, `no registry\nCannot start: ${words}`);
});

const VERSION: [what: string, ServerOptions][] = [
  ["bin/holdfast", { line: "bin/holdfast --version" }],
  ["the task start", { line: '"$DENO" task start --version' }],
  ["the task start:workers", { line: '"$DENO" task start:workers --version' }],
];

for (const [what, options] of VERSION) {
  Deno.test(`--version: ${what} says which Holdfast it is and ends, whatever the settings`, async () => {
    const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
    const { code, stdout } = await runServer({ ...options, env: { PORT: "http" } });
    assertEquals([code, stdout], [0, `holdfast ${version}\n`]);
  });
}

/** The log's first line says which Holdfast starts, and on which Deno. */
async function beginsWithVersion(server: TestServer): Promise<void> {
  const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
  const [first] = logLines(server);
  const { msg, ...fields } = first as LogLine & { version?: string; deno?: string };
  assertEquals([msg, fields.version, fields.deno], ["Holdfast starts", version, Deno.version.deno]);
}

/** What becomes of a call that waits for its lease while the server is asked to stop. */
async function stopsWithCall(server: TestServer, stop: () => void): Promise<string> {
  await call(server.url, "SetInv", { goodsId: 1, num: 1 });
  await using leases = await takeLeases(1);
  const order = { orderId: "under-way", goodsInfo: [{ goodsId: 1, num: 1 }] };
  const result = rawJson(server.url, "Sell", JSON.stringify(order));
  await leases.askedFor();
  stop();
  await eventually(async () => (await call(server.url, "InvDetail", {})).code === "unreachable", "nobody listens");
  await leases.release();
  return await result;
}

function mayUnshare(): boolean {
  if (Deno.build.os !== "linux") return false;
  return new Deno.Command("sh", { args: ["-c", "unshare --pid --fork true"], stderr: "null" }).outputSync().success;
}
