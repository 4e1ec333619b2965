/**
 * The settings: their names, their defaults, what each may be and what it means. This file alone knows them; what the
 * program makes of them is config.ts.
 */
import { z } from "zod";
import { AddressError } from "./address_text.ts";
import { parseAuth } from "./auth_setting.ts";
import { parseAlgorithms, parseKeysPlace, parseMtlsRights, parseTypes, parseWords } from "./caller_settings.ts";
import { eachOf, splitList } from "./lists.ts";
import { MODES, QUORUM_LOSSES } from "./mode_names.ts";
import { parseHostName, parseListenHost, parseOrigin, parsePageHeader } from "./origins.ts";
import { parseProxy } from "./proxies.ts";
import { parsePostgresAddress } from "./postgres_address.ts";
import { parseRedisAddress } from "./redis_address.ts";
import { DRAIN_DELAY_MS_MAX } from "./stop_times.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../telemetry/log.ts";

/** The role that the server works as; the migrations grant to it, and `migrate` makes it. */
export const SERVER_ROLE = "holdfast_server";
/** What DATABASE_URL and REDIS_URLS are where they are not set. */
export const DATABASE_URL_DEFAULT = `postgres://${SERVER_ROLE}@127.0.0.1:5432/holdfast`;
export const REDIS_URLS_DEFAULT = [6379, 6380, 6381, 6382, 6383].map((port) => `redis://127.0.0.1:${port}`).join(",");

/** The smallest that checks.ts lets pass, which says why beside whatever else is wrong with the lock. */
const LOCK_TTL_MS_MIN = 4000;

/** Of every connection that a client makes anew something stays in memory (docs/operating.md, "Old connections"). */
const CONNECTION_AGE_MS_MIN = 10_000;

const integer = (min: number, max: number) =>
  z.string().regex(/^-?\d+$/, "expected a whole number").transform(Number).pipe(
    z.number().min(min, `expected ${min} or more`).max(max, `expected ${max} or less`),
  );

/** In our words: zod's own are of programs. */
const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `expected one of ${values.join(", ")}` });

/** A setting that `read` makes something of. What it throws AddressError for are problems of the setting. */
const parsed = <T>(read: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      for (const message of error.problems) context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
  });

const path = () => z.string().min(1).optional();

const list = <T>(read: (text: string) => T) => parsed((text): readonly T[] => eachOf(splitList(text), read));

/**
 * All settings, each with how it is read, its default, and what it means to whoever sets it (docs/settings.md is made
 * of these).
 */
