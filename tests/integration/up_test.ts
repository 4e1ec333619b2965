/** Tests of `deno task up` as a user runs it: it serves, keeps its data, stops cleanly, and says when it cannot. */
import { assert, assertEquals } from "@std/assert";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { QueryService } from "../../src/gen/inventory/v1/query_pb.ts";
import { SystemService } from "../../src/gen/inventory/v1/system_pb.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { bufBinary } from "../../tools/gate/buf_binary.ts";
import { findRecords } from "../../tools/stack/process_record.ts";
import { makeOpenDirectory } from "../support/open_directory.ts";
import { isRunning, said, signal } from "../support/workers.ts";

const SERVING_MS_MAX = 90_000;
/** The same where a shop is filled before. */
const FILLED_MS_MAX = 120_000;
const SERVICE = "inventory.v1.InventoryService";
const LISTEN_LINE = /^Holdfast listens on (\S+)$[^]*^Try it/m;

/**
 * A Redis that has just started has no vote for as long as a lease may last, 5 s, and nothing is served meanwhile.
 * Where the test is of something else nobody waits for it.
 */
const NO_NODES_ASKED = { CONCURRENCY: "row" };

const PLANTED = "postgres://planted:secret@127.0.0.1:1/nothing";

/** A running `deno task up`; the outputs are what came so far. */
interface Launcher {
  readonly child: Deno.ChildProcess;
  readonly url: string;
  readonly read: Promise<unknown>;
  stdout(): string;
  stderr(): string;
}

Deno.test("up serves, keeps its data over a restart, with AUTH by a key that it prints, and leaves nothing running", async () => {
  const dir = await keptDirectory();
  const first = await up(dir);
  const isSaid = () => first.stderr().includes("the Redis nodes have just started and get their votes in a moment");
  assert(await until(isSaid, SERVING_MS_MAX), first.stderr());
  assertEquals((await call(first.url, "SetInv", { goodsId: 7, num: 10 })).num, 10);
  assertEquals(await stop(first), 0);
  assertEquals(await findRecords(dir), []);

  const second = await up(dir, { AUTH: "keys" });
  const [, key = ""] = /^A key that may do everything, for a day: (hf_\S+)$/m.exec(second.stdout()) ?? [];
  const lines = () => second.stdout().split(` -H 'authorization: Bearer ${key}' `).length - 1;
  assert(await until(() => lines() === 3, SERVING_MS_MAX), second.stdout());
  assertEquals((await call(second.url, "InvDetail", { goodsId: 7 }, key)).num, 10);
  const [pasted = ""] = second.stdout().split("\n").filter((line) => line.endsWith("/SetInv"));
  const byBuf = pasted.replace(/^npx -y \S+/, bufBinary());
  const { stdout, stderr } = await new Deno.Command("sh", { args: ["-c", byBuf], stdin: "null" }).output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout) || "{}").num, 10, new TextDecoder().decode(stderr));
  const nobody = await fetch(`${second.url}/${SERVICE}/InvDetail`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  assertEquals([nobody.status, (await nobody.json()).code], [401, "unauthenticated"]);
  assertEquals(await stop(second), 0);
});

