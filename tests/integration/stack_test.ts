/**
 * Tests of the private stack: its nodes stop, start, pause and crash on demand, and no launcher leaves servers behind.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import postgres from "postgres";
import { startPostgres } from "../../tools/stack/postgres.ts";
import { cpuMs, processFacts, residentMiB } from "../../src/process/facts.ts";
import { findRecords } from "../../tools/stack/process_record.ts";
import { startRedisNode } from "../../tools/stack/redis.ts";
import { settled } from "../../src/base/bounded_wait.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { testEnvironment } from "../support/env.ts";
import { makeOpenDirectory } from "../support/open_directory.ts";
import { type LauncherLine } from "../support/stack_launcher.ts";

const log = createLog("error", "pretty");
const ANSWER_MS_MAX = 15_000;
/** A paused node must not answer in this time; a living one answers in one. */
const SILENCE_MS = 300;

Deno.test("of a living process its CPU time is known, and of one that is gone nothing", () => {
  if (Deno.build.os !== "linux") return;
  const ms = cpuMs(Deno.pid);
  assert(ms !== undefined && ms > 0, `${ms} ms`);
  const noPid = 2 ** 22;
  assertEquals([cpuMs(noPid), residentMiB(noPid), processFacts(noPid)], [undefined, undefined, undefined]);
});

Deno.test("a Redis node stops, crashes, and comes back on its port", async () => {
  const node = await startRedisNode({ dir: await makeOpenDirectory(), log, program: testEnvironment().redisProgram });
  const { url } = node;
  assert(await pings(url));
  await node.stop();
  assert(!await pings(url), "it answers after stop()");
  await node.start();
  assert(await pings(url));
  await node.kill();
  assert(!await pings(url), "it answers after kill()");
  await node.start();
  assertEquals(node.url, url);
  assert(await pings(url));
  await node.stop();
});

Deno.test("a paused Redis node is silent until it is resumed, and can be stopped while paused", async () => {
  const node = await startRedisNode({ dir: await makeOpenDirectory(), log, program: testEnvironment().redisProgram });
  node.pause();
  assert(!await pings(node.url, SILENCE_MS), "it answers while paused");
  node.resume();
  assert(await pings(node.url));
  node.pause();
  await node.stop();
  assertEquals(processFacts(node.pid), undefined);
});

Deno.test("PostgreSQL keeps what was committed over a restart, an immediate stop and a kill", async () => {
  const database = await startPostgres({ dir: await makeOpenDirectory(), log, fsync: false });
  const { port } = database;
  await query(database.ownerUrl("postgres"), "create table kept (step text)");
  const steps = { restart: () => database.restart("fast"), crash: () => database.restart("immediate"), kill };
  async function kill() {
    await database.kill();
    await database.start();
  }
  for (const [name, step] of Object.entries(steps)) {
    await query(database.ownerUrl("postgres"), `insert into kept values ('${name}')`);
    await step();
    assertEquals(database.port, port);
  }
  const rows = await query(database.ownerUrl("postgres"), "select step from kept");
  assertEquals(rows.map((row) => row["step"]), ["restart", "crash", "kill"]);
  await database.stop("fast");
  await assertRejects(() => query(database.ownerUrl("postgres"), "select 1"));
});

Deno.test("PostgreSQL asks for a password, and keeps its passwords to itself", async () => {
  const dir = await makeOpenDirectory();
  const database = await startPostgres({ dir, log, fsync: false });
  const wrong = new URL(database.ownerUrl("postgres"));
  wrong.password = "wrong";
  const error = await assertRejects(() => query(wrong.href, "select 1"));
  assertEquals((error as { code?: string }).code, "28P01");
  for (const name of ["owner_password", "server_password"]) {
    assertEquals(((await Deno.stat(join(dir, "private", name))).mode ?? 0) & 0o777, 0o600, name);
  }
  await database.stop("fast");
});

