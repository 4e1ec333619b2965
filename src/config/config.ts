/**
 * From environment variables to one frozen, typed Config. Every problem is reported at once, none is guessed around.
 * Names, defaults and meanings are in settings.ts, rules over several settings in checks.ts.
 */
import type { IpNetwork } from "../base/ip_address.ts";
import { readSmallFileSync } from "../base/small_file.ts";
import { AddressError } from "./address_text.ts";
import type { AdminAddress } from "./admin_address.ts";
import type { PostgresAddress } from "./postgres_address.ts";
import type { RedisAddress } from "./redis_address.ts";
import { SETTING_NAMES, SETTINGS } from "./settings.ts";
import type { IdentityKind } from "../auth/identity.ts";
import type { JwtRules } from "../auth/jwt_rules.ts";
import type { MtlsRules } from "../auth/mtls_rules.ts";
import { authProblems } from "./auth_setting.ts";
import { callerProblems, jwtRulesOf, mtlsRulesOf } from "./caller_settings.ts";
import { configNotes } from "./notes.ts";
import { SECRET_NAMES, underFileName, withSecretFiles } from "./secret_files.ts";
import { redisTlsProblems, type TlsPaths, tlsPaths, underDatabaseTls } from "./store_tls.ts";
import {
  adminProblems,
  budgetProblems,
  isAdminPort,
  lockProblems,
  nodesProblems,
  queueProblems,
  workersProblems,
} from "./checks.ts";
import type { ModeName, QuorumLoss } from "./mode_names.ts";
import type { LOG_FORMATS, LOG_LEVELS } from "../telemetry/log.ts";

/** PostgreSQL ends a statement of ours after this; an operation runs two of them under a lease. */
export const STATEMENT_TIMEOUT_MS = 1000;
/**
 * PostgreSQL ends a statement that waits this long for a row: it keeps a connection, and orders that don't need that
 * row may wait with it. Longer than one of our own statements takes by far, so it is a foreign session that is waited
 * for.
 */
export const ROW_LOCK_TIMEOUT_MS = 250;
/** Longest time to open a connection to PostgreSQL. */
export const DATABASE_CONNECT_TIMEOUT_MS = 3000;

