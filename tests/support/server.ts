/**
 * The real program as a process of its own, as `deno task start` runs it: on any free port, with a database of its own
 * and the Redis nodes of the run. Tests reach it only as anybody else does.
 */
import http from "node:http";
import https from "node:https";
import { stopMsMax } from "../../src/config/stop_times.ts";
import { testMode } from "./test_mode.ts";
import { createTestDatabase, lastingDatabase, type TestDatabase } from "./database.ts";
import { testEnvironment } from "./env.ts";
import { until } from "../../src/base/bounded_wait.ts";

/** How to start the program. */
export interface ServerOptions {
  /** Settings beside PORT, DATABASE_URL and REDIS_URLS, or instead of them. */
  readonly env?: Readonly<Record<string, string>>;
  /** So many workers under a supervisor, as `deno task start:workers` runs them. */
  readonly workers?: number;
  /** Module to run instead of `src/main.ts`, under the same permissions. */
  readonly entry?: string;
  /** Where the program is, such as a checkout of another version; this one by default. */
  readonly root?: URL;
  /** Changes the permission flags of the task. */
  readonly flags?: (flags: readonly string[]) => readonly string[];
  /** A database that outlives this process, instead of a new one. */
  readonly database?: TestDatabase;
  /** False: don't wait until it is healthy, only until it listens. */
  readonly healthy?: boolean;
  /** Certificate authority as PEM, where the program speaks TLS. */
  readonly ca?: string;
  /** The process may have so many files open, soft and hard; on Linux. Default: as many as the test. */
  readonly openFilesMax?: number;
  /** Starts it by this line of a shell, as users do, and signals go to the process that the line becomes. */
  readonly line?: string;
  /** Piped: the test may write to its standard input. Default: there is none. */
  readonly stdin?: "null" | "piped";
}

/** The running program. `await using` stops it, and drops the database that was made for it. */
export interface TestServer extends AsyncDisposable {
  /** As printed, such as `http://127.0.0.1:43210`. */
  readonly url: string;
  readonly port: number;
  /** Its admin port, as logged, such as `http://127.0.0.1:43211`; of several workers that which sums them up. */
  readonly adminUrl: string;
  readonly pid: number;
  /** Its database, for the superuser. */
  readonly databaseOwnerUrl: string;
  /** All it wrote so far. */
  readonly output: Output;
  /** Its exit code, once it has ended: 128 and more for a signal that ended it. */
  readonly exited: Promise<number>;
  /** Writes a line to its standard input, where that is piped. */
  say(line: string): Promise<void>;
  /** Sends a signal and goes on. */
  signal(signal: Deno.Signal): void;
  /** Sends a signal (SIGTERM) and waits for the exit code. Kills what does not end in time. */
  stop(signal?: Deno.Signal): Promise<number>;
}

/** What a process wrote so far. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT = new URL("../../", import.meta.url);
const ENTRIES = {
  start: "src/main.ts",
  "start:workers": "src/supervisor.ts",
  migrate: "src/migrate/main.ts",
  keys: "src/keys/main.ts",
  doctor: "src/doctor/main.ts",
  retain: "src/retention/main.ts",
} as const;
/** Only a hang reaches it: on a machine that is busy with other files a start has taken fifteen seconds. */
const START_MS_MAX = 60_000;
/** A look at its health is a call, and a start that waits until Redis may vote takes five seconds. */
const HEALTH_EVERY_MS = 100;
/** What a supervisor that waits for the program may take beside. */
const END_MS_MORE = 3_000;

