/** The settings: docs/settings.md says what is read, and the tasks of deno.json allow it and no more. */
import { assert, assertEquals } from "@std/assert";
import { ConfigError, loadConfig } from "../../src/config/config.ts";
import { CONSOLE_DIR } from "../../src/config/console_dir.ts";
import { DATABASE_URL_DEFAULT, REDIS_URLS_DEFAULT, SETTING_NAMES } from "../../src/config/settings.ts";
import { serverFlags, supervisorFlags } from "../../src/config/flags.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/settings.md", import.meta.url));
const TASKS: Readonly<Record<string, string>> =
  JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url))).tasks;
/** The path of the deno that runs the task, asked for by the task's shell. */
const OWN_PATH = "$(deno run --no-prompt src/process/deno_path.ts)";
/** What a task adds behind a program that watches who started it. */
const CALLERS =
  " $(deno run --no-prompt --allow-run=cat,/bin/ps --allow-env=PATH,npm_lifecycle_event,npm_lifecycle_script --ignore-env src/process/print_callers.ts)";
/** What a task sets for the server: the allocator, where there is one. */
const ALLOCATOR =
  "LD_PRELOAD=$(deno run --no-prompt --allow-run --allow-env=LD_PRELOAD src/process/print_allocator.ts) ";
/** Without the quotes that keep the task's shell from reading brackets. */
const START = (TASKS["start"] ?? "").replace(ALLOCATOR, "").replace(CALLERS, "").replaceAll('"', "");
/** Asking whether a caller is alive is for those that have callers, and not for workers. */
const watchful = (flag: string) => flag === "--allow-sys=hostname" ? "--allow-sys=hostname,getPriority" : flag;
/** As a task names it, from the folder that it runs in. */
const fromHere = (flag: string) => flag.replace(CONSOLE_DIR, "dist/console");

/** The rows of the settings table: names to default. */
function documented(): Map<string, string> {
  const rows = [...PAGE.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) *\| (.+?) *\|/gm)];
  return new Map(
    rows.flatMap(([, names = "", value = ""]) => [...names.matchAll(/[A-Z_]+/g)].map(([name]) => [name, value])),
  );
}

Deno.test("docs/settings.md names what the code reads, and DATA_DIR of `up`", () => {
  const names = [...documented().keys()].sort();
  assertEquals(names, [...SETTING_NAMES, "DATA_DIR"].sort());
});