/** What the program runs on. Times in ms, sizes in bytes. */
export interface Config {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** By what callers may prove who they are; none: everybody may do everything. */
  readonly auth: readonly IdentityKind[];
  /** Where metrics and health are shown; undefined: nowhere, and nothing is measured. */
  readonly admin: AdminAddress | undefined;
  /** What a token must be; undefined: none is taken. */
  readonly jwt: JwtRules | undefined;
  /** Whose certificates count; undefined: none is asked for. */
  readonly mtls: MtlsRules | undefined;
  readonly database: PostgresAddress;
  /** Path of the file that its address stands in; undefined: the environment. */
  readonly databaseUrlFile: string | undefined;
  /** The nodes of the lock, each a server of its own. */
  readonly redisNodes: readonly RedisAddress[];
  /** Path of the file that their addresses stand in; undefined: the environment. */
  readonly redisUrlsFile: string | undefined;
  /** Files for TLS to the nodes; undefined: none are named. */
  readonly redisTls: TlsPaths | undefined;
  /** What keeps writers of the same goods apart. */
  readonly concurrency: ModeName;
  /** What becomes of orders while too few nodes can vote; for the mode `redlock` only. */
  readonly quorumLoss: QuorumLoss;
  readonly lockTtlMs: number;
  readonly lockNodeTimeoutMs: number;
  readonly lockWaitMsMax: number;
  /** Part of the names of all our keys in Redis. */
  readonly lockKeyPrefix: string;
  /** Connections to PostgreSQL, of all workers together. */
  readonly databasePoolMax: number;
  /** Processes behind the one port. */
  readonly workers: number;
  readonly orderLinesMax: number;
  /** Orders in one call of SellBatch or RollbackBatch. */
  readonly batchOrdersMax: number;
  readonly queueMax: number;
  readonly requestBytesMax: number;
  /** Bytes of all messages that are being received or worked on, each as large as what is made of it. */
  readonly requestBytesBudget: number;
  /** Whether a Sell must have an order_id, and a Rollback an id at all. */
  readonly orderIdRequired: boolean;
  readonly requestTimeoutMsMax: number;
  /** What one remote address may have of every limit that all callers share: over 0, up to 1. */
  readonly addressShareMax: number;
  /** What one identity may have, in each worker. */
  readonly identityBounds: {
    /** Undefined: as many as come. */
    readonly callsPerSecondMax: number | undefined;
    /** Beyond those, in each 10 s. */
    readonly burstCallsMax: number;
    /** Under way. */
    readonly callsMax: number;
  };
  /** Streams of changes in each worker: in all, of one identity, and how old one gets. */
  readonly watchers: { readonly max: number; readonly identityMax: number; readonly ageMsMax: number };
  /** From this delay of the event loop on calls are shed; undefined: never. */
  readonly shedLoopDelayMs: number | undefined;
  /** How long calls are still served once it was asked to stop and health says so. */
  readonly drainDelayMs: number;
  /** How old a connection gets before its peer is asked to go; undefined: as old as it likes. */
  readonly connectionAgeMsMax: number | undefined;
  /** Which proxies are believed about who called them, and in which header. */
  readonly trustedProxies: {
    readonly networks: readonly IpNetwork[];
    readonly header: "x-forwarded-for" | "forwarded";
  };
  /** True: which pages may call is decided by a proxy in front, but for what ALLOWED_HOSTS is about. */
  readonly corsLeftToProxy: boolean;
  /** In the form in which a browser sends them; `https://*.shop.example` is all that is below `shop.example`. */
  readonly corsOrigins: readonly string[];
  /** Headers that pages may send beside the usual ones, in lower case. */
  readonly corsHeaders: readonly string[];
  /** Names of this server, beside those of loopback, under which pages of its own may call. */
  readonly allowedHosts: readonly string[];
  /** Whether the page for browsers is served. */
  readonly console: boolean;
  /** The certificate's, and those of the authorities of clients where these are asked for certificates. */
  readonly tlsFiles:
    | { readonly cert: string; readonly key: string; readonly clientCa?: string | undefined }
    | undefined;
  readonly logLevel: typeof LOG_LEVELS[number];
  readonly logFormat: typeof LOG_FORMATS[number];
  /** Of the calls that end with OK, from 0 to 1. */
  readonly accessLogSample: number;
  /** What is set and changes nothing, each as a line for the log. */
  readonly notes: readonly string[];
}

/** Settings that can't be run on; the message has one line for each problem. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
    super(`Cannot start: ${count} in the settings\n${problems.map((p) => `  ${p}`).join("\n")}`);
    this.problems = problems;
  }
}

/**
 * Reads the settings; `read` answers an environment variable, and `readFile` the text of a file of secrets, or throws
 * UnreadableFileError. A variable that is empty counts as not set.
 *
 * Throws ConfigError naming every problem.
 */