/**
 * Starts the program and waits until it listens and says SERVING.
 *
 * @throws Error with its log, when it ends instead or is not healthy in time
 */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const database = options.database ?? await createTestDatabase();
  const { child, output, exited } = await spawn(options, database);
  let running = true;
  exited.then(() => running = false);
  const signal = (name: Deno.Signal) => running && child.kill(name);
  const endMsMax = stopMsMax(Number(options.env?.["DRAIN_DELAY_MS"] ?? 0)) + END_MS_MORE;
  const stop = async (name: Deno.Signal = "SIGTERM") => {
    signal(name);
    const timer = setTimeout(() => options.line === undefined ? signal("SIGKILL") : killGroup(child.pid), endMsMax);
    const code = await exited;
    clearTimeout(timer);
    return code;
  };
  const dispose = async () => {
    await stop();
    if (options.database === undefined) await database.drop();
  };
  try {
    await until(() => !running || listenUrl(output) !== undefined, START_MS_MAX);
    const url = listenUrl(output);
    if (url === undefined) throw new Error("the program does not listen");
    if (options.healthy !== false && !await until(() => isServing(url, options.ca), START_MS_MAX, HEALTH_EVERY_MS)) {
      throw new Error("the program does not become healthy");
    }
    if (!await until(() => isAllSaid(options, output), START_MS_MAX)) {
      throw new Error("its log lacks lines of the start");
    }
    const facts = {
      url,
      port: Number(new URL(url).port),
      pid: child.pid,
      databaseOwnerUrl: database.ownerUrl,
    };
    const input = options.stdin === "piped" ? child.stdin.getWriter() : undefined;
    const say = async (line: string) => {
      if (input === undefined) throw new Error("the program was started without a standard input");
      await input.write(new TextEncoder().encode(`${line}\n`));
    };
    return {
      ...facts,
      get adminUrl() {
        return adminUrl(output);
      },
      output,
      exited,
      say,
      signal,
      stop,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    signal("SIGKILL");
    await dispose();
    throw new Error(`Cannot test: ${(error as Error).message}\n${output.stdout}${output.stderr}`);
  }
}

/**
 * Runs the program to its end, for settings that it must refuse, or with SIGTERM once `endsAfter` stands in its log.
 * Kills it when it starts after all. It ends before it needs a database: what it is given has no schema.
 */
export async function runServer(
  { endsAfter, ...options }: ServerOptions & { readonly endsAfter?: string } = {},
): Promise<Output & { readonly code: number }> {
  const { databaseOwnerUrl, databaseServerUrl } = testEnvironment();
  const database = options.database ?? lastingDatabase("postgres", databaseOwnerUrl, databaseServerUrl);
  const { child, output, exited } = await spawn(options, database);
  if (endsAfter !== undefined) {
    await until(() => output.stderr.includes(endsAfter), START_MS_MAX);
    child.kill("SIGTERM");
  }
  const timer = setTimeout(
    () => options.line === undefined ? child.kill("SIGKILL") : killGroup(child.pid),
    START_MS_MAX,
  );
  const code = await exited;
  clearTimeout(timer);
  return { code, stdout: output.stdout, stderr: output.stderr };
}

/** One part of a test, shown by its name. */
export type Step = (name: string, run: () => Promise<void>) => Promise<void>;

/**
 * A test with a server of its own; the server's log is shown when the test or one of its steps fails. `register` is
 * `Deno.test`, or `inEveryMode`.
 */
export function serverTest(
  name: string,
  options: ServerOptions,
  run: (server: TestServer, step: Step) => Promise<void>,
  register: (name: string, fn: (test: Deno.TestContext) => Promise<void>) => void = Deno.test,
): void {
  register(name, async (t) => {
    await using server = await startServer(options);
    let passed = true;
    try {
      await run(server, async (title, part) => {
        passed = await t.step(title, part) && passed;
      });
    } catch (error) {
      passed = false;
      throw error;
    } finally {
      if (!passed) console.error(`--- log of the server of "${name}" ---\n${server.output.stderr}---`);
    }
  });
}

/** The flags of a task, read from deno.json so that tests can't be granted more than the program is. */
export async function taskFlags(task: keyof typeof ENTRIES, root = ROOT): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const line = tasks[task] as string;
  // What the task's shell asks for is known here: the allocator, and the path of the deno that runs it, which is ours.
  const words = line.replace(/^LD_PRELOAD=\$\([^)]+\) /, "")
    .replace(/"(--allow-run=)\$\([^)]+\)"/, (_, flag) => `${flag}${Deno.execPath()}`)
    // Who started it is the test, which ends it by itself.
    .replace(/ \$\(deno run [^)]* src\/process\/print_callers\.ts\)$/, "")
    .split(" ").map((word) => word.replace(/^"(.*)"$/, "$1"));
  if (words[0] !== "deno" || words[1] !== "run" || words.at(-1) !== ENTRIES[task]) {
    throw new Error(`Cannot read the flags of the task ${task}: ${line}`);
  }
  return words.slice(2, -1);
}

