/**
 * `deno task up`: a whole Holdfast with one command. Brings the programs, starts the private stack under DATA_DIR
 * (or uses DATABASE_URL and REDIS_URLS, where given), migrates, serves, and takes everything down again at Ctrl-C. With
 * `--demo` it has a shop in it, and with `--tls` a certificate (options.ts).
 *
 * Standard output gets the server's listen line and the lines to paste; everything else is on standard error.
 */
import { createConnectTransport } from "@connectrpc/connect-node";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../src/config/config.ts";
import { STOP_MS_MAX } from "../../src/config/stop_times.ts";
import { SETTING_NAMES } from "../../src/config/settings.ts";
import { refusedDenoVersion } from "../../src/process/deno_version.ts";
import { EXIT_FAILED, EXIT_USAGE } from "../../src/process/exit_codes.ts";
import { listenUrl } from "../../src/process/listen_line.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { secretFileName } from "../../src/config/secret_files.ts";
import { type MigrateAddresses, migrateAddresses } from "../../src/migrate/addresses.ts";
import { migrate } from "../../src/migrate/main.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { allocatorEnvironment } from "../../src/process/allocator.ts";
import { denoEnvironment, traceEnvironment } from "../../src/process/child_environment.ts";
import { isForReader, message } from "../reader_errors.ts";
import { serverFlags, supervisorFlags } from "../../src/config/flags.ts";
import { secretFiles } from "../../src/config/permissions.ts";
import { type ServerProcess, startServer } from "../stack/server_process.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { EXIT_INTERRUPTED, listenForStop, type StopRequests } from "../stop_requests.ts";
import { DEMO_SIZE, demoGoods, fillDemo } from "./demo/fill.ts";
import { runLoad } from "./demo/load.ts";
import { checkOptions, databaseOf, type UpOptions, upOptions, USAGE, UsageError } from "./options.ts";
import { bringCertificate } from "./own_certificate.ts";
import { lookerAt } from "./serving_look.ts";
import { makeTrialKey } from "./trial_key.ts";
import { linesToPaste, reachableUrl } from "./up_lines.ts";
import { bringConsole } from "../console/build.ts";
import { dataDir } from "../stack/own_directory.ts";
import { settled, until } from "../../src/base/bounded_wait.ts";

const OWNER_NAMES = ["DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"];
const REDIS_NODES = 5;
const LISTEN_MS_MAX = 30_000;
const SERVING_MS_MAX = 30_000;
/** After its own bound the server is killed; a supervisor kills its workers then, and ends a moment later. */
const SERVER_STOP_MS_MAX = STOP_MS_MAX + 2_000;
/** Said before the log says that there is no quorum, which whoever starts it for the first time takes for a fault. */
const QUARANTINE = "the Redis nodes have just started and get their votes in a moment; until then it is not ready";
/** So long before now the history of the demo ends, and its load begins a moment after. */
const DEMO_ENDS_MS = 5_000;