export const SETTINGS = z.object({
  HOST: parsed(parseListenHost).prefault("127.0.0.1").describe(
    "address to listen on, such as `::1` or `0.0.0.0`",
  ),
  PORT: integer(0, 65_535).default(8080).describe(
    "port to listen on; 0 takes any free one and prints it",
  ),
  AUTH: parsed(parseAuth).optional().describe(
    "who may call: `none`, or one or more of `keys`, `jwt`, `mtls`; [what each is](callers.md); must be set where `HOST` is beyond loopback",
  ),
  ADMIN_PORT: z.string().regex(/^(off|\d+)$/, "expected a port, or `off`").transform((text) =>
    text === "off" ? undefined : Number(text)
  ).pipe(z.number().max(65_535, "expected 65535 or less").optional()).meta({ values: "`off`, 0 to 65535" }).prefault(
    "8081",
  ).describe(
    "port for [metrics and health](operating.md#metrics-and-health), of HTTP without TLS or keys; with several workers it sums them up, and worker N has the Nth port behind it; 0 takes any free one; `off`: none, and nothing is measured",
  ),
  ADMIN_HOST: parsed((text) => parseListenHost(text, "ADMIN_PORT")).prefault("127.0.0.1").describe(
    "address that `ADMIN_PORT` is on; beyond loopback whoever reaches it sees metrics and why the server is not ready",
  ),
  JWT_ISSUER: z.string().regex(/^[!-~]{1,256}$/, "expected 1 to 256 visible ASCII characters").optional().describe(
    "who signs [tokens](callers.md#tokens): their `iss`, to the character",
  ),
  JWT_AUDIENCE: parsed(parseWords).optional().describe(
    "what tokens are for: one of these stands in their `aud`",
  ),
  JWT_JWKS: parsed(parseKeysPlace).optional().describe(
    "the issuer's keys: an `https` address, or the path of a file, [both read anew](callers.md#the-issuers-keys)",
  ),
  JWT_ALGORITHMS: parsed(parseAlgorithms).prefault("RS256,ES256,EdDSA").describe(
    "algorithms by which tokens may be signed: RS, PS or ES with 256, 384 or 512, and EdDSA",
  ),
  JWT_TYPES: parsed(parseTypes).prefault("at+jwt").describe(
    "what a token's `typ` may be; `at+jwt,jwt` where the issuer [marks no access tokens](callers.md#tokens)",
  ),
  JWT_RIGHTS_CLAIM: z.string().regex(/^[!-~]{1,128}$/, "expected 1 to 128 visible ASCII characters").default("scope")
    .describe(
      "the claim that has the rights, such as `holdfast:seller`: words between spaces, or an array",
    ),
  JWT_CLOCK_SKEW_S: integer(0, 300).default(30).describe(
    "how far the issuer's clock may be off",
  ),
  JWT_JWKS_AGE_MS_MAX: integer(60_000, 604_800_000).default(21_600_000).describe(
    "so long the keys are good while they can't be read anew",
  ),
  MTLS_RIGHTS: parsed(parseMtlsRights).optional().describe(
    "[certificates](callers.md#client-certificates) and their rights, such as `spiffe://shop/orders=seller,dns:pos.shop=seller+stocker,cn:ops=operator`",
  ),
  DATABASE_URL: parsed((text) => parsePostgresAddress(text, SERVER_ROLE)).prefault(DATABASE_URL_DEFAULT).describe(
    "PostgreSQL, as the role that `migrate` makes; [what may stand in it](operating.md#postgresql)",
  ),
  DATABASE_URL_FILE: path().describe(
    "a file that `DATABASE_URL` stands in; [read anew when a log-in fails](operating.md#secrets-in-files)",
  ),
  DATABASE_TLS_CA_FILE: path().describe(
    "certificates to trust for PostgreSQL, as PEM; makes `DATABASE_URL` [`verify-full`](operating.md#tls-to-the-stores) where that has no `sslmode`",
  ),
  DATABASE_TLS_CERT_FILE: path().describe(
    "a certificate to show to PostgreSQL, as PEM; only together with `DATABASE_TLS_KEY_FILE`",
  ),
  DATABASE_TLS_KEY_FILE: path().describe(
    "its private key as PEM",
  ),
  REDIS_URLS: list(parseRedisAddress).prefault(REDIS_URLS_DEFAULT).describe(
    "the lock's nodes, comma-separated: an odd count, three or more; [what may stand in it](operating.md#redis)",
  ),
  REDIS_URLS_FILE: path().describe(
    "a file that `REDIS_URLS` stands in; [read anew when a log-in fails](operating.md#secrets-in-files)",
  ),
  REDIS_TLS_CA_FILE: path().describe(
    "certificates to trust for [nodes at `rediss://`](operating.md#tls-to-the-stores), as PEM; their names are looked at too",
  ),
  REDIS_TLS_CERT_FILE: path().describe(
    "a certificate to show to the nodes, as PEM; only together with `REDIS_TLS_KEY_FILE`",
  ),
  REDIS_TLS_KEY_FILE: path().describe(
    "its private key as PEM",
  ),
  CONCURRENCY: oneOf(MODES).default("redlock").describe(
    "the mode: [what keeps writers of a goods apart](lock.md#three-modes)",
  ),
  QUORUM_LOSS: oneOf(QUORUM_LOSSES).default("refuse").describe(
    "what becomes of orders while the lock has no quorum: `refuse` them, or go by `row` locks",
  ),
  LOCK_TTL_MS: integer(0, 600_000).meta({ values: `${LOCK_TTL_MS_MIN} to 600000` }).default(5000).describe(
    "a lease expires after this, which is at least twice what the work under it may take",
  ),
  LOCK_NODE_TIMEOUT_MS: integer(1, 30_000).default(250).describe(
    "limit of one command to one node; twice this has to leave half of `LOCK_TTL_MS`",
  ),
  LOCK_WAIT_MS_MAX: integer(2, 60_000).default(2000).describe(
    "longest wait for goods that other processes lease, at least twice `LOCK_NODE_TIMEOUT_MS`; the time in this process's own lanes is not counted",
  ),
  LOCK_KEY_PREFIX: z.string().regex(/^[A-Za-z0-9:._-]{1,64}$/, "expected 1 to 64 letters, digits, or : . _ -")
    .default("holdfast:").describe(
      "part of the name of every key in Redis, 1 to 64 letters, digits or `: . _ -`: [one for each database whose servers share nodes](lock.md#two-holdfasts-on-the-same-nodes)",
    ),
  DATABASE_POOL_MAX: integer(1, 1000).default(8).describe(
    "connections to PostgreSQL, of all workers together; of several workers each needs two",
  ),
  WORKERS: integer(1, 64).default(1).describe(
    "processes behind the one port; [more than one](operating.md#workers) needs `bin/holdfast` or `start:workers`",
  ),
  ORDER_LINES_MAX: integer(1, 10_000).default(500).describe(
    "lines in one order",
  ),
  BATCH_ORDERS_MAX: integer(1, 10_000).default(1000).describe(
    "orders in one `SellBatch`, rollbacks in one `RollbackBatch`, operations in one `ApplyBatch`",
  ),
  QUEUE_MAX: integer(1, 1_000_000).default(10_000).describe(
    "operations under way, and reads that wait, in each worker; at least `BATCH_ORDERS_MAX`",
  ),
  REQUEST_BYTES_MAX: integer(1024, 64 * 1024 * 1024).default(1024 * 1024).describe(
    "largest message, a batch, unpacked; other messages have less: 4 KiB, and 384 bytes a line",
  ),
  REQUEST_BYTES_BUDGET: integer(1024 * 1024, 16 * 1024 * 1024 * 1024).default(64 * 1024 * 1024).describe(
    "bytes of all large messages under way, at least four times `REQUEST_BYTES_MAX`; beyond it calls end in `RESOURCE_EXHAUSTED`",
  ),
  ORDER_ID_REQUIRED: oneOf(["on", "off"]).default("off").describe(
    "`on`: a `Sell` needs an `order_id`, a `Rollback` an `order_id` or a `rollback_id`, what has one an `operation_id`",
  ),
  REQUEST_TIMEOUT_MS_MAX: integer(100, 600_000).default(30_000).describe(
    "largest deadline; longer ones are cut to it, and callers that set none have it",
  ),
  ADDRESS_SHARE_MAX: z.string().regex(/^\d*\.?\d+$/, "expected a number such as 0.25").transform(Number).pipe(
    z.number().min(0.01, "expected 0.01 or more").max(1, "expected 1 or less"),
  ).default(0.25).describe(
    "what one address may have of each limit for all; `1` behind a proxy that all come through and that `TRUSTED_PROXIES` does not name",
  ),
  IDENTITY_CALLS_PER_S_MAX: integer(1, 1_000_000).optional().describe(
    "calls that one identity may make in a second, in each worker; [more](operating.md#what-one-identity-may-take)",
  ),
  IDENTITY_BURST_CALLS_MAX: integer(0, 10_000_000).optional().describe(
    "calls beyond those in each 10 s; as many as in a second where it is not set",
  ),
  IDENTITY_CALLS_MAX: integer(1, 1_000_000).default(3000).describe(
    "calls under way of one identity, in each worker",
  ),
  WATCHERS_MAX: integer(1, 100_000).default(1000).describe(
    "streams of [changes](clients.md#streams-of-changes) open at a time, in each worker; one address may have `ADDRESS_SHARE_MAX` of them",
  ),
  IDENTITY_WATCHERS_MAX: integer(1, 100_000).default(250).describe(
    "of these, streams of one identity",
  ),
  WATCH_AGE_MS_MAX: integer(1_000, 86_400_000).default(300_000).describe(
    "how old such a stream gets, from the end of its snapshot on and less up to a quarter by chance, before it ends with a token to go on from",
  ),
  SHED_LOOP_DELAY_MS: integer(0, 60_000).default(1000).describe(
    "from this delay of the event loop on, where it stands, [calls are shed](operating.md#more-work-than-a-process-can-do); `0`: never",
  ),
  DRAIN_DELAY_MS: integer(0, DRAIN_DELAY_MS_MAX).default(0).describe(
    "so long after `SIGTERM` calls are still served while health says `NOT_SERVING`: [as long as balancers take to notice](operating.md#rolling-restarts)",
  ),
  CONNECTION_AGE_MS_MAX: integer(0, 86_400_000).refine(
    (ms) => ms === 0 || ms >= CONNECTION_AGE_MS_MIN,
    `expected ${CONNECTION_AGE_MS_MIN} or more, or 0 for connections of any age`,
  ).meta({ values: `0, ${CONNECTION_AGE_MS_MIN} to 86400000` }).default(0).describe(
    "how old a connection gets, less up to a tenth by chance, before its client is [asked to make another](operating.md#old-connections); `0`: as old as it likes",
  ),
  TRUSTED_PROXIES: list(parseProxy).default([]).describe(
    "proxies that are [believed about who called them](clients.md#all-proxies): addresses and networks, such as `10.0.0.7,2001:db8::/32`",
  ),
  TRUSTED_PROXIES_HEADER: oneOf(["x-forwarded-for", "forwarded"]).default("x-forwarded-for").describe(
    "the header in which they all note it; the other one is not looked at",
  ),
  CORS: oneOf(["on", "proxy"]).default("on").describe(
    "`proxy`: [a proxy in front decides which pages may call](clients.md#pages-in-a-browser)",
  ),
  CORS_ORIGINS: list(parseOrigin).default([]).describe(
    "pages that may call beside the server's own, such as `https://shop.example,https://b.example`",
  ),
  CORS_HEADERS: list(parsePageHeader).default([]).describe(
    "headers that pages may send beside the usual ones, such as `x-tenant`",
  ),
  ALLOWED_HOSTS: list(parseHostName).default([]).describe(
    "this server's names, such as `stock.example`, beside `localhost` and addresses; [what they are for](clients.md#pages-in-a-browser)",
  ),
  CONSOLE: oneOf(["on", "off"]).default("on").describe(
    "`off`: [the page for browsers](console.md) is not served; whoever reaches the port gets it, and with it nothing but the page",
  ),
  TLS_CERT_FILE: path().describe(
    "certificate chain as PEM, [taken up when renewed](operating.md#certificates); only together with `TLS_KEY_FILE`; needs `--allow-read` for both",
  ),
  TLS_KEY_FILE: path().describe(
    "its private key as PEM",
  ),
  TLS_CLIENT_CA_FILE: path().describe(
    "certificates that sign those of [clients](callers.md#client-certificates), as PEM, taken up when renewed; for `AUTH` with `mtls`",
  ),
  LOG_LEVEL: oneOf(LOG_LEVELS).default("info").describe(
    "least level of a line that is logged",
  ),
  LOG_FORMAT: oneOf(LOG_FORMATS).default("json").describe(
    "the form of the log, which is on standard error",
  ),
  ACCESS_LOG_SAMPLE: z.string().regex(/^\d*\.?\d+$/, "expected a number such as 0.01").transform(Number).pipe(
    z.number().min(0).max(1, "expected 1 or less"),
  ).default(0.01).describe(
    "the part of answered calls that have [a line in the log](operating.md#a-line-for-a-call); calls that ended in an error have one each, up to 10 a second",
  ),
});

/** The names of all settings that the server reads. */
export const SETTING_NAMES: readonly string[] = Object.keys(SETTINGS.shape);