Deno.test("the defaults of docs/settings.md are what the program runs on", () => {
  const table = documented();
  const config = loadConfig(() => undefined);
  const tokens = { AUTH: "jwt", JWT_ISSUER: "i", JWT_AUDIENCE: "a", JWT_JWKS: "/k" } as Record<string, string>;
  const jwt = loadConfig((name) => tokens[name]).jwt!;
  const code = (value: string | number) => `\`${value}\``;
  const urls = REDIS_URLS_DEFAULT.split(",");
  const [firstNode = ""] = urls;
  const lastPort = new URL(urls.at(-1) ?? "").port;
  assertEquals(Object.fromEntries(table), {
    HOST: code(config.host),
    PORT: code(config.port),
    AUTH: config.auth.length === 0 ? "not set" : "",
    ADMIN_PORT: code(config.admin?.port ?? "off"),
    ADMIN_HOST: code(config.admin?.host ?? ""),
    JWT_ISSUER: config.jwt === undefined ? "not set" : "",
    JWT_AUDIENCE: config.jwt === undefined ? "not set" : "",
    JWT_JWKS: config.jwt === undefined ? "not set" : "",
    JWT_ALGORITHMS: code(jwt.algorithms.join(",")),
    JWT_TYPES: code(jwt.types.join(",")),
    JWT_RIGHTS_CLAIM: code(jwt.rightsClaim),
    JWT_CLOCK_SKEW_S: code(jwt.clockSkewS),
    JWT_JWKS_AGE_MS_MAX: code(jwt.keysAgeMsMax),
    MTLS_RIGHTS: config.mtls === undefined ? "not set" : "",
    DATABASE_URL: code(DATABASE_URL_DEFAULT),
    DATABASE_URL_FILE: config.databaseUrlFile === undefined ? "not set" : "",
    DATABASE_TLS_CA_FILE: config.database.tls.rootCertificate === undefined ? "not set" : "",
    DATABASE_TLS_CERT_FILE: config.database.tls.own === undefined ? "not set" : "",
    DATABASE_TLS_KEY_FILE: config.database.tls.own === undefined ? "not set" : "",
    REDIS_URLS_FILE: config.redisUrlsFile === undefined ? "not set" : "",
    REDIS_TLS_CA_FILE: config.redisTls === undefined ? "not set" : "",
    REDIS_TLS_CERT_FILE: config.redisTls === undefined ? "not set" : "",
    REDIS_TLS_KEY_FILE: config.redisTls === undefined ? "not set" : "",
    REDIS_URLS: `${code(firstNode)} to ${code(`:${lastPort}`)}`,
    CONCURRENCY: code(config.concurrency),
    QUORUM_LOSS: code(config.quorumLoss),
    LOCK_TTL_MS: code(config.lockTtlMs),
    LOCK_NODE_TIMEOUT_MS: code(config.lockNodeTimeoutMs),
    LOCK_WAIT_MS_MAX: code(config.lockWaitMsMax),
    LOCK_KEY_PREFIX: code(config.lockKeyPrefix),
    DATABASE_POOL_MAX: code(config.databasePoolMax),
    ORDER_LINES_MAX: code(config.orderLinesMax),
    WORKERS: code(config.workers),
    BATCH_ORDERS_MAX: code(config.batchOrdersMax),
    QUEUE_MAX: code(config.queueMax),
    REQUEST_BYTES_MAX: code(config.requestBytesMax),
    REQUEST_BYTES_BUDGET: code(config.requestBytesBudget),
    ORDER_ID_REQUIRED: code(config.orderIdRequired ? "on" : "off"),
    REQUEST_TIMEOUT_MS_MAX: code(config.requestTimeoutMsMax),
    ADDRESS_SHARE_MAX: code(config.addressShareMax),
    IDENTITY_CALLS_PER_S_MAX: "not set",
    IDENTITY_BURST_CALLS_MAX: "not set",
    IDENTITY_CALLS_MAX: code(config.identityBounds.callsMax),
    WATCHERS_MAX: code(config.watchers.max),
    IDENTITY_WATCHERS_MAX: code(config.watchers.identityMax),
    WATCH_AGE_MS_MAX: code(config.watchers.ageMsMax),
    SHED_LOOP_DELAY_MS: code(config.shedLoopDelayMs ?? 0),
    DRAIN_DELAY_MS: code(config.drainDelayMs),
    CONNECTION_AGE_MS_MAX: code(config.connectionAgeMsMax ?? 0),
    TRUSTED_PROXIES: "none",
    TRUSTED_PROXIES_HEADER: code(config.trustedProxies.header),
    CORS: code(config.corsLeftToProxy ? "proxy" : "on"),
    CORS_HEADERS: config.corsHeaders.length === 0 ? "none" : "",
    CORS_ORIGINS: config.corsOrigins.length === 0 ? "none" : "",
    CONSOLE: code(config.console ? "on" : "off"),
    ALLOWED_HOSTS: config.allowedHosts.length === 0 ? "none" : "",
    TLS_CERT_FILE: config.tlsFiles === undefined ? "not set" : "",
    TLS_KEY_FILE: config.tlsFiles === undefined ? "not set" : "",
    TLS_CLIENT_CA_FILE: config.mtls === undefined ? "not set" : "",
    LOG_LEVEL: code(config.logLevel),
    LOG_FORMAT: code(config.logFormat),
    ACCESS_LOG_SAMPLE: code(config.accessLogSample),
    DATA_DIR: code(".holdfast"),
  });
});