async function main(): Promise<number> {
  try {
    return await run(upOptions(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    return EXIT_USAGE;
  }
}

async function run(options: UpOptions): Promise<number> {
  const log = createLog("info", "pretty");
  const requests = listenForStop();
  let stack: Stack | undefined;
  let stopReporting = () => {};
  try {
    const refusal = refusedDenoVersion(Deno.version.deno);
    if (refusal !== undefined) throw new Error(refusal);
    const given = givenSettings();
    // Checked before anything is started; what is not given yet has a default of the right form.
    const { console: hasConsole } = loadConfig((name) => given[name]);
    const building = hasConsole ? bringConsole(log) : undefined;
    checkOptions(options, (name) => Deno.env.get(name));
    if (OWNER_NAMES.some(isSet)) addressesOf(given);
    const starting = startStack({
      dir: dataDir(),
      log,
      postgres: !isGiven("DATABASE_URL", given),
      redisNodes: isGiven("REDIS_URLS", given) ? 0 : REDIS_NODES,
      redisRights: "lock",
      durable: true,
    });
    requests.second.then(() => {
      // What was started by then is found and stopped at the next start.
      if (stack === undefined) Deno.exit(EXIT_INTERRUPTED);
    });
    stack = await starting;
    stopReporting = reportWhatEnds(stack, requests, log);
    if (requests.isAsked()) return await stopAll(undefined, stack, requests, log);
    // The demo is refused now and then, as shops are, and each of these would be a line of the log.
    const quiet = options.demo ? { LOG_LEVEL: "warn" } : {};
    const stores = await prepareStores({ ...quiet, ...given }, databaseOf(options), stack, log);
    const settings = { ...stores, ...options.tls ? await ownTls(given, stack) : {} };
    if (options.demo) await fillDemo(settings["DATABASE_URL"]!, DEMO_SIZE, Date.now() - DEMO_ENDS_MS, log);
    await building;
    if (requests.isAsked()) return await stopAll(undefined, stack, requests, log);
    return await serve(settings, options, stack, requests, log);
  } catch (error) {
    log.error(isForReader(error) ? {} : { error }, message(error));
    return EXIT_FAILED;
  } finally {
    stopReporting();
    await stack?.stop();
  }
}

function givenSettings(): Record<string, string> {
  const names = SETTING_NAMES.filter((name) => (Deno.env.get(name) ?? "") !== "");
  return Object.fromEntries(names.map((name) => [name, Deno.env.get(name) ?? ""]));
}

function isSet(name: string): boolean {
  return (Deno.env.get(name) ?? "") !== "";
}

/** Whether it is given, itself or by its file. */
function isGiven(name: string, given: Record<string, string>): boolean {
  return given[name] !== undefined || given[secretFileName(name)] !== undefined;
}

/** The addresses to migrate. Of the owner's the environment alone knows. */
function addressesOf(settings: Record<string, string>): MigrateAddresses {
  return migrateAddresses((name) => OWNER_NAMES.includes(name) ? Deno.env.get(name) : settings[name]);
}

/** Makes the database where it is missing, migrates it, and completes the settings with the stack's addresses. */
async function prepareStores(
  given: Record<string, string>,
  database: string,
  stack: Stack,
  log: Log,
): Promise<Record<string, string>> {
  const settings: Record<string, string> = { LOG_FORMAT: "pretty", ...given };
  let addresses: MigrateAddresses;
  if (stack.postgres === undefined) addresses = addressesOf(settings);
  else {
    await stack.postgres.ensureDatabase(database);
    const [owner, server] = [stack.postgres.ownerUrl(database), stack.postgres.serverUrl(database)];
    settings["DATABASE_URL"] = server;
    addresses = { owner: parsePostgresAddress(owner), server: parsePostgresAddress(server) };
  }
  if (stack.redis.length > 0) settings["REDIS_URLS"] = stack.redis.map((node) => node.url).join(",");
  await migrate({ ...addresses, direction: "up", log });
  return settings;
}

/** The settings of a certificate that is made here. */
async function ownTls(given: Record<string, string>, { dir }: Stack): Promise<Record<string, string>> {
  const { host } = loadConfig((name) => given[name]);
  const { cert, key } = await bringCertificate(dir, host, Date.now());
  return { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
}

async function serve(
  settings: Record<string, string>,
  options: UpOptions,
  stack: Stack,
  requests: StopRequests,
  log: Log,
): Promise<number> {
  const listening = Promise.withResolvers<string>();
  const config = loadConfig((name) => settings[name]);
  // The server knows it from its start on; one that is made later may take a second.
  const hasOwnKeys = config.auth.includes("keys") && stack.postgres !== undefined;
  const key = hasOwnKeys ? await makeTrialKey(stack.postgres.ownerUrl(databaseOf(options))) : undefined;
  const supervised = config.workers > 1;
  const deno = Deno.execPath();
  const allocator = allocatorEnvironment();
  const main = fileURLToPath(new URL(supervised ? "../../src/supervisor.ts" : "../../src/main.ts", import.meta.url));
  const server = startServer({
    name: "server",
    program: deno,
    args: [
      "run",
      ...supervised
        ? supervisorFlags({ deno, files: secretFiles(config), preloaded: allocator.LD_PRELOAD })
        : serverFlags(config),
      main,
    ],
    dir: stack.dir,
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    mark: main,
    env: { ...denoEnvironment(), ...traceEnvironment(), ...allocator, ...settings },
    errorsToOurs: true,
    onLine(line) {
      console.log(line);
      const url = listenUrl(line);
      if (url !== undefined) listening.resolve(url);
    },
  });
  const calling = new AbortController();
  let calls: Promise<unknown> | undefined;
  const ended = server.ended.then((status) => status.signal ?? `exit code ${status.code}`);
  await settled(Promise.race([listening.promise, ended, requests.first]), LISTEN_MS_MAX);
  if (server.isAlive() && !requests.isAsked()) {
    if (!await settled(listening.promise, 0)) {
      await server.stop("SIGTERM", SERVER_STOP_MS_MAX);
      throw new Error(`The server did not listen within ${LISTEN_MS_MAX} ms: see its log above`);
    }
    const url = reachableUrl(await listening.promise);
    const ca = options.tls ? settings["TLS_CERT_FILE"] : undefined;
    // Redis nodes that have just started have no vote before a lease of the time before would be over.
    const isKeptWaiting = config.concurrency === "redlock" && config.quorumLoss === "refuse";
    if (stack.redis.length > 0 && isKeptWaiting) log.info({ msMax: config.lockTtlMs + 1_000 }, QUARANTINE);
    const isUp = await lookerAt(url, config.tlsFiles?.clientCa === undefined ? ca : undefined);
    const serving = until(() => requests.isAsked() || !server.isAlive() || isUp(), SERVING_MS_MAX);
    if (!await serving) log.warn({}, `the service is not SERVING after ${SERVING_MS_MAX} ms: see its log above`);
    const once = ca === undefined ? "" : `; it asks once whether to trust the certificate, which is ${ca}`;
    if (config.console) console.log(`Open ${url} in a browser to watch it${once}.`);
    if (key !== undefined) console.log(`A key that may do everything, for a day: ${key}`);
    const as = config.auth.length === 0 || key !== undefined ? "" : ", as a caller whom AUTH lets in (docs/callers.md)";
    console.log(`Try it, from another terminal${as}:\n${linesToPaste(url, ca, key).join("\n")}`);
    if (options.demo) calls = callDemo(url, ca, log, calling.signal);
  }
  const why = await Promise.race([ended, requests.first]);
  calling.abort();
  await calls;
  if (requests.isAsked()) {
    log.info({ why }, "stopping; a second Ctrl-C does not wait for calls in progress");
    return await stopAll(server, stack, requests, log);
  }
  throw new Error(`The server ended by itself (${why}): see its log above`);
}

/** People in the demo shop, until the signal aborts. */
async function callDemo(url: string, ca: string | undefined, log: Log, signal: AbortSignal): Promise<void> {
  const nodeOptions = ca === undefined ? {} : { ca: await Deno.readTextFile(ca) };
  const transport = createConnectTransport({ httpVersion: "2", baseUrl: url, nodeOptions });
  log.info({}, "the demo shop is open: some calls a second, until it is stopped");
  await runLoad({ transport, goods: demoGoods(DEMO_SIZE), prefix: `demo-${Date.now().toString(36)}`, log }, signal);
}

/** Server first, so that its last calls still find their stores. */
async function stopAll(
  server: ServerProcess | undefined,
  stack: Stack,
  requests: StopRequests,
  log: Log,
): Promise<number> {
  const cleanly = (async () => {
    await server?.stop("SIGTERM", SERVER_STOP_MS_MAX);
    await stack.stop();
    const status = await server?.ended;
    // A server that was still starting has not taken the signal over yet and simply ends by it.
    return status === undefined || status.signal === "SIGTERM" ? 0 : status.code;
  })();
  const code = await Promise.race([cleanly, requests.second]);
  if (code !== undefined) {
    log.info({}, "stopped");
    return code;
  }
  server?.signal("SIGKILL");
  await stack.stop("crash");
  return EXIT_INTERRUPTED;
}

/**
 * A store may come back, and the service lives through its absence; it is only reported.
 *
 * @returns a function that ends that
 */
function reportWhatEnds(stack: Stack, requests: StopRequests, log: Log): () => void {
  let watching = true;
  const servers = [
    ...(stack.postgres === undefined ? [] : [{ name: "PostgreSQL", ended: stack.postgres.ended }]),
    ...stack.redis.map(({ ended, port }, index) => ({ name: `redis-${index + 1} on port ${port}`, ended })),
  ];
  for (const { name, ended } of servers) {
    ended.then(() => {
      if (!watching || requests.isAsked()) return;
      log.warn({ server: name }, "a server of the private stack has ended, and comes back with the next start of up");
    });
  }
  return () => watching = false;
}

if (import.meta.main) Deno.exit(await main());
