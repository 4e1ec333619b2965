/**
 * Neighbours that behave oddly, around the real program: a Redis that answers too much, a PostgreSQL that begins to
 * copy what nobody asked for, and a reader of the log that stops reading. The process lives, and sells.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { call, callUntilDecided, health, inParallel, tally } from "../support/callers.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { jsonLines } from "../support/json_lines.ts";
import { oddRedis } from "../support/odd_redis.ts";
import { startServer, taskFlags } from "../support/server.ts";
import { startProxy } from "../support/tcp_proxy.ts";
import { eventually } from "../support/eventually.ts";

const REDLOCK = { CONCURRENCY: "redlock" };
const UNCAUGHT = fileURLToPath(new URL("../support/uncaught.ts", import.meta.url));
/** To each process whose log nobody reads: each leaves a line of more than a kilobyte, with the stack of its error. */
const CALLS = 1_400;
/** Only a hang reaches it: on a machine that is busy with other files a start has taken fifteen seconds. */
const START_MS_MAX = 60_000;
/** `G`, its length, text format, no columns. */
const COPY_IN_RESPONSE = new Uint8Array([0x47, 0, 0, 0, 7, 0, 0, 0]);
/** Nulls that nobody asked for, and other things that a driver can't handle. */
const ODD = ["$-1\r\n", "*-1\r\n", ">1\r\n$-1\r\n", "$-1\r\n".repeat(500), "+OK\r\n"];

Deno.test("a Redis that answers too much costs its vote: the process lives, sells, and logs within bounds", async () => {
  const urls = testEnvironment().redisUrls;
  await using odd = oddRedis(urls[0]!);
  await using server = await startServer({ env: { ...REDLOCK, REDIS_URLS: [odd.url, ...urls.slice(1)].join(",") } });
  assertEquals((await call(server.url, "SetInv", { goodsId: 1, num: 1000 })).code, "ok");
  for (const said of ODD) {
    odd.say(said);
    const answers = await inParallel(
      40,
      8,
      (i) =>
        call(server.url, "Sell", { orderId: `odd-${ODD.indexOf(said)}-${i}`, goodsInfo: [{ goodsId: 1, num: 1 }] }),
    );
    assertEquals(tally(answers.map(({ code }) => code)), { ok: 40 });
  }
  assertEquals(await health(server.url), "SERVING");
  odd.say(undefined);
  assertEquals(await checkLedger(server.databaseOwnerUrl), []);
  const lines = server.output.stderr.split("\n").length;
  assert(lines < 60, `${lines} lines\n${server.output.stderr.slice(0, 5000)}`);
  assertEquals(await server.stop(), 0);
});

Deno.test("a PostgreSQL that begins to copy what nobody asked for: the process lives, and the next call is fine", async () => {
  await using database = await createTestDatabase();
  const address = new URL(database.serverUrl);
  const proxy = startProxy(Number(address.port));
  try {
    address.port = String(proxy.port);
    await using server = await startServer({ database, env: { DATABASE_URL: address.href } });
    assertEquals((await call(server.url, "SetInv", { goodsId: 1, num: 1000 })).code, "ok");
    for (let i = 0; i < 10; i++) {
      let left = 1 + i % 3;
      proxy.behaviour.beforeAnswer = () => left-- > 0 ? COPY_IN_RESPONSE : undefined;
      const order = { orderId: `copied-${i}`, goodsInfo: [{ goodsId: 1, num: 1 }] };
      const odd = await call(server.url, "Sell", order);
      assert(["ok", "unavailable", "internal", "unknown"].includes(odd.code), JSON.stringify(odd));
      proxy.behaviour.beforeAnswer = () => undefined;
      assertEquals((await callUntilDecided(server.url, "Sell", order)).code, "ok");
      assertEquals((await call(server.url, "InvDetail", { goodsId: 1 })).code, "ok");
    }
    assertEquals((await call(server.url, "InvDetail", { goodsId: 1 })).body.num, 990);
    assertEquals(await checkLedger(database.ownerUrl), []);
    await eventually(async () => await health(server.url) === "SERVING", "it is ready");
    assertEquals(await server.stop(), 0);
  } finally {
    await proxy[Symbol.asyncDispose]();
  }
});