/** What the ends of a range need beside them: what the page says of both. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  LOCK_NODE_TIMEOUT_MS: { LOCK_TTL_MS: "600000", LOCK_WAIT_MS_MAX: "60000" },
  LOCK_WAIT_MS_MAX: { LOCK_NODE_TIMEOUT_MS: "1" },
  QUEUE_MAX: { BATCH_ORDERS_MAX: "1" },
  REQUEST_BYTES_MAX: { REQUEST_BYTES_BUDGET: `${1024 ** 3}` },
  REQUEST_BYTES_BUDGET: { REQUEST_BYTES_MAX: "1024" },
  WORKERS: { DATABASE_POOL_MAX: "1000" },
  IDENTITY_BURST_CALLS_MAX: { IDENTITY_CALLS_PER_S_MAX: "1" },
};

Deno.test("the ranges of docs/settings.md are what the program takes, to both ends and no further", () => {
  const rows = [...PAGE.matchAll(/^\| `([A-Z_]+)` *\| [^|]+ \| [^|]*?([\d.]+) to ([\d.]+) *\|/gm)];
  assert(rows.length > 20, "the table has other columns now");
  const takes = (name: string, value: number) => {
    const given: Readonly<Record<string, string>> = { ...BESIDE[name], [name]: `${value}` };
    try {
      loadConfig((asked) => given[asked]);
      return true;
    } catch (error) {
      if (error instanceof ConfigError) return false;
      throw error;
    }
  };
  const off = rows.flatMap(([, name = "", min = "", max = ""]) => {
    const step = `${min}${max}`.includes(".") ? 0.001 : 1;
    const taken = [Number(min) - step, Number(min), Number(max), Number(max) + step].map((value) => takes(name, value));
    return taken.join() === "false,true,true,false" ? [] : [`${name} ${min} to ${max}: ${taken.join()}`];
  });
  assertEquals(off, []);
});

Deno.test("the start task grants every setting by name, and nothing wholesale", () => {
  const flags = START.split(" ").filter((word) => word.startsWith("-"));
  const environment = flags.find((flag) => flag.startsWith("--allow-env="))?.slice("--allow-env=".length).split(",");
  assertEquals(environment?.sort(), [...SETTING_NAMES].sort());
  for (const flag of flags) {
    // Opened to count the files that may be, and by nature without content; and the page, which everybody gets.
    if (flag === "--allow-read=/dev/null,dist/console") continue;
    assert(
      /^--(no-prompt|ignore-env|v8-flags=.+|allow-(net|env|sys)=.+)$/.test(flag),
      `${flag} grants more than the server needs`,
    );
  }
});

Deno.test("a worker's flags are those of the start task, and reach no host that the start task doesn't", () => {
  const words = START.split(" ");
  const ofTask = words.filter((word) => word.startsWith("-"));
  const ofWorker = serverFlags(loadConfig(() => undefined));
  const isNet = (flag: string) => flag.startsWith("--allow-net=");
  assertEquals(
    ofWorker.filter((flag) => !isNet(flag)).map(watchful).map(fromHere).sort(),
    ofTask.filter((flag) => !isNet(flag)).sort(),
  );
  const hosts = (flags: readonly string[]) => flags.find(isNet)?.slice("--allow-net=".length).split(",") ?? [];
  for (const host of hosts(ofWorker)) {
    assert(hosts(ofTask).includes(host.split(":")[0] ?? ""), `${host} is not loopback`);
  }
});

Deno.test("the supervisor's task is the code's: it may run deno and read the settings, and can't open a socket", () => {
  const task = `deno run ${supervisorFlags({ deno: "DENO" }).map(watchful).join(" ")} src/supervisor.ts${CALLERS}`;
  assertEquals(TASKS["start:workers"], task.replace("--allow-run=DENO", `"--allow-run=${OWN_PATH}"`));
  assert(!/--allow-(net|read|write|ffi|all)|-A/.test(task), task);
});