Deno.test("up prints where it listens and three lines to paste; with --demo and --tls a shop is open, over TLS", async () => {
  const dir = await makeOpenDirectory();
  const launcher = await up(dir, NO_NODES_ASKED, ["--demo", "--tls"]);
  const methods = ["SetInv", "Sell", "InvDetail"];
  const complete = () => methods.every((method) => launcher.stdout().includes(`${launcher.url}/${SERVICE}/${method}`));
  assert(await until(complete, SERVING_MS_MAX), launcher.stdout());
  const ca = `${dir}/tls/certificate.pem`;
  assertEquals(
    launcher.stdout().split("\n").filter((line) => line.includes(` --cacert ${ca} `)).length,
    methods.length,
  );
  const transport = createConnectTransport({
    httpVersion: "2",
    baseUrl: launcher.url,
    nodeOptions: { ca: await Deno.readTextFile(ca) },
  });
  const { totals, turnover } = await createClient(QueryService, transport).getStats({ daysOnly: true });
  assert(totals!.places > 3000n && totals!.reserved > 0n && turnover.length > 5, `${totals!.places} places`);
  const system = createClient(SystemService, transport);
  const isSelling = async () => (await system.getSystem({})).ordersApplied > 0n;
  assert(await until(isSelling, SERVING_MS_MAX), launcher.stderr());
  assertEquals(await stop(launcher), 0);

  // The nodes have no vote yet; who pastes the lines is served all the same, as they are printed behind that.
  const own = await up(dir, { LOCK_TTL_MS: "4000" }, ["--tls"]);
  const toOwn = createConnectTransport({
    httpVersion: "2",
    baseUrl: own.url,
    nodeOptions: { ca: await Deno.readTextFile(ca) },
  });
  assertEquals((await createClient(SystemService, toOwn).getSystem({})).ready, true);
  const { totals: ofOwn } = await createClient(QueryService, toOwn).getStats({ daysOnly: true });
  assertEquals(ofOwn?.places, 0n, "a shop of one's own has none of it");
  assertEquals(await stop(own), 0);
});

Deno.test("up refuses what it does not know, and says what there is", async () => {
  const { code, stderr } = await command(await makeOpenDirectory(), {}, ["--demon"]).output();
  const words = new TextDecoder().decode(stderr);
  assert(words.includes("expected --demo, --tls or nothing, got --demon\nUsage: deno task up [--demo] [--tls]"), words);
  assertEquals(code, 2);
});

Deno.test("up says which store has died, ends with an error when its server dies, and takes the stack down", async () => {
  const dir = await keptDirectory();
  const launcher = await up(dir, NO_NODES_ASKED);
  const records = await findRecords(dir);
  const node = records.find(({ record }) => record.name === "redis")?.record.pid;
  assert(node !== undefined, "no node is recorded");
  await signal(node, "SIGKILL");
  const isSaid = () => launcher.stderr().includes("has ended, and comes back with the next start of up");
  assert(await until(isSaid, SERVING_MS_MAX), launcher.stderr());
  const server = records.find(({ record }) => record.name === "server")?.record.pid;
  assert(server !== undefined, "the server is not recorded");
  // This process may not signal what is not its child.
  await signal(server, "SIGKILL");
  assertEquals(await ended(launcher), 1);
  assert(launcher.stderr().includes("The server ended by itself (SIGKILL)"), launcher.stderr());
  assertEquals(await findRecords(dir), []);
});

Deno.test("what up starts gets the environment that it needs and no more, and no password on a command line", async () => {
  if (Deno.build.os !== "linux") return;
  const dir = await keptDirectory();
  const launcher = await up(dir, {
    WORKERS: "2",
    LOG_FORMAT: "json",
    DATABASE_OWNER_URL: PLANTED,
    ANOTHER_SECRET: PLANTED,
  });
  const workers = (await workersOf(launcher)).map((pid) => ({ name: "worker", pid }));
  const children = [...(await findRecords(dir)).map(({ record }) => record), ...workers];
  assertEquals(children.map(({ name }) => name).sort(), [
    "postgres",
    ...Array.from({ length: 5 }, () => "redis"),
    "server",
    "worker",
    "worker",
  ]);
  const passwords = ["postgres/private/owner_password", "postgres/private/server_password", "redis-1/password"]
    .map((path) => Deno.readTextFileSync(`${dir}/${path}`).trim());
  const [ownerPassword = "", ...others] = passwords;
  for (const { name, pid } of children) {
    const [environment, commandLine] = await Promise.all(["environ", "cmdline"].map((file) => read(pid, file)));
    assert(!environment!.includes(PLANTED), `${name}: ${environment}`);
    assert(!environment!.includes(ownerPassword), `${name} knows the owner's password`);
    const knows = others.filter((password) => environment!.includes(password)).length;
    assertEquals(knows, name === "server" || name === "worker" ? others.length : 0, name);
    for (const password of passwords) assert(!commandLine!.includes(password), `${name}: ${commandLine}`);
  }
  assertEquals(await stop(launcher), 0);
});