Deno.test("what a driver throws in a tick of its own is logged within bounds, and ends nothing", async () => {
  await using odd = oddRedis(testEnvironment().redisUrls[0]!);
  odd.say("$-1\r\n".repeat(2000), "PONG");
  const { code, stdout, stderr } = await runUncaught("driver", odd.url);
  assertEquals([code, stdout], [0, "PONG\n"], stderr.slice(0, 5000));
  const lines = jsonLines(stderr);
  assert(lines.length >= 1 && lines.length <= 6, `${lines.length} lines`);
  for (const { level, msg } of lines) assertEquals([level, msg], ["error", "uncaught error of a driver"]);
  assertMatch(lines[0].error.stack, /ioredis/);
});

Deno.test("a fault of our own that nobody catches is logged and ends the process, with the lines before it", async () => {
  const { code, stderr } = await runUncaught("own");
  assertEquals(code, 1, stderr);
  const lines = jsonLines(stderr);
  assertEquals(lines.map(({ msg }) => msg), [
    ...Array(50).fill("before"),
    "uncaught error: this is a fault of the program, which ends",
  ]);
  assertEquals(lines.at(-1).error.message, "a fault of ours");
});

Deno.test("a log that nobody reads does not keep a process from its end", async () => {
  const child = uncaught("unread").spawn();
  const { code } = await child.status;
  assertEquals(code, 0);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  assertEquals(stdout, "logged\n");
  assert(stderr.includes("nobody reads this"));
});

for (const workers of [undefined, 2]) {
  const name = workers === undefined ? "a process" : `${workers} workers and their supervisor, which share one pipe,`;
  Deno.test(`a log that nobody reads does not stop ${name}, and what was lost is counted when it is read again`, async () => {
    await using database = await createTestDatabase();
    const task = workers === undefined ? "start" : "start:workers";
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...await taskFlags(task), workers === undefined ? "src/main.ts" : "src/supervisor.ts"],
      env: {
        PORT: "0",
        ADMIN_PORT: "0",
        DATABASE_URL: database.serverUrl,
        REDIS_URLS: testEnvironment().redisUrls.join(","),
        LOG_LEVEL: "debug",
        ...REDLOCK,
        ...(workers === undefined ? {} : { WORKERS: String(workers) }),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let stderr = "";
    let running = true;
    const ended = child.status.then(({ code }) => {
      running = false;
      return code;
    });
    try {
      const url = await listenUrlOf(child.stdout);
      await eventually(async () => await health(url).catch(() => "") === "SERVING", "it becomes healthy", START_MS_MAX);
      assertEquals((await callUntilDecided(url, "SetInv", { goodsId: 1, num: 5 })).code, "ok");
      // Some 1.5 MB for each, more than the 64 KiB of a pipe and the megabyte that a process keeps.
      const calls = CALLS * (workers ?? 1);
      const answers = await inParallel(calls, 16, () => call(url, "InvDetail", { goodsId: 2 }));
      assertEquals(tally(answers.map(({ code }) => code)), { not_found: calls });
      assertEquals([await health(url), running], ["SERVING", true]);

      const reading = (async () => {
        const decoder = new TextDecoder();
        for await (const part of child.stderr) stderr += decoder.decode(part, { stream: true });
      })();
      const losses = () => stderr.split("\n").filter((line) => line.includes("lines of the log were not written"));
      await eventually(() => losses().length > 0, "the loss is counted");
      for (const line of losses()) assert(JSON.parse(line).lines > 0, line);
      child.kill("SIGTERM");
      assertEquals(await ended, 0);
      await reading;
      assertStringIncludes(stderr.split("\n").slice(-10).join("\n"), '"stopped"');
      jsonLines(stderr);
    } finally {
      if (running) child.kill("SIGKILL");
      await ended;
    }
  });
}

async function listenUrlOf(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    assert(!done, `it does not listen: ${text}`);
    text += decoder.decode(value, { stream: true });
    const url = /^Holdfast listens on (\S+)$/m.exec(text)?.[1];
    if (url !== undefined) return url;
  }
}

function uncaught(...args: string[]): Deno.Command {
  const flags = ["--no-prompt", "--allow-net=127.0.0.1", "--allow-env", "--allow-read", "--allow-sys=hostname"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, UNCAUGHT, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function runUncaught(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await uncaught(...args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