export function loadConfig(read: (name: string) => string | undefined, readFile = readSmallFileSync): Config {
  const asGiven = Object.fromEntries(SETTING_NAMES.map((name) => [name, read(name) || undefined]));
  const { values: given, problems: ofFiles } = withSecretFiles(asGiven, readFile);
  const parsed = SETTINGS.safeParse(given);
  // Rules over several settings are checked as far as those can be read, so that everything is said at once.
  const lock = SETTINGS.pick({ LOCK_TTL_MS: true, LOCK_NODE_TIMEOUT_MS: true, LOCK_WAIT_MS_MAX: true }).safeParse(
    given,
  );
  const workers = SETTINGS.pick({ DATABASE_POOL_MAX: true, WORKERS: true }).safeParse(given);
  const queue = SETTINGS.pick({ QUEUE_MAX: true, BATCH_ORDERS_MAX: true }).safeParse(given);
  const nodes = SETTINGS.pick({ REDIS_URLS: true }).safeParse(given);
  const database = readDatabase(given);
  const budget = SETTINGS.pick({ REQUEST_BYTES_BUDGET: true, REQUEST_BYTES_MAX: true }).safeParse(given);
  const auth = SETTINGS.pick({ HOST: true, AUTH: true }).safeParse(given);
  const ports = SETTINGS.pick({ PORT: true, ADMIN_PORT: true, WORKERS: true }).safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => problem(String(path[0]), message, given)),
    ...ofFiles,
    ...(auth.success ? [...authProblems(auth.data), ...callerProblems(auth.data.AUTH ?? [], given)] : []),
    ...["TLS", "DATABASE_TLS", "REDIS_TLS"].flatMap((prefix) => pairProblems(prefix, given)),
    ...(nodes.success ? nodesProblems(nodes.data.REDIS_URLS) : []),
    ...(nodes.success ? redisTlsProblems(nodes.data.REDIS_URLS, tlsPaths("REDIS_TLS", given)) : []),
    ...(database.success ? database.problems : []),
    ...(lock.success ? lockProblems(lock.data, 2 * STATEMENT_TIMEOUT_MS) : []),
    ...corsProblems(given),
    ...(queue.success ? queueProblems(queue.data) : []),
    ...(budget.success ? budgetProblems(budget.data) : []),
    ...(workers.success ? workersProblems(workers.data) : []),
    ...(ports.success && given.ADMIN_PORT !== undefined ? adminProblems(ports.data) : []),
  ];
  if (!parsed.success || !database.success || problems.length > 0) {
    throw new ConfigError(problems.map((problem) => underFileName(problem, asGiven)));
  }
  const settings = parsed.data;
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } = settings;
  return Object.freeze({
    host: settings.HOST,
    port: settings.PORT,
    auth: settings.AUTH ?? [],
    jwt: jwtRulesOf(settings),
    mtls: mtlsRulesOf(settings),
    database: database.address,
    databaseUrlFile: settings.DATABASE_URL_FILE,
    admin: settings.ADMIN_PORT === undefined || isAdminPort(settings) ? undefined : {
      host: settings.ADMIN_HOST,
      port: settings.ADMIN_PORT,
      isGiven: given.ADMIN_PORT !== undefined,
    },
    redisNodes: settings.REDIS_URLS,
    redisUrlsFile: settings.REDIS_URLS_FILE,
    redisTls: tlsPaths("REDIS_TLS", given),
    concurrency: settings.CONCURRENCY,
    quorumLoss: settings.QUORUM_LOSS,
    lockTtlMs: settings.LOCK_TTL_MS,
    lockNodeTimeoutMs: settings.LOCK_NODE_TIMEOUT_MS,
    lockWaitMsMax: settings.LOCK_WAIT_MS_MAX,
    lockKeyPrefix: settings.LOCK_KEY_PREFIX,
    databasePoolMax: settings.DATABASE_POOL_MAX,
    workers: settings.WORKERS,
    orderLinesMax: settings.ORDER_LINES_MAX,
    batchOrdersMax: settings.BATCH_ORDERS_MAX,
    queueMax: settings.QUEUE_MAX,
    requestBytesMax: settings.REQUEST_BYTES_MAX,
    requestBytesBudget: settings.REQUEST_BYTES_BUDGET,
    orderIdRequired: settings.ORDER_ID_REQUIRED === "on",
    requestTimeoutMsMax: settings.REQUEST_TIMEOUT_MS_MAX,
    addressShareMax: settings.ADDRESS_SHARE_MAX,
    identityBounds: {
      callsPerSecondMax: settings.IDENTITY_CALLS_PER_S_MAX,
      burstCallsMax: settings.IDENTITY_BURST_CALLS_MAX ?? settings.IDENTITY_CALLS_PER_S_MAX ?? 0,
      callsMax: settings.IDENTITY_CALLS_MAX,
    },
    watchers: {
      max: settings.WATCHERS_MAX,
      identityMax: settings.IDENTITY_WATCHERS_MAX,
      ageMsMax: settings.WATCH_AGE_MS_MAX,
    },
    shedLoopDelayMs: settings.SHED_LOOP_DELAY_MS === 0 ? undefined : settings.SHED_LOOP_DELAY_MS,
    drainDelayMs: settings.DRAIN_DELAY_MS,
    connectionAgeMsMax: settings.CONNECTION_AGE_MS_MAX === 0 ? undefined : settings.CONNECTION_AGE_MS_MAX,
    trustedProxies: { networks: settings.TRUSTED_PROXIES, header: settings.TRUSTED_PROXIES_HEADER },
    corsOrigins: [...new Set(settings.CORS_ORIGINS)],
    allowedHosts: [...new Set(settings.ALLOWED_HOSTS)],
    corsLeftToProxy: settings.CORS === "proxy",
    corsHeaders: settings.CORS_HEADERS,
    console: settings.CONSOLE === "on",
    tlsFiles: cert !== undefined && key !== undefined
      ? { cert, key, clientCa: mtlsRulesOf(settings)?.caFile }
      : undefined,
    logLevel: settings.LOG_LEVEL,
    logFormat: settings.LOG_FORMAT,
    accessLogSample: settings.ACCESS_LOG_SAMPLE,
    notes: configNotes(
      { ...settings, DATABASE_URL: database.address },
      new Set(SETTING_NAMES.filter((name) => asGiven[name] !== undefined)),
      DATABASE_CONNECT_TIMEOUT_MS / 1000,
    ),
  });
}