Deno.test("up starts as many workers as it is set to, and stops them all", async () => {
  const launcher = await up(await keptDirectory(), { ...NO_NODES_ASKED, WORKERS: "2", LOG_FORMAT: "json" });
  assertEquals((await call(launcher.url, "SetInv", { goodsId: 7, num: 10 })).num, 10);
  const pids = await workersOf(launcher);
  assertEquals(pids.map(isRunning), [true, true]);
  assertEquals(await stop(launcher), 0);
  assertEquals(launcher.stdout().match(/Holdfast listens on/g)?.length, 1);
  assertEquals(pids.map(isRunning), [false, false]);
});

Deno.test("up reports every wrong setting before it starts anything", async () => {
  const dir = await makeOpenDirectory();
  const { code, stderr } = await command(dir, { LOCK_TTL_MS: "soon", PORT: "70000" }).output();
  assertEquals(code, 1);
  const words = new TextDecoder().decode(stderr);
  assert(words.includes("LOCK_TTL_MS") && words.includes("PORT"), words);
  assertEquals(Array.from(Deno.readDirSync(dir)), []);
});

let kept: Promise<string> | undefined;

/** One directory for several tests: what is made of an empty one is another test's, and takes a second of CPU. */
function keptDirectory(): Promise<string> {
  return kept ??= makeOpenDirectory();
}

function command(dir: string, env: Record<string, string> = {}, args: readonly string[] = []): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["task", "up", ...args],
    env: { DATA_DIR: dir, PORT: "0", ADMIN_PORT: "0", DATABASE_URL: "", REDIS_URLS: "", NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Starts `deno task up` and waits until it serves. */
async function up(
  dir: string,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<Launcher> {
  const child = command(dir, env, args).spawn();
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const read = Promise.all([stdout.done, stderr.done]);
  const listens = () => LISTEN_LINE.exec(stdout.text())?.[1];
  let running = true;
  child.status.then(() => running = false);
  const listenMsMax = args.includes("--demo") ? FILLED_MS_MAX : SERVING_MS_MAX;
  await until(() => !running || listens() !== undefined, listenMsMax);
  const url = listens();
  if (url !== undefined) return { child, url, read, stdout: stdout.text, stderr: stderr.text };
  if (running) child.kill("SIGTERM");
  await read;
  throw new Error(`up did not listen within ${listenMsMax} ms: ${stderr.text()}`);
}

async function stop(launcher: Launcher): Promise<number> {
  launcher.child.kill("SIGTERM");
  return await ended(launcher);
}

async function ended({ child, read }: Launcher): Promise<number> {
  const { code } = await child.status;
  await read;
  return code;
}

async function read(pid: number, file: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/${file}`] }).output();
  return new TextDecoder().decode(stdout);
}

/** The processes of both workers, once the log says so, which is read from another pipe than the address. */
async function workersOf(launcher: Launcher): Promise<number[]> {
  const started = () => {
    const output = { stdout: launcher.stdout(), stderr: launcher.stderr() };
    return said({ output }, "worker started").map(({ pid }) => pid ?? 0);
  };
  assert(await until(() => started().length === 2, SERVING_MS_MAX), launcher.stderr());
  return started();
}

function collect(stream: ReadableStream<Uint8Array>) {
  let text = "";
  const done = (async () => {
    for await (const part of stream) text += new TextDecoder().decode(part);
  })();
  return { done, text: () => text };
}

async function call(url: string, method: string, message: unknown, key?: string): Promise<{ num?: number }> {
  const response = await fetch(`${url}/${SERVICE}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...key === undefined ? {} : { authorization: `Bearer ${key}` } },
    body: JSON.stringify(message),
  });
  const answer = await response.json();
  assertEquals(response.status, 200, JSON.stringify(answer));
  return answer;
}