Deno.test("the servers of a killed launcher are found and stopped at the next start, on the same data", async () => {
  const dir = await makeOpenDirectory();
  const killed = await launch(dir);
  await query(killed.line.postgres.url, "create table kept ()");
  killed.child.kill("SIGKILL");
  await killed.child.status;
  const left = [killed.line.postgres, ...killed.line.redis];
  assert(left.every(({ pid }) => processFacts(pid) !== undefined), "the servers ended with their launcher");

  const next = await launch(dir);
  assertEquals(left.filter(({ pid }) => processFacts(pid) !== undefined), [], "strays still run");
  assertEquals(next.line.postgres.url, killed.line.postgres.url);
  await query(next.line.postgres.url, "select from kept");
  await end(next.child);
  assertEquals(await findRecords(dir), []);
});

Deno.test("a record whose process id now belongs to another program ends nobody, and neither does half a record", async () => {
  const dir = await makeOpenDirectory();
  const bystander = new Deno.Command(Deno.execPath(), {
    args: ["eval", "await new Promise(() => setTimeout(() => {}, 180000))"],
  })
    .spawn();
  const { pid } = bystander;
  const { startedAt } = processFacts(pid)!;
  const records = [
    { name: "redis", pid, startedAt: "1", mark: "eval" },
    { name: "redis", pid, startedAt, mark: "redis-server" },
    { name: "redis", pid, startedAt, mark: "" },
    { name: "redis", pid, startedAt },
    { name: "redis", pid, startedAt: "", mark: "" },
    { name: "../redis", pid, startedAt, mark: "eval" },
    null,
  ];
  try {
    for (const record of records) {
      await Deno.writeTextFile(join(dir, "redis.process.json"), JSON.stringify(record));
      const node = await startRedisNode({ dir, log, program: testEnvironment().redisProgram });
      assert(processFacts(pid) !== undefined, `a stranger was ended by ${JSON.stringify(record)}`);
      await node.stop();
    }
  } finally {
    bystander.kill("SIGKILL");
    await bystander.status;
  }
});

Deno.test("a second launcher on the same directory is refused, and says who has it", async () => {
  const dir = await makeOpenDirectory();
  const first = await launch(dir);
  const second = launcher(dir);
  const { code, stderr } = await second.output();
  assert(code !== 0, "the second launcher started");
  const words =
    `Another launcher (process ${first.child.pid}) runs on ${dir}: stop it first, or set DATA_DIR to another`;
  assert(new TextDecoder().decode(stderr).includes(`${words} directory and PORT to another port`));
  assert(await pings(first.line.redis[0]!.url), "the first launcher's servers were stopped");
  await end(first.child);
});

function launcher(dir: string): Deno.Command {
  const permissions = ["--allow-read", `--allow-write=${dir}`, "--allow-net=127.0.0.1", "--allow-run", "--allow-env"];
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      ...permissions,
      "--allow-sys=uid,gid,hostname",
      "tests/support/stack_launcher.ts",
      dir,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function launch(dir: string): Promise<{ child: Deno.ChildProcess; line: LauncherLine }> {
  const child = launcher(dir).spawn();
  const [own, other] = [child.stdout, child.stderr];
  // What the servers log is not asked for, but an unread pipe would stop them.
  other.pipeTo(new WritableStream()).catch(() => {});
  const reader = own.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The launcher ended before its stack was up");
    text += value;
  }
  await reader.cancel();
  return { child, line: JSON.parse(text) };
}

async function end(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
}

async function query(url: string, statement: string): Promise<postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

/** True when a Redis answers PING in time. */
async function pings(url: string, msMax = ANSWER_MS_MAX): Promise<boolean> {
  const { port } = new URL(url);
  let connection: Deno.TcpConn;
  try {
    connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  } catch {
    return false;
  }
  let answered = false;
  const answer = connection.write(new TextEncoder().encode("PING\r\n"))
    .then(() => connection.read(new Uint8Array(16)))
    .then((count) => answered = count !== null);
  await settled(answer, msMax);
  connection.close();
  await settled(answer, msMax);
  return answered;
}