/** A value with an @ may be an address that was meant for another setting; one that is longer helps nobody. */
const REPEATED = /^[^@]{0,100}$/;

function problem(name: string, message: string, given: Readonly<Record<string, string | undefined>>): string {
  const value = given[name] ?? "";
  const isRepeated = !SECRET_NAMES.includes(name) && REPEATED.test(value);
  return `${name}: ${message}${isRepeated ? `, got ${JSON.stringify(value)}` : ""}`;
}

/** A certificate and its key go together. */
function pairProblems(prefix: string, given: Readonly<Record<string, string | undefined>>): string[] {
  const pair = [`${prefix}_CERT_FILE`, `${prefix}_KEY_FILE`];
  const [set] = pair.filter((name) => given[name] !== undefined);
  const missing = pair.filter((name) => given[name] === undefined);
  return set === undefined ? [] : missing.map((name) => `${name}: expected, as ${set} is set`);
}

type ReadDatabase = { readonly success: false } | {
  readonly success: true;
  readonly address: PostgresAddress;
  readonly problems: readonly string[];
};

/** The address of PostgreSQL, with the files of DATABASE_TLS_*. */
function readDatabase(given: Readonly<Record<string, string | undefined>>): ReadDatabase {
  const { success, data } = SETTINGS.pick({ DATABASE_URL: true }).safeParse(given);
  if (!success) return { success };
  const { DATABASE_URL: address } = data;
  const paths = tlsPaths("DATABASE_TLS", given);
  if (paths === undefined) return { success, address, problems: [] };
  try {
    return { success, address: underDatabaseTls(address, paths, "DATABASE_URL"), problems: [] };
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    return { success, address, problems: error.problems };
  }
}

/** What a proxy decides, nothing that is set here decides as well. */
function corsProblems(given: Readonly<Record<string, string | undefined>>): string[] {
  if (given.CORS !== "proxy") return [];
  return ["CORS_ORIGINS", "CORS_HEADERS"].filter((name) => given[name] !== undefined)
    .map((name) => problem(name, "expected nothing, as CORS=proxy leaves it to the proxy", given));
}