async function spawn(options: ServerOptions, database: TestDatabase) {
  const task = options.workers === undefined ? "start" : "start:workers";
  const root = options.root ?? ROOT;
  const flags = await taskFlags(task, root);
  const run = ["run", ...options.flags?.(flags) ?? flags, options.entry ?? ENTRIES[task]];
  const limit = options.openFilesMax;
  const byLimit = limit === undefined ? [] : ["prlimit", `--nofile=${limit}`];
  // By a shell, as Deno lets nobody set LD_PRELOAD who may run only some programs. Workers are permitted none.
  const preloaded = options.workers === undefined ? testEnvironment().allocator : "";
  const byTask = ['exec env LD_PRELOAD="$0" "$@"', preloaded, ...byLimit, Deno.execPath(), ...run];
  const child = new Deno.Command("sh", {
    args: ["-c", ...options.line === undefined ? byTask : [`exec ${options.line}`]],
    // A group of its own: whatever the line has left behind can be ended then.
    detached: options.line !== undefined,
    cwd: root,
    env: {
      PORT: "0",
      // Of several workers it is a process more.
      ADMIN_PORT: options.workers === undefined ? "0" : "off",
      DATABASE_URL: database.serverUrl,
      REDIS_URLS: options.env?.REDIS_URLS ?? testEnvironment().redisUrls.join(","),
      CONCURRENCY: testMode(),
      NO_COLOR: "1",
      ...(options.workers === undefined ? {} : { WORKERS: String(options.workers) }),
      ...(options.line === undefined ? {} : { DENO: Deno.execPath() }),
      ...options.env,
    },
    stdin: options.stdin ?? "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = { stdout: "", stderr: "" };
  const read = async (name: keyof Output) => {
    const decoder = new TextDecoder();
    for await (const part of child[name]) output[name] += decoder.decode(part, { stream: true });
  };
  // Whoever waits for the end wants all that was written before it.
  const exited = Promise.all([child.status, read("stdout"), read("stderr")]).then(([{ code }]) => code);
  return { child, output, exited };
}

/** Ends what a line of a shell has started, which may be no child of ours any more. */
function killGroup(leader: number): void {
  new Deno.Command("sh", { args: ["-c", `kill -KILL -${leader}`] }).outputSync();
}

function listenUrl({ stdout }: Output): string | undefined {
  return /^Holdfast listens on (\S+?)\r?$/m.exec(stdout)?.[1];
}

function adminUrl({ stderr }: Output): string {
  return /"url":"([^"]+)","msg":"metrics and health are here"/.exec(stderr)?.[1] ?? "";
}

/**
 * Whether the lines of the start have come, which a test may look for at once: the log is read from another pipe than
 * the address, and so maybe later. Of another version or program, and of a quieter log, none is waited for.
 */
function isAllSaid({ env = {}, workers, root, entry }: ServerOptions, output: Output): boolean {
  if (root !== undefined || entry !== undefined || !["info", "debug"].includes(env.LOG_LEVEL ?? "info")) return true;
  const count = workers ?? (env.WORKERS === "1" ? 0 : Number(env.WORKERS ?? 0));
  if (output.stderr.split('"msg":"worker started"').length <= count) return false;
  const adminPort = env.ADMIN_PORT ?? (workers === undefined ? "0" : "off");
  return adminPort === "off" ? output.stderr.includes('"msg":"Holdfast starts"') : adminUrl(output) !== "";
}

async function isServing(url: string, ca: string | undefined): Promise<boolean> {
  const { body } = await post(`${url}/grpc.health.v1.Health/Check`, {}, ca).catch(() => ({ body: undefined }));
  return body?.status === "SERVING";
}

/** An answer in JSON. */
export interface Posted {
  readonly status: number;
  readonly httpVersion: string;
  readonly body: Record<string, unknown>;
}

/** What is answered to JSON that is posted over HTTP/1.1. Not with fetch, which trusts no certificate as its own CA. */
export async function post(
  url: string,
  message: unknown,
  ca?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Posted> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const headers = { "content-type": "application/json", ...more };
  const options = { method: "POST", headers, agent: false, ...(ca === undefined ? {} : { ca }) } as const;
  const request = ca === undefined ? http.request(url, options, resolve) : https.request(url, options, resolve);
  request.on("error", reject);
  request.end(JSON.stringify(message));
  const response = await promise;
  let text = "";
  for await (const part of response) text += part;
  return { status: response.statusCode ?? 0, httpVersion: response.httpVersion, body: JSON.parse(text) };
}
